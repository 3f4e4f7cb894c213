"""Invented articles, rejections and copies for the storage tests; a database as a set of comparable rows."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import zstandard
from sqlalchemy import Engine, select

from pipeline.copies.fingerprint import fingerprint
from pipeline.document import (
    Access,
    Article,
    Claims,
    MediaType,
    Origin,
    Outcome,
    PageBytes,
    Reason,
    Rejection,
    Removed,
    RightsStatement,
    Stage,
)
from pipeline.settings import Settings
from pipeline.text.search_words import make_search_words
from storage import writer
from storage.schema import view_tables
from storage.writer import BatchCounts

SETTINGS = Settings()
START = datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)

_VOCABULARY = """
    harbour ferry council bridge market storm winter school budget library museum airport strike election
    minister factory village mountain river island railway tunnel orchard festival concert hospital doctor
    teacher farmer fisherman engineer company contract court judge police fire smoke water energy solar
    turbine cable signal border customs cargo container vessel captain sailor weather forecast flood rain
    said announced opened closed delayed repaired planned expected reported warned agreed refused signed
"""
_WORDS = _VOCABULARY.split()


def story(seed: int, words: int = 220) -> str:
    """A text that is unlike that of any different seed: sentences of a common vocabulary with figures in
    them.
    """
    chance = random.Random(seed)
    sentences: list[str] = []
    while sum(len(sentence.split()) for sentence in sentences) < words:
        picked: list[str] = [chance.choice(_WORDS) for _ in range(chance.randint(7, 16))]
        picked.insert(3, str(chance.randint(10, 9999)))
        sentences.append(" ".join(picked).capitalize() + ".")
    return "\n".join(sentences)


def cut(text: str, share: float) -> str:
    """The text cut from the bottom, as wire copy is."""
    lines = text.split("\n")
    return "\n".join(lines[: max(1, round(len(lines) * share))])


def page(
    text: str, at: datetime = START, url: str = "", origin: Origin = Origin.FILE, claims: Claims | None = None
) -> PageBytes:
    body = text.encode("utf-8", "replace")
    return PageBytes(
        sha256=hashlib.sha256(body).digest(),
        compressed=zstandard.compress(body),
        size=len(body),
        media_type=MediaType.HTML,
        encoding="utf-8",
        origin=origin,
        fetched_at=at,
        url=url,
        publisher=None,
        claims=claims or Claims(),
    )


def article(url: str, text: str, at: datetime = START, **changes: Any) -> Article:
    """An article as the pipeline would make it. changes: fields of Article; `body`, the page's text."""
    body = changes.pop("body", f"<p>{changes.get('title', 'Title')} {text}")
    host = url.split("/")[2] if "//" in url else ""
    made = Article(
        url=url,
        location=url,
        publisher="Harbour Post",
        site=host,
        title="Title",
        text=text,
        authors=("Ada Lind",),
        byline=None,
        dateline=None,
        agency=None,
        published_at=at - timedelta(minutes=30),
        published_source="meta",
        language="en",
        access=Access.FREE,
        syndicated_from=None,
        word_count=len(text.split()),
        search_words=make_search_words("Title", text),
        removed=(Removed(3, "Register now", "phrase.en.register-now"),),
        fingerprint=fingerprint(text, SETTINGS.fingerprint),
        rules_version=SETTINGS.rules_version,
        page=page(body, at, url),
        published_offset=-300,
        description="The ferry runs again after two weeks.",
        section="Harbour",
        keywords=("ferry", "harbour"),
        image_url="https://images.example/ferry.jpg",
        rights=(RightsStatement("robots", "noai", "header", "gptbot"),),
    )
    changed = replace(made, **changes)
    return replace(changed, search_words=make_search_words(changed.title, changed.text))


def retold(article: Article, text: str, **changes: Any) -> Article:
    """The article with a different text, as different rules would make it from the same page."""
    return replace(article, text=text, search_words=make_search_words(article.title, text), **changes)


def rejection(location: str, at: datetime = START, **changes: Any) -> Rejection:
    made = Rejection(
        location=location,
        url=location,
        stage=Stage.EXTRACT,
        reason=Reason.NO_ARTICLE,
        detail="only a list of links",
        at=at,
        rules_version=SETTINGS.rules_version,
        page=page(f"<ul>{location}", at, location),
    )
    return replace(made, **changes)


def wire(count: int, *, seed: int = 1, stories: int = 8) -> list[Article]:
    """`count` articles on `stories` stories: whole, cut, re-headlined, by many sites, over some days."""
    chance = random.Random(seed)
    texts = [story(seed * 1000 + n) for n in range(stories)]
    made = []
    for n in range(count):
        which = chance.randrange(stories)
        at = START + timedelta(hours=chance.randrange(80), seconds=n)
        made.append(
            article(
                f"https://site{n % 7}.example/story/{n}",
                cut(texts[which], chance.choice([1, 1, 0.8, 0.6])),
                at,
                title=f"Headline {which} {chance.randrange(3)}",
                agency=chance.choice([None, "Reuters"]),
            )
        )
    return made


def store(engine: Engine, outcomes: Sequence[Outcome], batch: int = 1000) -> BatchCounts:
    """Writes the outcomes as one run, in batches."""
    run = writer.start_run(engine, "test", START)
    counts = BatchCounts()
    for start in range(0, len(outcomes), batch):
        counts += writer.write_batch(engine, run, outcomes[start : start + batch], SETTINGS)
    writer.finish_run(engine, run, counts, START)
    return counts


def view(engine: Engine, name: str) -> list[dict[str, Any]]:
    """All rows of a public view."""
    table = view_tables[name]
    with engine.connect() as connection:
        rows = connection.execute(select(table)).mappings().all()
    return sorted((dict(row) for row in rows), key=repr)


def contents(engine: Engine) -> dict[str, Any]:
    """The contents of the database, with articles named by URL.

    They do not depend on the order of filling.
    """
    articles = view(engine, "articles")
    urls = {row["id"]: row["url"] for row in articles}
    groups: dict[int, set[str]] = {}
    for row in articles:
        groups.setdefault(row["group_id"], set()).add(row["url"])
        assert row["group_id"] in urls
    for row in view(engine, "story_groups"):
        members = groups[row["id"]]
        assert row["size"] == len(members)
        assert row["id"] == min(id for id, url in urls.items() if url in members)
        assert urls[row["canonical_article_id"]] in members
    named = {"id", "group_id"}
    return {
        "articles": {row["url"]: {k: v for k, v in row.items() if k not in named} for row in articles},
        "groups": {frozenset(members) for members in groups.values()},
        "canonical": {row["url"] for row in view(engine, "unique_articles")},
        "copies": {
            (frozenset((urls[row["article_id"]], urls[row["other_id"]])), row["kind"], row["jaccard"])
            for row in view(engine, "copies")
        },
        "passages": {
            (
                urls[row[f"{end}_id"]],
                urls[row[f"{other}_id"]],
                row[f"{end}_from"],
                row[f"{end}_to"],
                row["joins"],
            )
            for row in view(engine, "copies")
            for end, other in (("article", "other"), ("other", "article"))
        },
        "removed": sorted(
            (urls[row["article_id"]], row["position"], row["rule"], row["text"])
            for row in view(engine, "removed_text")
        ),
        "rejections": sorted(
            (row["location"], row["stage"], row["reason"], row["detail"], row["at"])
            for row in view(engine, "rejections")
        ),
    }
