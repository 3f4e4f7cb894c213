"""Extracts the article of a page: which of its blocks are the story.

`html` is the recipe for a page. `open_page` parses it and cuts it into blocks; `candidates` finds what may be
the article, and `repair` completes it; `choose` asks the rules of `structure` and the trained block `model`;
`refuse` rejects pages that are no articles. `plain_text` is the recipe for copied text, which has lines in
place of markup.
"""

from typing import TYPE_CHECKING

from pipeline.extract.choose import Choice
from pipeline.extract.html import extract_page, first_choices
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.extract.parse import parse
from pipeline.extract.trafilatura_adapter import article_lines

if TYPE_CHECKING:
    from pipeline.extract.plain_text import extract_text

__all__ = [
    "Choice",
    "OpenPage",
    "article_lines",
    "extract_page",
    "extract_text",
    "first_choices",
    "open_page",
    "parse",
]


def __getattr__(name: str) -> object:
    """Import plain_text when it is first used: pages do not need ftfy."""
    if name == "extract_text":
        from pipeline.extract import plain_text

        return plain_text.extract_text
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
