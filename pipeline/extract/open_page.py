"""Opens a page: its tree, its blocks, and what it states about its article."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.document import DocumentRejected, Reason, Stage
from pipeline.extract.parse import parse
from pipeline.extract.script_story import story_from_scripts
from pipeline.metadata import Metadata, read_metadata
from pipeline.page import Page, segment_page
from pipeline.settings import Settings

# Lines around the headline in which a date or a byline may stand.
_LINES_BELOW, _LINES_ABOVE = 12, 6


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page before its article is looked for. It holds an lxml tree and never leaves its process.

    root: the root element. page: all blocks that the page shows. about: what the page states.
    """

    root: Any
    page: Page
    about: Metadata


def open_page(html: str, url: str, fetched_at: datetime, settings: Settings) -> OpenPage:
    """Parses a page and cuts it into blocks.

    html: decoded, without NUL characters. url: where it was fetched, for relative links and the date in it.
    fetched_at: aware UTC; nothing is published later.

    Raises DocumentRejected where the page is too large or shows no text.
    """
    if len(html) > settings.max_body_bytes:
        raise DocumentRejected(Stage.EXTRACT, Reason.TOO_LARGE, f"{len(html)} characters")
    root = parse(html)
    page = segment_page(root)
    about = read_metadata(root, url, fetched_at, _lines_by_headline(page))
    story = story_from_scripts(root, page, about)
    if story is not None:
        root, page = story, segment_page(story)
    if not page.blocks:
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "the page shows no text")
    return OpenPage(root, page, about)


def _lines_by_headline(page: Page) -> list[str]:
    """The lines below the headline, then those above it."""
    headline = next((i for i, block in enumerate(page.blocks) if block.tag == "h1"), 0)
    below = page.blocks[headline : headline + _LINES_BELOW]
    above = page.blocks[max(0, headline - _LINES_ABOVE) : headline]
    return [block.text for block in [*below, *above] if block.link_density < 0.5]
