"""Reads the pages and texts of this repository, for measurements without a corpus."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

from pipeline.document import Document, MediaType, Origin

ROOT = Path(__file__).parents[1]
# A time after all of them were written.
FETCHED_AT = datetime(2026, 12, 31, tzinfo=UTC)


def as_document(body: bytes, url: str) -> Document:
    return Document(url, url, body, MediaType.HTML, FETCHED_AT, Origin.FILE)


def article_pages() -> list[Document]:
    """The pages of articles among the tests' pages, in order of name."""
    found = []
    for path in sorted((ROOT / "tests" / "pages" / "articles").glob("*.html*")):
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found.append(as_document(body, f"https://page.example/{path.stem}"))
    return found


def stories() -> list[str]:
    """The texts of the invented news, in order of name."""
    return [path.read_text("utf-8") for path in sorted((ROOT / "examples" / "stories").glob("*.txt"))]
