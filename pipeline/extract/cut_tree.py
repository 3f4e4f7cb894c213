"""Cuts out of a page what no article is in, so that Trafilatura has less to read.

Scripts, menus, footers, forms, lists of links, images, and elements without text are half of a page's
elements, and Trafilatura looks at every element many times. docs/tuning.md: cut_tree
"""

from __future__ import annotations

import copy
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
# A list is one of links if it has so many and they hold this share of its text.
_FEWEST_LINKS = 3
_LINKED = 0.95
# Without text they still part lines or hold a place in a table.
_EMPTY_BUT_NEEDED = frozenset(("br", "html", "body", "p", "td", "th"))

_text_of = etree.XPath("string()", smart_strings=False)
_links_in = etree.XPath(".//a")
# Trafilatura needs elements of this parser.
_new_element = lxml.html.HTMLParser(**PARSER_OPTIONS).makeelement


def cut_tree(root: Any) -> lxml.html.HtmlElement:
    """A copy of the page, in elements of lxml.html, without what holds no article.

    root: as `parse` gives it. It is not changed.
    """
    tree = copy.deepcopy(root)
    etree.strip_elements(tree, *_UNSHOWN, with_tail=False)
    _cut_boxes(tree)
    _cut_lists_of_links(tree)
    _cut_empty_elements(tree)
    # Nodes that move into a different document get that document's classes of elements.
    cut = _new_element(tree.tag)
    cut.attrib.update(tree.attrib)
    cut.text = tree.text
    cut.extend(list(tree))
    return cut


def _cut_boxes(tree: Any) -> None:
    most: float | None = None
    for box in [*tree.iter(*_BOXES)]:
        if box.getparent() is None:
            continue
        if next(box.iter(*_STORY), None) is not None:
            if most is None:
                most = _MOST_IN_BOX * len(_text_of(tree))
            if box.tag == "button" or len(_text_of(box)) > most:
                continue
        _cut(box)


def _cut_lists_of_links(tree: Any) -> None:
    """Cuts the lists of links that stand outside <article> and <main>."""
    for items in [*tree.iter("ul", "ol")]:
        links = _links_in(items)
        if len(links) < _FEWEST_LINKS or next(items.iterancestors("article", "main"), None) is not None:
            continue
        chars = _chars(items)
        if chars and sum(map(_chars, links)) >= _LINKED * chars:
            _cut(items)


def _chars(element: Any) -> int:
    return len("".join(_text_of(element).split()))


def _cut_empty_elements(tree: Any) -> None:
    """Cuts elements without text. Backwards, so that an element is empty once all in it is cut."""
    for element in [*tree.iter()][::-1]:
        if len(element) == 0 and element.tag not in _EMPTY_BUT_NEEDED:
            text = element.text or ""
            if not text or text.isspace():
                _cut(element, text)


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
