"""Whatever way a document comes, and however its URL is written: what was forgotten is not stored."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from crawler.files.jsonl import read_jsonl
from crawler.files.position import FilePosition
from pipeline.document import Document, MediaType, Origin, Outcome, Reason
from pipeline.process import process_document
from pipeline.settings import Settings
from pipeline.urls import canonical_url, web_url
from storage.database import open_database
from storage.upkeep import ForgetTarget
from storage.upkeep.integrity import check_integrity
from storage.upkeep.targets import stored_articles_of
from storage.writing.tombstones import withheld, withheld_urls
from tests.pipeline.url_spellings import page_urls, spelled
from tests.storage.news import START, article, store, story
from tests.storage.upkeep.spellings import gone

SETTINGS = Settings()
TEXT = story(1)
PAGES = [
    f"https://{host}/news/{name}" for host in ("example.com", "bücher.example") for name in ("a", "b/1?id=2")
]
SITE = "gazette.example"


@pytest.fixture(scope="module")
def forgotten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database in which PAGES and SITE are forgotten."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('takedown')}/a.db")
    gone(engine, *PAGES, sites=(SITE,))
    yield engine
    engine.dispose()


few = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
written = st.sampled_from(PAGES).flatmap(spelled)


def from_record(url: str) -> Outcome:
    line = json.dumps({"url": url, "text": TEXT}).encode()
    position = FilePosition("a.jsonl", "file:///a.jsonl", "a.jsonl", START, START, SETTINGS)
    (document,) = read_jsonl(io.BufferedReader(io.BytesIO(line)), position)
    assert isinstance(document, Document)
    return process_document(document, SETTINGS, fingerprinted=False)


def from_page(head: str, url: str = "file:///srv/a.html") -> Outcome:
    paragraphs = "".join(f"<p>{line}</p>" for line in TEXT.splitlines())
    html = f"<html><head><title>Ferry</title>{head}</head><body><article>{paragraphs}</article></body></html>"
    document = Document("a.html", url, html.encode(), MediaType.HTML, START, Origin.FILE)
    return process_document(document, SETTINGS, fingerprinted=False)


def stored_url(written: str) -> str:
    """As a reader of records stores what is written."""
    return canonical_url(web_url(written) or written)


def is_withheld(engine: Engine, outcome: Outcome) -> bool:
    (kept,) = withheld(engine, [outcome])
    return getattr(kept, "reason", None) is Reason.FORGOTTEN


@few
@given(written)
def test_no_spelling_in_a_record_gets_past_a_tombstone(forgotten: Engine, url: str) -> None:
    assert is_withheld(forgotten, from_record(url))


@few
@given(written)
def test_no_spelling_in_a_saved_page_gets_past_a_tombstone(forgotten: Engine, url: str) -> None:
    quoted = url.replace("&", "&amp;").replace('"', "&quot;")
    assert is_withheld(forgotten, from_page(f'<link rel="canonical" href="{quoted}">'))


@few
@given(written)
def test_no_spelling_is_requested(forgotten: Engine, url: str) -> None:
    assert withheld_urls(forgotten, [url]) == {url}


@few
@given(page_urls.filter(lambda url: url not in PAGES))
def test_other_pages_are_kept(forgotten: Engine, url: str) -> None:
    assert not is_withheld(forgotten, from_record(url))


@pytest.mark.parametrize(
    "head",
    [
        f'<link rel="canonical" href="//www.{SITE}/a">',
        f'<base href="https://www.{SITE}/"><link rel="canonical" href="/news/a">',
        f'<base href="//{SITE}/news/a">',
        f'<link rel="canonical" href="https://{SITE}/">',
        f'<meta property="og:url" content="//news.{SITE}/a">',
    ],
)
def test_a_saved_page_that_names_a_forgotten_site_is_not_stored(forgotten: Engine, head: str) -> None:
    assert is_withheld(forgotten, from_page(head))
    assert not is_withheld(forgotten, from_page(head.replace(SITE, "other.example")))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(page_urls, st.data()), min_size=1, max_size=3, unique_by=lambda one: one[0]))
def test_stored_spellings_are_found(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, pages: list[tuple[str, st.DataObject]]
) -> None:
    with_spellings = [(url, stored_url(data.draw(spelled(url)))) for url, data in pages]
    database = tmp_path_factory.mktemp("spelled") / "a.db"
    shutil.copyfile(sqlite_template, database)
    engine = open_database(f"sqlite:///{database}")
    try:
        store(engine, [article(stored, story(n)) for n, (_, stored) in enumerate(with_spellings)])
        with engine.connect() as connection:
            found = stored_articles_of(connection, ForgetTarget(urls=tuple(url for url, _ in with_spellings)))
        assert len(found) == len({stored for _, stored in with_spellings})
    finally:
        engine.dispose()


def test_a_check_finds_what_got_past(tmp_path: Path) -> None:
    from storage.writing import tombstones

    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    gone(engine, "https://a.example/1", sites=("b.example",))
    past = [
        "https://a.example:8443/1",
        "https://a.example/%2F1",
        "https://b-example.cdn.ampproject.org/c/s/b.example/x",
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tombstones, "withhold", lambda _, outcomes: outcomes)
        store(engine, [article(url, story(n)) for n, url in enumerate([*past, "https://a.example/2"])])
    (finding,) = [finding for finding in check_integrity(engine) if finding.check == "tombstones"]
    assert finding.count == 3
    assert "article 1 is stored, though url https://a.example/1 was forgotten" in finding.samples
    assert "article 3 is stored, though site b.example was forgotten" in finding.samples
    engine.dispose()
