"""Documents and URLs that are known already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from pipeline.document import Claims, Document, Origin, Reason
from storage import reader, writer
from storage.crawls.revisits import Validators
from storage.reader import SourceKey, source_key
from tests.storage.news import SETTINGS, START, article, page, rejection, store, story, wire

URL = "https://harbour.example/ferry"
FEED = "https://gazette.example/rss"


def document(location: str, body: bytes, **changes: Any) -> Document:
    made = Document(
        location=location,
        url=location,
        body=body,
        media_type=page("").media_type,
        fetched_at=START,
        origin=Origin.FILE,
        encoding="utf-8",
    )
    return replace(made, **changes)


def test_documents_processed_by_the_same_rules_are_known(engine: Engine) -> None:
    body = b"<p>one"
    held = replace(page("<p>one"), url="a.html")
    store(
        engine,
        [
            article(URL, story(1), location="a.html", page=held),
            rejection("b.html", page=held),
            rejection("slow.html", page=held, reason=Reason.TIMEOUT),
            rejection("gone.html", page=None),
        ],
    )
    keys = {
        name: source_key(document(name, body)) for name in ("a.html", "b.html", "slow.html", "gone.html", "c")
    }

    assert reader.known(engine, keys.values()) == {keys["a.html"], keys["b.html"]}
    assert reader.known(engine, keys.values(), "2-next") == set()
    assert reader.known(engine, [source_key(document("a.html", b"<p>two"))]) == set()
    assert reader.known(engine, []) == set()


def test_a_page_that_returned_to_older_bytes_is_known(engine: Engine) -> None:
    store(
        engine, [article(URL, story(1), body="one"), article(URL, story(2), START + timedelta(1), body="two")]
    )

    keys = [source_key(document(URL, body)) for body in (b"one", b"two")]
    assert reader.known(engine, keys) == set(keys)


def test_a_record_with_different_fields_is_not_known(engine: Engine) -> None:
    claims = Claims(title="As it was")
    record = document("feed.jsonl#1", b"text", origin=Origin.JSONL, claims=claims, url=URL)
    held = page("text", url=URL, origin=Origin.JSONL, claims=claims)
    store(engine, [article(URL, story(1), location="feed.jsonl#1", page=held)])

    assert reader.known(engine, [source_key(record)]) == {source_key(record)}
    corrected = replace(record, claims=Claims(title="Corrected"))
    assert reader.known(engine, [source_key(corrected)]) == set()
    # Statements of a feed are not part of the page. If they change, the page is not processed again.
    crawled = document(URL, b"<p>one", origin=Origin.CRAWL)
    assert source_key(crawled) == source_key(replace(crawled, claims=claims))


def test_odd_names_are_known(engine: Engine) -> None:
    name = "dir/\udcff\0.html"
    store(engine, [article(URL, story(1), location=name, page=page("x"))])
    key = SourceKey(name, page("x").sha256)

    assert reader.known(engine, [key]) == {key}


def test_urls_are_known_by_every_name(engine: Engine) -> None:
    fetched = "https://harbour.example/ferry?utm_source=feed"
    store(
        engine,
        [
            article(URL + "-full", story(1), location=fetched, page=page("x", url=fetched)),
            rejection("https://harbour.example/list"),
        ],
    )
    asked = [URL + "-full", URL, fetched, "https://harbour.example/list", "https://harbour.example/new"]

    assert reader.known_urls(engine, asked) == set(asked[:3])

    writer.put_fetch_states(engine, {asked[3]: Validators()}, START)
    assert reader.known_urls(engine, asked, fetched_since=START + timedelta(seconds=1)) == set(asked[:3])
    assert reader.known_urls(engine, asked, fetched_since=START - timedelta(days=1)) == set(asked[:4])


def test_known_asks_about_many_at_once(engine: Engine) -> None:
    store(engine, wire(30))
    asked = [SourceKey(f"nowhere/{n}", b"x" * 32) for n in range(1500)]
    there = [SourceKey(a.location, a.page.sha256) for a in wire(30)]

    assert reader.known(engine, [*asked, *there], SETTINGS.rules_version) == set(there)


def test_addresses_of_stored_articles_are_known(engine: Engine) -> None:
    store(engine, [article("https://gazette.example/1", story(1), location="https://gazette.example/go/1")])
    asked = ["https://gazette.example/1", "https://gazette.example/go/1", "https://gazette.example/2"]
    assert reader.known_urls(engine, asked) == set(asked[:2])
    assert reader.known_urls(engine, []) == set()


def test_urls_fetched_since_a_time_are_known_on_request(engine: Engine) -> None:
    url = "https://gazette.example/no-article"
    writer.put_fetch_states(engine, {url: Validators(), FEED: Validators('"1"')}, START)
    assert reader.known_urls(engine, [url]) == set()
    assert reader.known_urls(engine, [url], fetched_since=START - timedelta(hours=1)) == {url}
    assert reader.known_urls(engine, [url], fetched_since=START + timedelta(hours=1)) == set()
