"""Extracts the article of a page: which of its blocks are the story.

`html` is the recipe for a page. `open_page` parses it and cuts it into blocks. One of the `extractors` finds
the article: `candidates` holds what Trafilatura (`trafilatura_adapter`, on a tree from which `cut_tree` cut
the menus) and the regions of prose have taken, with what `repair` adds; the rules of `structure` and the
trained block `model` judge it. `refuse` rejects pages that are no articles. `plain_text` is the recipe for
copied text, which has lines in place of markup.
"""

from typing import TYPE_CHECKING

from pipeline.extract.choice import Choice
from pipeline.extract.extractors import EXTRACTORS
from pipeline.extract.html import extract_page, find_articles
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.extract.parse import parse

if TYPE_CHECKING:
    from pipeline.extract.plain_text import extract_text

__all__ = [
    "EXTRACTORS",
    "Choice",
    "OpenPage",
    "extract_page",
    "extract_text",
    "find_articles",
    "open_page",
    "parse",
]


def __getattr__(name: str) -> object:
    """Import plain_text when it is first used: pages do not need ftfy."""
    if name == "extract_text":
        from pipeline.extract import plain_text

        return plain_text.extract_text
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
