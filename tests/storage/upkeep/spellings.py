"""Forgetting in one call, and one article under many spellings of its URL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from pipeline.document import Claims, Origin
from storage.upkeep import Forgotten, find_targets, forget_targets
from tests.storage.news import SETTINGS, article, page, rejection
from tests.storage.upkeep.rows_of_tables import NOW


def gone(engine: Engine, *which: str, sites: tuple[str, ...] = (), **options: Any) -> Forgotten:
    what = find_targets(engine, which, sites)
    return forget_targets(engine, what, settings=SETTINGS, now=NOW, **options)


SPELLINGS = {
    "as it was": lambda url, text: article(url, text),
    "with a tracker": lambda url, text: article(url, text, location=url + "?utm_source=x"),
    "another scheme": lambda url, text: article(url.replace("https", "http"), text),
    "a mobile twin": lambda url, text: article(url.replace("//", "//m."), text),
    "with a slash": lambda url, text: article(url + "/", text),
    "by its canonical link": lambda url, text: article(
        url, text, location="https://amp.a.example/s/1", page=page(text, url="https://amp.a.example/s/1")
    ),
    "read from a file": lambda url, text: article(
        url, text, location="saved/x.html", page=page(text, url="file:///saved/x.html")
    ),
    "as a record": lambda url, text: article(
        url,
        text,
        location="news.jsonl#3",
        page=page(text, url=url, origin=Origin.JSONL, claims=Claims(title="A title")),
    ),
    "fetched there, of another name": lambda url, text: article(
        "https://a.example/other", text, page=page(text, url=url)
    ),
    "at a port": lambda url, text: article(url.replace(".example", ".example:8443"), text),
    "with a slash encoded": lambda url, text: article(url.replace("/s/1", "/s%2F1"), text),
    "in a cache of AMP pages": lambda url, text: article(
        url.replace("https://", "https://a-example.cdn.ampproject.org/c/s/"), text
    ),
    "in an archive": lambda url, text: article(f"https://web.archive.org/web/2026/{url}", text),
    "turned away": lambda url, text: rejection(url),
    "turned away, with its host encoded": lambda url, text: rejection(
        url.replace("a.example", "%61.example")
    ),
    "turned away, with a tracker": lambda url, text: rejection(url + "?utm_medium=rss"),
}
