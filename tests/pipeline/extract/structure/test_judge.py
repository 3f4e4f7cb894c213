"""The rules of structure in order: titles, captions, containers, and what stays."""

from __future__ import annotations

import pytest

from pipeline.extract.structure import Judged, judge_passages
from pipeline.page import Passage
from tests.pipeline.extract.pages import PAGE, STORY, about_of, page_of


def judged_blocks(html: str) -> list[Judged]:
    """What the rules say of every block of a page."""
    page = page_of(html)
    passages = [Passage(index, block.text, float(index)) for index, block in enumerate(page.blocks)]
    judged = judge_passages(page, passages, about_of(html))
    assert [one.passage for one in judged] == passages
    return judged


def rules(html: str) -> dict[str, str | None]:
    """The rule of every block of a page."""
    return {passage.text: rule for passage, rule, _ in judged_blocks(html)}


def vetoes(html: str) -> dict[str, bool]:
    """Whether the rule of a block decides, of every block that a rule is against."""
    return {passage.text: is_veto for passage, rule, is_veto in judged_blocks(html) if rule is not None}


def page(part: str) -> str:
    story = "".join(f"<p>{text}</p>" for text in STORY)
    return f"<main><h1>Board votes to dredge</h1>{story}{part}</main>"


def test_the_story_stays_and_what_surrounds_it_goes() -> None:
    found = rules(PAGE)
    assert [found[text] for text in STORY] == [None] * len(STORY)
    assert found["Board votes to dredge eastern channel"] == "structure.title"
    assert found["Sign up for our newsletter and never miss a tide."] == "structure.newsletter"
    assert found["© The Channel Courier. All rights reserved."] == "structure.footer"
    assert found["More stories"] == "structure.related"


@pytest.mark.parametrize(
    ("part", "text", "rule"),
    [
        ("<figure><figcaption>The quay on Tuesday.</figcaption></figure>", "The quay on Tuesday.", "caption"),
        ("<img src=a alt='Divers on the quay'><p>Divers on the quay</p>", "Divers on the quay", "caption"),
        ("<form><p>Your name and town</p></form>", "Your name and town", "form"),
        ("<div class=share-bar><p>Pass it on</p></div>", "Pass it on", "share"),
        ("<div class=share-bar><div><p>Pass it on</p></div></div>", "Pass it on", "share"),
        ("<p><span class=author>Per Holm</span></p>", "Per Holm", "author"),
        ("<p class=date>3 March 2026</p>", "3 March 2026", "dateline"),
    ],
)
def test_a_passage_goes_for_what_stands_around_it(part: str, text: str, rule: str) -> None:
    assert rules(page(part))[text] == f"structure.{rule}"


def test_a_container_with_much_of_the_story_is_a_part_of_it_whatever_its_name() -> None:
    story = "".join(f"<p>{text}</p>" for text in STORY)
    found = rules(f"<main><p>{STORY[0]} Once.</p><div class=social>{story}</div></main>")
    assert set(found.values()) == {None}


def test_a_date_within_the_story_stays() -> None:
    html = page("").replace(f"<p>{STORY[2]}", f"<p class=date>On 3 March 2026</p><p>{STORY[2]}")
    assert rules(html)["On 3 March 2026"] is None


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("", "Board votes to dredge"),
        (f"<p>{STORY[1]}</p><p>Read on.</p>", STORY[1]),
        ("<figure><figcaption>The quay on Tuesday.</figcaption></figure>", "The quay on Tuesday."),
        ("<img src=a alt='Divers on the quay'><p>Divers on the quay</p>", "Divers on the quay"),
        (
            "<ul><li><a href=/8>Second chain in a week found in the fairway</a></li>"
            "<li><a href=/9>Ferry line buys soup for six hundred passengers</a></li></ul>",
            "Ferry line buys soup for six hundred passengers",
        ),
    ],
)
def test_what_a_passage_is_decides(part: str, text: str) -> None:
    judged = [one for one in judged_blocks(page(part)) if one.passage.text.startswith(text) and one.rule]
    assert [one.is_veto for one in judged] == [True]


@pytest.mark.parametrize("name", ["related", "share-bar", "newsletter", "comments", "promo", "author"])
def test_the_name_of_a_container_does_not_decide(name: str) -> None:
    assert vetoes(page(f"<div class={name}><p>Pass it on</p></div>"))["Pass it on"] is False


def test_a_further_article_decides_and_a_linked_line_does_not() -> None:
    line = "Why the ferry line lost three of its five ships"
    judged = judged_blocks(page(f"<p><a href=/7>{line}</a></p><p>The end of it.</p>"))
    assert [one[1:] for one in judged if one.passage.text == line] == [("structure.linked-line", False)]
    other = "".join(f"<p>The tram will run all night, said member {n} of the council.</p>" for n in range(3))
    story = "".join(f"<p>{text}</p>" for text in STORY)
    judged = judged_blocks(
        f"<main><article><h1>Board votes to dredge</h1>{story}</article>"
        f"<article><h2><a href=/tram>Tram runs all night</a></h2>{other}</article></main>"
    )
    found = {one[1:] for one in judged if "tram will run" in one.passage.text}
    assert found == {("structure.next-article", True)}


def test_the_tag_of_a_container_does_not_decide() -> None:
    found = vetoes(page("<form><p>Your name</p></form><nav><p>All our pages</p></nav>"))
    assert (found["Your name"], found["All our pages"]) == (False, False)


def test_text_that_is_not_in_the_page_stays() -> None:
    nowhere = Passage(None, "A line from nowhere.", 0.5)
    assert judge_passages(page_of(PAGE), [nowhere], about_of(PAGE)) == [Judged(nowhere, None)]
