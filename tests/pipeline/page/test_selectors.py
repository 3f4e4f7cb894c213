"""Selectors find what cssselect and libxml2 find, and a hostile page does not make them slow."""

from __future__ import annotations

import lxml.html
import pytest
from cssselect import HTMLTranslator
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline.page.selectors import check_selector, find_by_selector

_CLASSES = ("a", "b", "c")


def trees() -> st.SearchStrategy[str]:
    """Bodies of nested elements with a class or two."""
    opening = st.tuples(st.sampled_from(("div", "section")), st.sampled_from(_CLASSES))
    leaf = st.tuples(st.sampled_from(("p", "h2")), st.sampled_from(_CLASSES)).map(
        lambda pair: f"<{pair[0]} class='{pair[1]}'>text</{pair[0]}>"
    )
    return st.recursive(
        leaf,
        lambda inner: st.tuples(opening, st.lists(inner, max_size=4)).map(
            lambda pair: f"<{pair[0][0]} class='x {pair[0][1]}'>{''.join(pair[1])}</{pair[0][0]}>"
        ),
        max_leaves=20,
    )


compounds = st.sampled_from(("p", "div", ".a", ".b", "div.c", "section", "h2:first-child", "*", ".x:not(.a)"))


@given(
    body=st.lists(trees(), min_size=1, max_size=4).map("".join),
    parts=st.lists(st.tuples(st.sampled_from((" ", " > ", " + ", " ~ ", ", ")), compounds), max_size=3),
    first=compounds,
)
def test_selectors_agree_with_the_library(body: str, parts: list[tuple[str, str]], first: str) -> None:
    css = first + "".join(combinator + compound for combinator, compound in parts)
    root = lxml.html.document_fromstring(f"<html><body>{body}</body></html>")
    expected = [
        element
        for element in etree.XPath(HTMLTranslator().css_to_xpath(css))(root)
        if element.tag not in ("html", "body")
    ]
    assert find_by_selector(root, css) == [element for element in root.iter() if element in set(expected)]


def test_the_frame_of_a_page_is_never_found() -> None:
    head = "<head class='x'><title class='x'>t</title></head>"
    root = lxml.html.document_fromstring(f"<html class='x'>{head}<body class='x'><p class='x'>t</p></body>")
    assert [element.tag for element in find_by_selector(root, ".x")] == ["p"]


@pytest.mark.parametrize(
    ("css", "count"),
    [
        ("p ~ p ~ p", 19_998),
        ("p + p + p", 19_998),
        ("div div div div p", 20_000),
        ("* * * * * * * *", 20_195),
    ],
)
def test_thousands_of_siblings_in_hundreds_of_boxes_are_searched(css: str, count: int) -> None:
    """libxml2 takes minutes for this, and the test would not end."""
    body = "<div>" * 200 + "<p>text</p>" * 20_000 + "</div>" * 200
    parser = lxml.html.HTMLParser(huge_tree=True)
    root = lxml.html.document_fromstring(f"<html><body>{body}</body></html>", parser=parser)
    assert len(find_by_selector(root, css)) == count


@pytest.mark.parametrize(
    ("css", "message"),
    [
        ("", "is no CSS selector"),
        ("  ", "is no CSS selector"),
        ("aside[", "is no CSS selector"),
        ("p, ,q", "is no CSS selector"),
        ("//div", "is no CSS selector"),
        ("p::text", "is no CSS selector"),
        ("p:nonsense", "is no CSS selector"),
        ("x|p", "is no CSS selector"),
        ("p:nth-child(x)", "is no CSS selector"),
        ("((((", "is no CSS selector"),
        ("*", "matches every page as a whole"),
        ("body", "matches every page as a whole"),
        ("div, :root", "matches every page as a whole"),
        (":not(.story)", "matches every page as a whole"),
        ("a b c d e f g h i", "has more than 8 parts"),
        ("a" * 301, "is no selector of at most 300"),
        ("a\nb", "is no selector of at most 300"),
        ("a\0b", "is no selector of at most 300"),
    ],
)
def test_an_invalid_selector_is_refused_with_a_remedy(css: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        check_selector(css)
    assert "; " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@given(st.text(max_size=40))
def test_any_text_is_accepted_or_refused(css: str) -> None:
    try:
        check_selector(css)
    except ValueError:
        return
    root = lxml.html.document_fromstring("<html><body><div class='a'><p>t</p></div></body></html>")
    assert not {"html", "head", "body"} & {element.tag for element in find_by_selector(root, css)}
