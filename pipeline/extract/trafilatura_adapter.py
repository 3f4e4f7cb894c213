"""Asks Trafilatura for the article of a page. No other module imports Trafilatura."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec, module_from_spec
from typing import Any

from lxml import etree

from pipeline.extract.attribute_tests import attribute_test
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
# Trafilatura measures a page with a blank before and after each element.
_MOST_BLANKS = 2

_elements_in = etree.XPath("count(.//*)")


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
    lines = _lines(root)
    whole = sum(map(len, lines))
    if any("|" in line and len(line) > max(_TABLE_LINE_CHARS, whole / 2) for line in lines):
        # A table that lays out the page came back as one line, menu and story between bars.
        lines = _lines(root, _without_layout_tables)
    return lines


def _lines(root: Any, change: Callable[[Any], Any] = lambda tree: tree) -> list[str]:
    text = _text_in_one_pass(change(cut_tree(root)))
    if text is None:
        text = _text(change(cut_tree(root)))
    return [line for line in text.splitlines() if RUN.search(line)]


def _text(tree: Any) -> str:
    """The text that Trafilatura gives, with all its further attempts."""
    # Imported here, because the import takes a quarter of a second and not every process reads pages.
    import trafilatura

    try:
        # Not `deduplicate`: it would empty the fourth copy of a wire story.
        found = trafilatura.bare_extraction(tree, include_comments=False, with_metadata=False, fast=True)
    except Exception as error:
        raise TrafilaturaFailed(f"{type(error).__name__}: {error}") from error
    return str(getattr(found, "text", None) or "")


def _text_in_one_pass(tree: Any) -> str | None:
    """What `_text` gives, where Trafilatura's first attempt stands; None where it would try more.

    The steps are those of `trafilatura.core.trafilatura_sequence`, without its copies of the tree, which is
    changed here. They are the same for all pages but those with little text. A release of Trafilatura that
    arranges its steps otherwise gives None for each page: the same texts, more slowly.
    """
    from trafilatura import core, htmlprocessing, xml

    try:
        options, main_extractor, pruned = _extractor()
        htmlprocessing.prune_unwanted_nodes(tree, pruned)
        on_page = len(" ".join(tree.text_content().split())) + _MOST_BLANKS * int(_elements_in(tree))
        tree = htmlprocessing.convert_tags(htmlprocessing.tree_cleaning(tree, options), options)
        body, text = main_extractor.extract_content(tree, options)
        if len(text) < max(options.min_extracted_size, 1):
            return None
        if len(text) < core.ESCALATION_MAX_LENGTH and len(text) < core.ESCALATION_PAGE_SHARE * on_page:
            return None
        return str(xml.xmltotxt(body, options.formatting))
    except Exception:
        return None


@cache
def _extractor() -> tuple[Any, Any, list[Any]]:
    """Trafilatura's options, its main extractor, and what it cuts out first.

    The extractor is a second instance of its module, which answers its expressions by `attribute_test`: the
    library that others in this process may use stays as it is.
    """
    from trafilatura import xpaths
    from trafilatura.settings import Extractor

    options = Extractor(output_format="python", fast=True, comments=False)
    found = find_spec("trafilatura.main_extractor")
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    for name in ("BODY_XPATH", "OVERALL_DISCARD_XPATH", "TEASER_DISCARD_XPATH", "DISCARD_IMAGE_ELEMENTS"):
        setattr(module, name, [attribute_test(expression) for expression in getattr(module, name)])
    pruned = [*xpaths.RAW_TREE_PRUNE_XPATH, *xpaths.REMOVE_COMMENTS_AND_LISTS_XPATH]
    return options, module, [attribute_test(expression) for expression in pruned]


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
