"""Stored pages as a WARC file: warcio reads it, and ingesting it changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from warcio.archiveiterator import ArchiveIterator

from crawler.runs import ingest, ingest_documents
from pipeline.document import Claims, Document, MediaType, Origin, RightsStatement
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from storage import reader, schema
from storage.database import open_database
from storage.export import Selection
from storage.upkeep import export_pages
from tests.conftest import Fill

FETCHED = datetime(2026, 3, 1, 9, 30, 15, 123456, UTC)
TEXT = "The ferry ran aground off Port Alba on Tuesday with 214 people aboard, the coast guard said. " * 5
RESERVED = RightsStatement("tdm-reservation", "1", "header")
HEADERS = (("Content-Type", "text/html; charset=utf-8"), ("Content-Encoding", "gzip"), ("Server", "nginx"))


def _page(number: int, more: str = "", **changes: Any) -> Document:
    url = f"https://outlet{number}.example/ferry?id={number}"
    body = f"<html><title>Ferry {number}</title><body><article><h1>Ferry {number}</h1><p>{TEXT}{more}"
    made = Document(
        location=url,
        url=url,
        body=body.encode(),
        media_type=MediaType.HTML,
        fetched_at=FETCHED + timedelta(hours=number),
        origin=Origin.CRAWL,
        encoding="utf-8",
        publisher=f"Outlet {number}",
        claims=Claims(title="Of the feed — ü"),
        headers=HEADERS,
    )
    return replace(made, **changes)


def fill(engine: Engine) -> None:
    """Crawled pages, one with two texts and one with reserved rights; a file, a record, a rejection."""
    documents = [
        _page(1),
        _page(2, "Divers went down twice. " * 9),
        replace(_page(2, "Divers went down three times. " * 9), fetched_at=FETCHED + timedelta(days=1)),
        _page(3, claims=Claims(rights=(RESERVED,))),
        _page(4, location="pages/vier.html", origin=Origin.FILE, publisher=None, headers=()),
        _page(
            5,
            location="a.jsonl#1",
            origin=Origin.JSONL,
            body=TEXT.encode(),
            media_type=MediaType.TEXT,
            headers=(),
        ),
        _page(6, body=b"<html><title>Front</title><a href=/>nothing</a>"),
    ]
    ingest_documents(engine, documents, workers=1, settings=Settings())


@pytest.fixture
def filled(filled_by: Callable[[Fill], Engine]) -> Engine:
    return filled_by(fill)


def _rows(engine: Engine) -> dict[str, list[Any]]:
    """All rows of what a run may change, but the runs."""
    with engine.connect() as connection:
        tables = [
            t
            for t in schema.metadata.sorted_tables
            if t.name not in ("run", "site_run", "learning", "counter")
        ]
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in tables}


def test_ingesting_the_archive_changes_nothing(filled: Engine, tmp_path: Path) -> None:
    file = tmp_path / "pages.warc.gz"
    before = _rows(filled)
    assert len(before["article"]) == 5
    assert len(before["revision"]) == 1
    assert len(before["rejection"]) == 1
    assert export_pages(filled, file) == 7
    done = ingest(filled, [str(file)], workers=1, settings=Settings())
    assert (done.counts.seen, done.counts.unchanged) == (7, 7)
    assert _rows(filled) == before


def test_the_archive_makes_the_same_articles_elsewhere(filled: Engine, tmp_path: Path) -> None:
    export_pages(filled, tmp_path / "pages.warc")
    other = open_database(f"sqlite:///{tmp_path}/other.db")
    ingest(other, [str(tmp_path / "pages.warc")], workers=1, settings=Settings())

    def made(engine: Engine) -> set[tuple[object, ...]]:
        return {
            (a.url, a.location, a.publisher, a.title, a.text, a.revision) for a in reader.articles(engine)
        }

    assert made(other) == made(filled)
    kept = [
        reader.document(engine, article.id)
        for engine in (filled, other)
        for article in reader.articles(engine)
    ]
    documents = {one.location: one for one in kept[:5] if one}
    assert documents == {one.location: one for one in kept[5:] if one}
    assert documents[_page(1).location].headers == HEADERS


def test_warcio_reads_bodies_and_headers(filled: Engine, tmp_path: Path) -> None:
    export_pages(filled, tmp_path / "pages.warc.gz")
    with (tmp_path / "pages.warc.gz").open("rb") as stream:
        found = {}
        for record in ArchiveIterator(stream, check_digests="raise"):
            found[record.rec_headers.get_header("WARC-Target-URI")] = (
                record.rec_type,
                record.http_headers and record.http_headers.get_header("X-Crawler-Content-Encoding"),
                record.content_stream().read(),
            )
    assert found[_page(1).url] == ("response", "gzip", _page(1).body)
    assert found[_page(4).url] == ("resource", None, _page(4).body)


@pytest.mark.parametrize(
    ("selection", "since", "count"),
    [
        (Selection(sites=("outlet2.example",)), None, 2),
        (Selection(exclude_reserved=True), None, 5),
        (Selection(unique=True), None, None),
        (Selection(language="fr"), None, 0),
        (Selection(), datetime(2100, 1, 1, tzinfo=UTC), 0),
    ],
)
def test_pages_of_chosen_articles(
    filled: Engine, tmp_path: Path, selection: Selection, since: datetime | None, count: int | None
) -> None:
    written = export_pages(filled, tmp_path / "pages.warc.gz", selection, since=since)
    assert written == count or (count is None and 0 < written < 6)


def test_other_views_have_no_pages(filled: Engine, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="pages of articles"):
        export_pages(filled, tmp_path / "a.warc.gz", Selection("runs"))
    assert not (tmp_path / "a.warc.gz").exists()
