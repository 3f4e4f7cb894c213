"""Text is stored unchanged on both databases, except that characters that a database refuses are replaced or
rejected.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from crawler.files.paths import read_paths
from pipeline.document import Claims, Outcome, Reason, Rejection, Removed, RightsStatement
from pipeline.process import process_document
from storage import reader, writer
from storage.base.keys import storable, storable_name, storable_text
from storage.database import open_database
from storage.upkeep import (
    ForgetTarget,
    check_integrity,
    find_targets,
    forget_targets,
    lift_tombstones,
    plan_forget,
)
from storage.writing.tombstones import list_tombstones, withheld_urls
from tests.storage.news import SETTINGS, START, article, contents, rejection, store, story, view

# NUL, lone surrogates of both kinds, and odd characters that are valid in text: overrides and isolates of
# direction, joiners, a byte order mark, private use, noncharacters, the last plane, controls.
KEPT = (
    "\u202e\u202d\u2066\u2069\u200f\u061c \u200d\u200b\ufeff \ue000\ufffe\uffff\U0010fffd".join(
        map(chr, range(1, 32))
    )
    + "\x7f\x85\u2028'\"\\%_;--\u0301"
)
ODD = f"a\0b\ud800c\udfffd{KEPT}"
CLEAN = f"a\ufffdb\ufffdc\ufffdd{KEPT}"
NAME = "n\0\udcff\u202e'%"
CLEAN_NAME = "n\\x00\\udcff\u202e'%"


def odd_article(url: str, number: int, **changes: Any) -> Any:
    made = article(
        url,
        story(number) + ODD,
        title=ODD,
        authors=(ODD, "x"),
        byline=ODD,
        dateline=ODD,
        agency=ODD[:300],
        publisher=ODD,
        published_source=ODD,
        language=ODD[:8],
        syndicated_from=ODD,
        location=f"dir/{NAME}.html",
        removed=(Removed(0, ODD, ODD),),
        **changes,
    )
    claims = Claims(ODD, ODD, (ODD,), ODD, ODD, ODD, (ODD,), ODD, (RightsStatement(ODD, ODD, ODD, ODD),))
    return replace(made, page=replace(made.page, claims=claims, publisher=ODD, encoding=ODD[:5], url=url))


def test_every_column_takes_every_character(engine: Engine) -> None:
    url = f"https://harbour.example/{NAME}"
    later = START + timedelta(hours=1)
    outcomes = [
        odd_article(url, 1),
        odd_article(url, 2, page=article("x", story(2), later).page),
        rejection(f"{NAME}/list", url=ODD, detail=ODD),
    ]
    counts = store(engine, outcomes)

    assert (counts.stored, counts.revised, counts.rejected, counts.faults) == (1, 1, 1, 0)
    (found,) = view(engine, "articles")
    for name in ("title", "byline", "dateline", "publisher"):
        assert found[name] == CLEAN, name
    assert found["agency"] == CLEAN[:300]
    assert found["authors"] == [CLEAN, "x"]
    assert found["text"] == story(2) + CLEAN
    assert (found["url"], found["location"]) == (
        f"https://harbour.example/{CLEAN_NAME}",
        f"dir/{CLEAN_NAME}.html",
    )
    (line,) = view(engine, "removed_text")
    assert (line["text"], line["rule"]) == (CLEAN, CLEAN)
    (row,) = view(engine, "rejections")
    assert (row["location"], row["url"], row["detail"]) == (f"{CLEAN_NAME}/list", CLEAN, CLEAN)
    document = reader.document(engine, 1)
    assert document is not None
    rights = (RightsStatement(CLEAN, CLEAN, CLEAN, CLEAN),)
    assert document.claims == Claims(CLEAN, CLEAN, (CLEAN,), CLEAN, CLEAN, CLEAN, (CLEAN,), CLEAN, rights)
    assert store(engine, outcomes).unchanged == 3
    assert [finding.check for finding in check_integrity(engine) if finding.count] == []
    # The older text becomes the current one again. It was stored as JSON meanwhile.
    refused = Rejection(
        **{f: getattr(rejection("x"), f) for f in ("stage", "reason", "detail", "at")},
        **{"location": outcomes[1].location, "url": url, "rules_version": "newer", "page": outcomes[1].page},
    )
    store(engine, [refused])
    assert view(engine, "articles")[0]["text"] == story(1) + CLEAN
    assert view(engine, "removed_text")[0]["text"] == CLEAN


def test_queries_may_have_odd_characters(engine: Engine) -> None:
    url = f"https://harbour.example/{NAME}"
    store(engine, [odd_article(url, 1)])
    writer.finish_run(engine, writer.start_run(engine, ODD, START), None, START)

    assert view(engine, "runs")[-1]["command"] == storable_name(ODD)
    assert reader.article_by_url(engine, url) is not None
    assert reader.article_by_location(engine, f"dir/{NAME}.html") is not None
    assert reader.known_urls(engine, [url, ODD], fetched_since=START) == {url}
    writer.put_fetch_state(engine, ODD, etag=ODD, last_modified=ODD, fetched_at=START)
    state = reader.fetch_state(engine, ODD)
    assert state is not None
    assert (state.etag, state.last_modified) == (CLEAN, CLEAN)
    assert reader.known_urls(engine, [ODD, "other"], fetched_since=START) == {ODD}
    assert list(reader.articles(engine, reader.ArticleFilter((ODD,), ODD))) == []
    assert list(reader.search(engine, "a\0b \ud800 harbour")) is not None


def test_articles_with_odd_names_can_be_forgotten(engine: Engine) -> None:
    made = odd_article("https://harbour.example/%00%FF", 1)
    store(engine, [made])
    assert withheld_urls(engine, [made.url, ODD, f"https://{NAME}/"]) == set()
    what = find_targets(engine, [made.location])
    assert what.urls == (made.url,)
    assert plan_forget(engine, what).articles == 1
    forget_targets(engine, what, settings=SETTINGS, now=START, reason=ODD)
    assert (list_tombstones(engine)[0].reason, view(engine, "articles")) == (CLEAN, [])
    assert withheld_urls(engine, [made.url, ODD]) == {made.url}
    assert store(engine, [made]).reasons == {Reason.FORGOTTEN: 1}
    assert len(lift_tombstones(engine, ForgetTarget(urls=(made.url,)))) == 1
    assert store(engine, [made]).stored == 1
    odd = ForgetTarget(urls=(f"https://a.example/{NAME}", f"file:///{NAME}"))
    forget_targets(engine, odd, settings=SETTINGS, now=START)
    assert withheld_urls(engine, odd.urls) == set(odd.urls)
    assert len(lift_tombstones(engine, odd)) == 2


RECORDS: dict[str, Callable[[], dict[str, Any]]] = {
    "odd": lambda: {
        "title": "A " + ODD,
        "text": f"{story(3)}\nThe end {ODD} of it, said the harbour master.",
    },
    "five megabytes": lambda: {"title": "Long", "text": "\n".join(story(n) for n in range(3200))},
    "one line of five megabytes": lambda: {"title": "Line", "text": story(5, 60) + "\n" + "x" * 5_000_000},
    "more than is taken": lambda: {"title": "Longer", "text": "word " * 6_000_000},
    "all NUL": lambda: {"title": "\0", "text": "\0" * 3000},
}


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """The outcomes of such records in a JSONL file, and of a page with such bytes."""
    folder = tmp_path_factory.mktemp("odd")
    with (folder / "odd.jsonl").open("w") as file:
        for n, make in enumerate(RECORDS.values()):
            file.write(json.dumps({"url": f"https://odd.example/{n}", **make()}) + "\n")
    html = "<html><head><title>Ferry\0 \u202eruns</title></head><body><article>{}</article></body></html>"
    body = html.format("".join(f"<p>{line} a\0b &#0; &#xD800; \u202e</p>" for line in story(6).splitlines()))
    (folder / "page.html").write_bytes(body.encode() + b"\xed\xa0\x80\x00\xff")
    items = read_paths([str(folder / "odd.jsonl"), str(folder / "page.html")], SETTINGS)
    return [item if isinstance(item, Rejection) else process_document(item, SETTINGS) for item in items]


def test_documents_with_odd_and_long_texts_have_the_same_outcomes_on_both_databases(
    engine: Engine, processed: list[Outcome], tmp_path: Path
) -> None:
    counts = store(engine, processed)

    assert (counts.seen, counts.faults) == (6, 0)
    found = {row["url"]: row for row in view(engine, "articles")}
    odd = found["https://odd.example/0"]["text"]
    assert "\ue000" in odd
    assert "\u202e" not in odd
    assert len(found["https://odd.example/1"]["text"]) > 5_000_000
    assert not any("\0" in row["text"] or "\0" in row["title"] for row in found.values())
    said = {row["location"].rpartition("#")[2]: row["reason"] for row in view(engine, "rejections")}
    assert said["4"] == "too large"
    assert len(found) + len(said) == 6
    assert [finding.check for finding in check_integrity(engine) if finding.count] == []
    assert store(engine, processed).unchanged == 6
    if engine.dialect.name == "postgresql":
        other = open_database(f"sqlite:///{tmp_path / 'other.db'}")
        store(other, processed)
        assert contents(engine) == contents(other)
        other.dispose()


@given(st.text(st.characters(exclude_categories=()), max_size=60))
@settings(max_examples=300)
def test_storable_text_is_accepted_by_both_databases(value: str) -> None:
    text, name = storable_text(value), storable_name(value)
    for made in (text, name):
        assert "\0" not in made
        made.encode()
    assert len(text) == len(value)
    assert [c for c, was in zip(text, value, strict=True) if c != was] == ["\ufffd"] * sum(
        c == "\0" or "\ud800" <= c <= "\udfff" for c in value
    )
    assert (storable_text(text), storable_name(name)) == (text, name)


def test_text_without_replacements_is_not_copied() -> None:
    made = article("https://a.example/", "plain")
    assert storable(made) == made


@pytest.mark.parametrize("spelled", ["%00", "%ED%A0%80", "%FF%FE"])
def test_odd_bytes_in_a_url_stay_escaped(engine: Engine, spelled: str) -> None:
    url = f"https://a.example/{spelled}"
    store(engine, [article(url, story(1))])
    assert reader.article_by_url(engine, url) is not None
