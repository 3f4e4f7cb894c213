"""The article within a page: which blocks are the story.

`html` reads a page: candidates, rules, model, refusal. `plain_text` does the same for copied text, where
lines stand in for markup. `model` holds the trained block model.
"""

from typing import TYPE_CHECKING

from pipeline.extract.html import (
    OpenPage,
    Reading,
    article_lines,
    extract_page,
    first_readings,
    open_page,
    parse,
)

if TYPE_CHECKING:
    from pipeline.extract.plain_text import extract_text

__all__ = [
    "OpenPage",
    "Reading",
    "article_lines",
    "extract_page",
    "extract_text",
    "first_readings",
    "open_page",
    "parse",
]


def __getattr__(name: str) -> object:
    """Import plain_text when it is first asked for: ftfy, which it needs, is of no use to a page."""
    if name == "extract_text":
        from pipeline.extract import plain_text

        return plain_text.extract_text
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
