"""The article within a page: which blocks are the story.

`html` reads a page: candidates, rules, model, refusal. `plain_text` does the same for copied text, where
lines stand in for markup. `model` holds the trained block model.
"""

from pipeline.extract.html import (
    OpenPage,
    Reading,
    article_lines,
    extract_page,
    first_readings,
    open_page,
    parse,
)
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
