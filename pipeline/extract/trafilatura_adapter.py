"""Asks Trafilatura for the article of a page. No other module imports Trafilatura."""

from __future__ import annotations

import itertools
import logging
from typing import Any

from pipeline.extract.cut_tree import cut_tree
from pipeline.page import is_layout_row
from pipeline.text import RUN

# Trafilatura logs every page without an article; a rejection says the same with a reason.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

# Trafilatura's caches grow with every page. They are emptied each time it has read this many.
_PAGES_BETWEEN_RESETS = 200
_pages_read = itertools.count(1)
# A line with bars that is longer than this, and longer than half of the text, is a layout table.
_TABLE_LINE_CHARS = 600


class TrafilaturaFailed(Exception):
    """Trafilatura raised an error on a page."""


def article_lines(root: Any) -> list[str]:
    """The text that Trafilatura takes for the article, line by line; empty where it finds none.

    root: of the page, as `parse` gives it. The tree is not changed. Trafilatura reads it without menus, lists
    of links and the like (`cut_tree`), in its fast mode, which asks no further extractors.

    Raises TrafilaturaFailed where Trafilatura raises an error.
    """
    if next(_pages_read) % _PAGES_BETWEEN_RESETS == 0:
        from trafilatura.meta import reset_caches

        reset_caches()
    lines = _lines(cut_tree(root))
    whole = sum(map(len, lines))
    if any("|" in line and len(line) > max(_TABLE_LINE_CHARS, whole / 2) for line in lines):
        # A table that lays out the page came back as one line, menu and story between bars.
        lines = _lines(_without_layout_tables(cut_tree(root)))
    return lines


def _lines(root: Any) -> list[str]:
    # Imported here, because the import takes a quarter of a second and not every process reads pages.
    import trafilatura

    try:
        # Not `deduplicate`: it would empty the fourth copy of a wire story.
        found = trafilatura.bare_extraction(root, include_comments=False, with_metadata=False, fast=True)
    except Exception as error:
        raise TrafilaturaFailed(f"{type(error).__name__}: {error}") from error
    text = getattr(found, "text", None) or ""
    return [line for line in str(text).splitlines() if RUN.search(line)]


def _without_layout_tables(root: Any) -> Any:
    """The tree with tables that only place boxes made into plain containers."""
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
