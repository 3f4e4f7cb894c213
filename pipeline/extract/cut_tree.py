"""Cuts out of a page what no article is in, so that Trafilatura has less to read.

Scripts, menus, footers, forms, boxes of links, images, and elements without text are half of a page's
elements, and Trafilatura looks at every element many times. docs/tuning.md: cut_tree
"""

from __future__ import annotations

import copy
import re
from typing import Any

import lxml.html
from lxml import etree

from pipeline.extract.parse import PARSER_OPTIONS

# They show no text of an article.
_UNSHOWN = (
    "head", "script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "canvas", "video",
    "audio", "select", "textarea", "input", "datalist", "link", "meta", "img", "picture", "source", "hr",
    "map", "area", "option", "optgroup", "label", "legend", "time", "math", "menuitem", "frame", "frameset",
)  # fmt: skip
_BOXES = ("nav", "footer", "form", "button", "aside", "dialog", "fieldset", "menu")
_STORY = ("p", "main", "article", "h1")
# A box that holds more than this share of the page's text was never closed, or is the whole page's form.
_MOST_IN_BOX = 0.25
# A box is one of links if it has so many and no word beside them, a list also if they hold this share of it.
_FEWEST_LINKS = 3
_WORD = re.compile(r"\w")
_LINKED = 0.95
# Without text they still part lines or hold a place in a table.
_EMPTY_BUT_NEEDED = frozenset(("br", "html", "body", "p", "td", "th"))

_links_in = etree.XPath(".//a")
_text_of = etree.XPath("string()", smart_strings=False)
# Trafilatura needs elements of this parser.
_new_element = lxml.html.HTMLParser(**PARSER_OPTIONS).makeelement


def cut_tree(root: Any) -> lxml.html.HtmlElement:
    """A copy of the page, in elements of lxml.html, without what holds no article.

    root: as `parse` gives it. It is not changed.
    """
    tree = copy.deepcopy(root)
    etree.strip_elements(tree, *_UNSHOWN, with_tail=False)
    _cut_boxes(tree)
    _cut_links_and_empty_elements(tree)
    _merge_wrappers(tree)
    # Nodes that move into a different document get that document's classes of elements.
    cut = _new_element(tree.tag)
    cut.attrib.update(tree.attrib)
    cut.text = tree.text
    cut.extend(list(tree))
    return cut


def _cut_boxes(tree: Any) -> None:
    holders: set[Any] = set()
    for part in tree.iter(*_STORY):
        for outer in part.iterancestors():
            if outer in holders:
                break
            holders.add(outer)
    most: float | None = None
    for box in [*tree.iter(*_BOXES)]:
        if box in holders:
            if most is None:
                most = _MOST_IN_BOX * len(_text_of(tree))
            if box.tag == "button" or len(_text_of(box)) > most:
                continue
        _cut(box)


def _cut_links_and_empty_elements(tree: Any) -> None:
    """Cuts elements without text, and the boxes of links that stand outside <article> and <main>."""
    plain: set[Any] = set()
    # Backwards, so that all in an element is known, and cut if it is empty, before the element itself.
    for element in [*tree.iter()][::-1]:
        text, tail = element.text, element.tail
        if tail and not tail.isspace() and _WORD.search(tail):
            plain.add(element.getparent())
        if text and not text.isspace():
            if element.tag != "a":
                plain.add(element)
                plain.add(element.getparent())
        elif len(element):
            if element in plain and element.tag != "a":
                plain.add(element.getparent())
        elif element.tag not in _EMPTY_BUT_NEEDED:
            _cut(element, text or "")
    for box in [*tree.iter("div", "section", "ul", "ol")]:
        links = _links_in(box) if box not in plain or box.tag in ("ul", "ol") else ()
        if len(links) < _FEWEST_LINKS or next(box.iterancestors("article", "main"), None) is not None:
            continue
        if box not in plain or sum(map(_chars, links)) >= _LINKED * _chars(box):
            _cut(box)


def _chars(element: Any) -> int:
    return len("".join(_text_of(element).split()))


def _merge_wrappers(tree: Any) -> None:
    """Makes one box of two where the outer one holds nothing but the inner one. It has the names of both."""
    for outer in [*tree.iter("div")]:
        above = outer.getparent()
        if len(outer) != 1 or outer[0].tag != "div" or above is None:
            continue
        inner = outer[0]
        if not _is_blank(outer.text) or not _is_blank(inner.tail):
            continue
        for name, value in outer.items():
            own = inner.get(name)
            inner.set(name, f"{value} {own}" if own else value)
        inner.tail = outer.tail
        above.replace(outer, inner)


def _is_blank(text: str | None) -> bool:
    return not text or text.isspace()


def _cut(element: Any, blank: str = "") -> None:
    """Removes an element, and keeps the text after it. blank: of the element itself, between two words."""
    above = element.getparent()
    if above is None:
        return
    tail = blank + (element.tail or "")
    if tail:
        # A line break between two boxes stays as a blank.
        tail = " " if tail.isspace() else tail
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + tail
        else:
            above.text = (above.text or "") + tail
    above.remove(element)
