"""Asks Trafilatura for the article of a page. No other module imports Trafilatura."""

from __future__ import annotations

import copy
import itertools
import logging
from typing import Any

import lxml.html
from lxml import etree

from pipeline.extract.parse import PARSER_OPTIONS
from pipeline.page import is_layout_row
from pipeline.text import RUN

# Trafilatura logs every page without an article; a rejection says the same with a reason.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

# Trafilatura's caches grow with every page. They are emptied each time it has read this many.
_PAGES_BETWEEN_RESETS = 200
_pages_read = itertools.count(1)
# A line with bars that is longer than this, and longer than half of the text, is a layout table.
_TABLE_LINE_CHARS = 600


def article_lines(root: Any) -> list[str]:
    """The text that Trafilatura takes for the article, line by line; empty where it finds none.

    root: of the page, as `parse` gives it. The tree is not changed.
    """
    if next(_pages_read) % _PAGES_BETWEEN_RESETS == 0:
        from trafilatura.meta import reset_caches

        reset_caches()
    root = _as_html_elements(root)
    lines = _lines(root)
    whole = sum(map(len, lines))
    if any("|" in line and len(line) > max(_TABLE_LINE_CHARS, whole / 2) for line in lines):
        # A table that lays out the page came back as one line, menu and story between bars.
        lines = _lines(_without_layout_tables(root))
    return lines


def _as_html_elements(root: Any) -> Any:
    """A copy of the tree in elements of lxml.html, which Trafilatura needs."""
    page = etree.tostring(root, encoding="utf-8", method="html")
    return etree.fromstring(page, lxml.html.HTMLParser(**PARSER_OPTIONS))


def _lines(root: Any) -> list[str]:
    # Imported here: few pages need it, and the import takes a quarter of a second.
    import trafilatura

    try:
        # Not `deduplicate`: it would empty the fourth copy of a wire story.
        found = trafilatura.bare_extraction(root, include_comments=False, with_metadata=False, fast=True)
    except Exception:  # A page that breaks Trafilatura is judged without it.
        found = None
    text = getattr(found, "text", None) or ""
    return [line for line in str(text).splitlines() if RUN.search(line)]


def _without_layout_tables(root: Any) -> Any:
    """A copy of the tree in which tables that only place boxes are plain containers."""
    root = copy.deepcopy(root)
    parts: list[Any] = []
    for table in root.iter("table"):
        own = [
            part
            for part in table.iter("tbody", "thead", "tfoot", "tr", "td", "th")
            if next(part.iterancestors("table"), None) is table
        ]
        if any(part.tag == "tr" and is_layout_row(part) for part in own):
            parts += [table, *own]
    for part in parts:
        part.tag = "div"
    return root
