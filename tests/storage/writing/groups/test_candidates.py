"""Candidates: late copies, stated copies, and bands that all articles share."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline import copies
from storage import writer
from tests.storage.news import SETTINGS, START, article, cut, store, story, view
from tests.storage.writing.groups.filling import NARROW, fill


def test_a_late_copy_is_found_if_it_is_nearly_whole(engine: Engine) -> None:
    text = story(1)
    later = START + timedelta(days=40)
    reworded = "\n".join([*text.split("\n")[::2], *text.split("\n")[1::2]])
    store(
        engine,
        [
            article("https://a.example/1", text),
            article("https://b.example/1", f"{text}\n{story(2, 12)}", later),
            article("https://c.example/1", cut(text, 0.6), later + timedelta(days=40)),
            article("https://d.example/1", "\n".join(reworded.split("\n")[:6]), later + timedelta(days=80)),
        ],
    )
    groups = {row["url"]: row["group_id"] for row in view(engine, "articles")}
    assert [groups[f"https://{c}.example/1"] for c in "abcd"] == [1, 1, 1, 4]


def test_a_stated_source_is_a_candidate_without_a_shared_band(engine: Engine) -> None:
    text = story(1)
    original = article("https://a.example/1", text)
    unlike = article("https://x.example/1", story(2))
    assert unlike.fingerprint is not None
    # The bands of a different text, so that the index alone never proposes the pair.
    copy = article("https://b.example/1", text, fingerprint=unlike.fingerprint)
    store(engine, [original, copy])
    assert view(engine, "copies") == []

    stating = replace(copy, syndicated_from=original.url, url="https://c.example/1", location="c")
    store(engine, [stating])
    pairs = {(row["article_id"], row["other_id"]) for row in view(engine, "copies")}
    assert (1, 3) in pairs

    # The same if the original is stored last.
    writer.remove_articles(engine, [1], SETTINGS)
    store(engine, [original])
    assert (3, 4) in {(row["article_id"], row["other_id"]) for row in view(engine, "copies")}


def test_a_band_that_all_articles_share_costs_no_more_than_its_window_and_is_reported(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    verify = copies.verify
    calls = []

    def counting(*arguments: Any) -> Any:
        calls.append(1)
        return verify(*arguments)

    monkeypatch.setattr(copies, "verify", counting)
    unlike = [story(n, 40) for n in range(80)]
    shared = article("https://x.example/1", story(999)).fingerprint
    made = [
        article(f"https://s{n}.example/a", body, START + timedelta(minutes=n), fingerprint=shared)
        for n, body in enumerate(unlike)
    ]
    fill(engine, made[:40], [10], NARROW)
    calls.clear()
    with caplog.at_level("INFO", "storage.writing.groups"):
        fill(engine, made[40:], [1], NARROW)

    assert len(caplog.messages) == 40
    assert f"the {NARROW.group.band_window} articles before and after" in caplog.messages[0]
    assert len(calls) == 40 * NARROW.group.band_window
    assert view(engine, "copies") == []
