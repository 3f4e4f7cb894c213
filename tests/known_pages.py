"""Pages with a known result: tests/pages and the examples, each as a Document with its expected result."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.files.paths import read_paths
from pipeline.document import Document, MediaType, Origin, Rejection
from pipeline.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "tests" / "pages"
EXAMPLES = ROOT / "examples"

# The pages are older than this, and nothing in a test may depend on the day it runs.
FETCHED_AT = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """A document with its expected result.

    source: what the reader gave for it; a Rejection where it cannot even be read.
    reasons: the reasons for which it may be rejected; empty for an article.
    story: articles with the same value are copies of each other.
    clutter: strings that must not stand in the text; once: sentences that stand in it once.
    authors, published_at, agency: None if the page does not state them clearly.
    """

    folder: str
    name: str
    source: Document | Rejection
    reasons: tuple[str, ...] = ()
    story: str = ""
    title: str = ""
    text: str = ""
    authors: tuple[str, ...] | None = None
    published_at: str | None = None
    language: str | None = None
    agency: str | None = None
    access: str = "free"
    clutter: tuple[str, ...] = ()
    once: tuple[str, ...] = ()

    @property
    def is_article(self) -> bool:
        return not self.reasons


def written_articles() -> Iterator[Known]:
    """Odd articles, as a browser would save them."""
    for path in sorted((PAGES / "articles").glob("*.json")):
        yield _written(path, "articles", MediaType.HTML)


def written_rejections() -> Iterator[Known]:
    """Pages that carry no article."""
    for path in sorted((PAGES / "rejected").glob("*.json")):
        yield _written(path, "rejected", MediaType.HTML)


def copied_texts() -> Iterator[Known]:
    """Five texts on one event, no two of them copies, marked and copied with everything around them."""
    for path in sorted((PAGES / "copied").glob("*.json")):
        yield _written(path, "copied", MediaType.TEXT)


def examples(settings: Settings) -> Iterator[Known]:
    """The invented news world, read as `copydesk ingest examples/news` reads it."""
    lines = (EXAMPLES / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    truth = {row["location"]: row for row in map(json.loads, lines)}
    for item in read_paths([str(EXAMPLES / "news")], settings):
        location = Path(item.location).relative_to(EXAMPLES).as_posix()
        yield _known("examples", location, item, truth.pop(location))
    assert not truth, f"in truth.jsonl, and not read: {sorted(truth)}"


def _written(path: Path, folder: str, media_type: MediaType) -> Known:
    expected = json.loads(path.read_text(encoding="utf-8"))
    packed = path.with_suffix(".html.gz")
    if packed.exists():
        body = gzip.decompress(packed.read_bytes())
    else:
        body = path.with_suffix(".html" if media_type is MediaType.HTML else ".txt").read_bytes()
    document = Document(
        location=f"tests/pages/{folder}/{path.stem}",
        url=expected.get("url") or f"file:///pages/{folder}/{path.stem}.txt",
        body=body,
        media_type=media_type,
        fetched_at=FETCHED_AT,
        origin=Origin.FILE,
        encoding=expected.get("declared"),
    )
    return _known(folder, path.stem, document, expected)


def _known(folder: str, name: str, source: Document | Rejection, row: dict[str, Any]) -> Known:
    if "reasons" in row:
        return Known(folder, name, source, reasons=tuple(row["reasons"]))
    authors = row.get("authors")
    return Known(
        folder,
        name,
        source,
        story=row.get("story") or f"{folder}/{name}",
        title=row["title"],
        text=row["text"],
        authors=None if authors is None else tuple(authors),
        published_at=row.get("published_at"),
        language=row.get("language"),
        agency=row.get("agency"),
        access=row.get("access", "free"),
        clutter=tuple(row["clutter"]),
        once=tuple(row.get("once", ())),
    )
