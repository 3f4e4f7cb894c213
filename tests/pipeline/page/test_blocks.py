"""Cutting pages into blocks."""

from __future__ import annotations

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import BlockKind
from pipeline.page.blocks import (
    MAX_BLOCKS,
    Page,
    common_container,
    segment_page,
    segment_with_places,
)


def cut(body: str) -> Page:
    parser = lxml.html.HTMLParser(huge_tree=True)
    return segment_page(lxml.html.document_fromstring(f"<html><body>{body}</body></html>", parser=parser))


def texts(body: str) -> list[str]:
    return [block.text for block in cut(body).blocks]


def test_text_is_cut_at_block_elements_and_double_breaks() -> None:
    body = "<div>One <b>bold</b> line<p>Two</p>three<br><br>four<br>five</div>"
    assert texts(body) == ["One bold line", "Two", "three", "four five"]


def test_one_break_after_a_long_sentence_ends_a_paragraph() -> None:
    first = (
        "The committee met on Monday evening, and in the end, after midnight, it agreed on none of it at all."
    )
    assert texts(f"<div>{first}<br>Then it went home.</div>") == [first, "Then it went home."]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<h2>x</h2>", BlockKind.HEADING),
        ("<p>x</p>", BlockKind.PARAGRAPH),
        ("x", BlockKind.PARAGRAPH),
        ("<ul><li>x</li></ul>", BlockKind.LIST_ITEM),
        ("<ul><li><p>x</p></li></ul>", BlockKind.LIST_ITEM),
        ("<blockquote><p>x</p></blockquote>", BlockKind.QUOTE),
        ("<figure><figcaption>x</figcaption></figure>", BlockKind.CAPTION),
        ("<table><tr><td>x</td><td>y</td></tr></table>", BlockKind.TABLE_ROW),
    ],
)
def test_kinds(body: str, kind: BlockKind) -> None:
    assert cut(body).blocks[0].kind is kind


def test_cells_of_a_row_are_joined_and_cells_of_a_layout_are_not() -> None:
    assert texts("<table><tr><th>Club</th><td>12</td></tr></table>") == ["Club 12"]
    assert texts("<table><tr><td><p>Menu</p></td><td><p>Story</p></td></tr></table>") == ["Menu", "Story"]


def test_link_density_is_the_share_of_characters_in_links() -> None:
    half, whole, none = cut("<p>ab <a href=x>cd</a></p><p><a href=x>abcd</a></p><p>abcd</p>").blocks
    assert half.link_density == pytest.approx(2 / 5)
    assert whole.link_density == 1.0
    assert none.link_density == 0.0


def test_scripts_and_controls_are_not_text_but_what_follows_them_is() -> None:
    assert texts("<p>a<script>x()</script>b<select><option>c</select>d</p>") == ["abd"]


def test_tokens_come_from_the_element_and_its_containers_below_the_given_one() -> None:
    page = cut(
        '<div class="Page"><div class="Story Wide"><p id=lead itemprop=description>Text</p></div></div>'
    )
    story = next(n for n, tokens in enumerate(page.containers.tokens) if "story" in tokens)
    assert page.block(0, story).tokens == {"lead", "description"}
    assert page.block(0).tokens == {"lead", "description", "story", "wide", "page"}
    assert page.block(0).tags[:3] == ("p", "div", "div")


def test_tokens_of_an_inline_element_count_where_it_holds_the_whole_block() -> None:
    whole, part = cut(
        '<p><span class="credit">Photo: A. Bee</span></p><p>A <i class="x">b</i> c d e</p>'
    ).blocks
    assert whole.inline_tokens == {"credit"}
    assert part.inline_tokens == set()


def test_hidden_elements_say_so() -> None:
    page = cut('<p style="display: none">a</p><p aria-hidden=true>b</p><p hidden>c</p><p>d</p>')
    assert ["hidden" in page.block(n).tokens for n in range(4)] == [True, True, True, False]


def test_alt_texts_are_folded() -> None:
    assert cut('<img alt="A  Boat, at sea."><p>x</p>').alt_texts == {"a boat at sea"}


def test_containers_know_what_they_hold() -> None:
    page = cut("<main><p>" + "word " * 20 + "</p><p><a>link</a></p></main><footer><p>foot</p></footer>")
    found = page.containers
    held = {tag: places for tag, *places in zip(found.tag, found.first, found.end, strict=True)}
    assert (held["main"], held["footer"], held["body"]) == ([0, 2], [2, 3], [0, 3])
    assert [block.is_prose for block in page.blocks] == [True, False, False]


def test_an_element_that_holds_no_block_is_no_container() -> None:
    page = cut(
        "<div id=a><div id=b><img></div><p id=c>one</p><p id=d> </p><p id=e>&mdash;</p></div><ul><li>two</ul>"
    )
    containers = page.containers
    assert [(tag, *tokens) for tag, tokens in zip(containers.tag, containers.tokens, strict=True)] == [
        ("html",),
        ("html",),
        ("body",),
        ("div", "a"),
        ("p", "c"),
        ("ul",),
        ("li",),
    ]
    assert [page.path(block.container) for block in page.blocks] == [(4, 3, 2, 1, 0), (6, 5, 2, 1, 0)]
    assert containers.depth == [0, 1, 2, 3, 4, 3, 4]


def test_the_common_container_is_the_innermost_that_holds_most() -> None:
    body = "<div id=a><div id=b><p>" + "x" * 90 + "</p><p>" + "y" * 90 + "</p></div><p>zz</p></div>"
    page = cut(body)
    assert "b" in page.containers.tokens[common_container(page, [0, 1, 2])]
    assert common_container(page, []) == 0


def test_work_on_an_endless_page_is_bounded() -> None:
    assert len(cut("<p>a b c</p>" * (MAX_BLOCKS + 500)).blocks) <= MAX_BLOCKS + 1


def test_deep_nesting_keeps_the_text() -> None:
    assert "deep" in texts("<div>" * 600 + "deep" + "</div>" * 600 + "<p>after</p>")


_TAGS = st.sampled_from(["p", "div", "br", "li", "td", "tr", "table", "a", "b", "h2", "figcaption", "script"])


@given(
    st.lists(
        st.one_of(_TAGS.map("<{}>".format), _TAGS.map("</{}>".format), st.text(max_size=12)), max_size=40
    )
)
def test_any_soup_of_tags_is_cut_without_error_and_no_block_is_empty(parts: list[str]) -> None:
    soup = "".join(part.replace("\x00", "") for part in parts)
    page = cut("<p>x</p>" + soup.encode("utf-8", "replace").decode())
    for number, block in enumerate(page.blocks):
        assert block.text == " ".join(block.text.split()) != ""
        assert 0.0 <= block.link_density <= 1.0
        assert page.block(number).text == block.text


def test_menus_are_skipped_unless_the_story_is_in_them() -> None:
    page = cut("<nav><ul><li><a href=/s>Sport</a></li></ul></nav><p>The ferry sails again.</p>")
    assert [block.text for block in page.blocks] == ["The ferry sails again."]
    page = cut("<nav><a href=/s>Sport</a><p>It left at noon.</p></nav><p>The ferry sails again.</p>")
    assert [block.text for block in page.blocks] == ["Sport", "It left at noon.", "The ferry sails again."]


def test_a_button_that_is_never_closed_does_not_hide_the_page() -> None:
    page = cut("<button><span>Menu</span><main><p>The ferry sails again.</p></main>")
    assert "The ferry sails again." in [block.text for block in page.blocks]
    page = cut("<button>Share this</button><p>The ferry sails again.</p>")
    assert [block.text for block in page.blocks] == ["The ferry sails again."]


LINKS = """<ul class=menu>
<li><a href=/1>One</a></li> <li><a href=/2><b>Two</b> of  three</a></li> <li><a><img></a></li>
</ul>"""


def test_a_list_of_links_is_one_block_except_in_the_story() -> None:
    (block,) = cut(f"<div>{LINKS}</div>").blocks
    assert (block.kind, block.tag, block.text) == (BlockKind.LIST_ITEM, "ul", "One · Two of three")
    assert (block.links, block.link_density) == (2, 1.0)
    assert cut(f"<div>{LINKS}</div>").block(0).tokens == {"menu"}
    assert texts(f"<p>before</p>{LINKS}after") == ["before", "One · Two of three", "after"]
    assert texts(f"<article>{LINKS}</article>") == ["One", "Two of three"]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("<li><a>One</a></li><li><a>Two</a>, too</li>", ["One", "Two, too"]),
        ("<li><a>One</a></li><li><p>Two</p></li>", ["One", "Two"]),
        ("<li><a>One</a></li>", ["One"]),
        ("<li><a>One</a></li><li><a>Two<script>x()</script></a></li>", ["One", "Two"]),
        ("<li><a><img></a></li><li><a> </a></li>", []),
    ],
)
def test_any_other_list_is_read_item_by_item(items: str, expected: list[str]) -> None:
    assert texts(f"<ol>{items}</ol>") == expected


def test_a_marked_item_of_a_list_of_links_comes_before_the_list() -> None:
    root = lxml.html.document_fromstring(f"<div><p>a</p>{LINKS}<p>b</p></div>")
    page, places = segment_with_places(root, list(root.iter("li")))
    assert [block.text for block in page.blocks] == ["a", "One · Two of three", "b"]
    assert set(places.values()) == {1}
    assert len(places) == 3
