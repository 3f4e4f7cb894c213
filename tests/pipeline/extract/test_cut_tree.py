"""What Trafilatura is given of a page: all of the story, and no menus, forms, lists of links or images."""

from __future__ import annotations

import copy

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline.extract.cut_tree import cut_tree
from pipeline.extract.parse import parse
from tests.pipeline.extract.pages import BODY, PAGE, STORY


def cut(body: str) -> lxml.html.HtmlElement:
    return cut_tree(parse(f"<html><body>{body}</body></html>"))


def text_of(body: str) -> str:
    return " ".join(cut(body).text_content().split())


def is_gone(part: str, text: str, around: str = f"<article>{BODY}</article>") -> bool:
    found = text_of(around + part)
    assert all(line in found for line in STORY)
    return text not in found


def test_the_story_stays_and_the_menu_and_the_footer_go() -> None:
    found = cut_tree(parse(PAGE)).text_content()
    assert all(text in found for text in STORY)
    assert "Board votes to dredge eastern channel" in found
    assert "Sign up for our newsletter" in found  # what is in the story's own boxes is judged later
    assert not any(text in found for text in ("Weather", "All rights reserved"))


@pytest.mark.parametrize(
    "part",
    [
        "<nav><p>Pass it on</p></nav>",
        "<footer><p>Pass it on</p></footer>",
        "<form><p>Pass it on</p></form>",
        "<aside><p>Pass it on</p></aside>",
        "<dialog><p>Pass it on</p></dialog>",
        "<button>Pass it on</button>",
        "<script>Pass it on</script>",
        "<style>Pass it on</style>",
        "<noscript><p>Pass it on</p></noscript>",
        "<select><option>Pass it on</option></select>",
        "<svg><text>Pass it on</text></svg>",
        "<iframe>Pass it on</iframe>",
        "<ul><li><a href=/1>Pass it on</a></li><li><a href=/2>Two</a></li><li><a href=/3>Three</a></li></ul>",
        "<div><div><a href=/1>Pass it on</a></div> | <h3><a href=/2>Two</a></h3><a href=/3>Three</a></div>",
        "<section><p><a href=/1>Pass it on</a></p><a href=/2>Two</a><a href=/3>Three</a></section>",
    ],
)
def test_what_no_article_is_in_goes(part: str) -> None:
    assert is_gone(part, "Pass it on")


@pytest.mark.parametrize(
    "part",
    [
        "<div><p>Pass it on</p></div>",
        "<header><p>Pass it on</p></header>",
        # Too few links, or text beside them.
        "<ul><li><a href=/1>Pass it on</a></li><li><a href=/2>Two</a></li></ul>",
        "<ul><li><a href=/1>One</a></li><li><a href=/2>Two</a></li><li><a href=/3>3</a> Pass it on</li></ul>",
        "<div><a href=/1>Pass it on</a><a href=/2>Two</a></div>",
        "<div><a href=/1>Pass it on</a><a href=/2>Two</a><a href=/3>Three</a><span>by us</span></div>",
        "<div><a href=/1>Pass it on</a><a href=/2>Two</a><a href=/3>Three</a> and more</div>",
    ],
)
def test_what_may_be_of_an_article_stays(part: str) -> None:
    assert not is_gone(part, "Pass it on")


@pytest.mark.parametrize("tag", ["article", "main"])
def test_a_list_of_links_in_the_story_stays(tag: str) -> None:
    links = "".join(f"<li><a href=/{n}>Candidate number {n}</a></li>" for n in range(5))
    assert "Candidate number 3" in text_of(f"<{tag}>{BODY}<ul>{links}</ul></{tag}>")
    assert "Candidate number 3" not in text_of(f"<div>{BODY}<ul>{links}</ul></div>")
    boxes = links.replace("li>", "div>")
    assert "Candidate number 3" in text_of(f"<{tag}>{BODY}<div>{boxes}</div></{tag}>")
    assert "Candidate number 3" not in text_of(f"<div>{BODY}<div>{boxes}</div></div>")


def test_a_box_around_nothing_but_another_becomes_one_with_it() -> None:
    found = cut(
        '<div class=a id=x> <div class="b c" style="d"><div>one <div>two</div></div></div> </div>three'
    )
    first, second = found.iter("div")
    assert dict(first.attrib) == {"class": "a b c", "id": "x", "style": "d"}
    assert (first.text, second.text, first.tail) == ("one ", "two", "three")


def test_boxes_with_text_between_them_stay_apart() -> None:
    assert len(cut("<div>one<div>two</div></div><div><div>three</div>four</div>").findall(".//div")) == 4
    assert len(cut("<div><section><div>one</div></section></div>").findall(".//div")) == 2


@pytest.mark.parametrize("tag", ["form", "nav", "footer", "aside"])
@pytest.mark.parametrize("story", [BODY, f"<article>{BODY}</article>", f"<h1>Board votes</h1>{BODY}"])
def test_a_box_around_the_page_stays(tag: str, story: str) -> None:
    assert STORY[2] in text_of(f"<{tag}>{story}</{tag}>")


@pytest.mark.parametrize("tag", ["form", "nav", "footer"])
def test_a_box_that_was_never_closed_stays(tag: str) -> None:
    found = text_of(f"<div><{tag}><a href=/>Home</a><div>{BODY}</div>")
    assert all(line in found for line in STORY)


def test_a_box_of_much_text_without_a_paragraph_of_a_story_goes() -> None:
    words = "of the house and of all its papers " * 60
    assert is_gone(f"<nav><div>{words}</div></nav>", "all its papers")


def test_a_button_in_a_paragraph_goes_and_one_around_a_story_stays() -> None:
    assert text_of("<p>Before <button>Share</button> after</p>") == "Before after"
    # However small its share of the page is: a button that was never closed runs on to the end.
    assert "Closed today." in text_of(f"<div>{BODY}</div><button>Menu<p>Closed today.</p></button>")


@pytest.mark.parametrize(
    "element",
    ["<nav>x</nav>", "<img src=a>", "<script>x</script>", "<span></span>", "<button>x</button>", "<hr>"],
)
def test_the_text_after_what_is_cut_stays_at_its_place(element: str) -> None:
    assert text_of(f"<div>one {element}two<b>three</b>{element}four</div>") == "one twothreefour"


@pytest.mark.parametrize("element", ["<i></i>", "<img src=a>", "<script>x</script>", "<button>x</button>"])
def test_words_on_either_side_of_what_is_cut_stay_apart(element: str) -> None:
    assert text_of(f"<p>Board <b>votes</b>{element} <b>to</b>{element} <b>dredge</b></p>") == (
        "Board votes to dredge"
    )


def test_a_line_between_two_menus_stays() -> None:
    menu = "<nav><a href=/>Home</a></nav>"
    assert text_of(f"<div>{menu}The quay is open.{menu}</div>") == "The quay is open."


def test_empty_elements_go_with_those_around_them() -> None:
    found = cut("<div><section><span> </span><i></i></section></div><p>Open.</p>")
    assert [element.tag for element in found.iter()] == ["html", "body", "p"]


def test_line_breaks_and_the_empty_cells_of_a_table_stay() -> None:
    table = "<table><tr><th></th><th>Tons</th></tr><tr><td>Cod</td><td></td></tr></table>"
    found = cut(f"<p>one<br>two</p>{table}")
    assert [len(row) for row in found.iter("tr")] == [2, 2]
    assert len(found.findall(".//br")) == 1


def test_an_image_does_not_hold_its_figure_and_a_caption_does() -> None:
    found = cut("<figure><img src=a></figure><figure><img src=b><figcaption>The quay.</figcaption></figure>")
    assert [figure.text_content() for figure in found.iter("figure")] == ["The quay."]


def test_the_tree_of_the_page_is_not_changed() -> None:
    root = parse(PAGE)
    before = copy.deepcopy(root)
    cut_tree(root)
    assert etree.tostring(root) == etree.tostring(before)


def test_all_elements_are_those_that_trafilatura_needs() -> None:
    root = parse(PAGE.replace("<html>", "<html lang=en>"))
    found = cut_tree(root)
    assert found.get("lang") == "en"
    assert all(isinstance(element, lxml.html.HtmlElement) for element in found.iter())
    assert {"html", "body", "article", "p", "h1"} <= {element.tag for element in found.iter()}


def test_a_page_of_nothing_but_what_is_cut_is_empty() -> None:
    assert text_of("<script>x</script><nav>Home</nav><img src=a>") == ""


_TEXT = st.sampled_from(("", " ", "a", "b ", " c", " d e "))


def _nested(*tags: str) -> st.SearchStrategy[str]:
    """Texts in these elements, some of them empty, however deep."""
    return st.recursive(
        _TEXT,
        lambda inner: st.builds(
            "<{0}>{1}</{0}>{2}".format,
            st.sampled_from(tags),
            st.lists(inner, max_size=4).map("".join),
            _TEXT,
        ),
        max_leaves=25,
    )


@given(_nested("div", "p", "section", "table", "td", "span"))
def test_no_other_text_is_lost_or_moved(body: str) -> None:
    root = parse(f"<html><body>first {body}</body></html>")
    assert "".join("".join(cut_tree(root).itertext()).split()) == "".join("".join(root.itertext()).split())


_LINES = st.lists(
    st.builds(
        "<{0}>{1}</{0}>{2}".format,
        st.sampled_from(["span", "b", "i", "a"]),
        _TEXT,
        st.sampled_from([" ", "c"]),
    ),
    max_size=6,
)


@given(_LINES)
def test_the_words_of_a_line_are_not_run_together(parts: list[str]) -> None:
    root = parse(f"<html><body><p>first {''.join(parts)}</p></body></html>")
    assert "".join(cut_tree(root).itertext()).split() == "".join(root.itertext()).split()
