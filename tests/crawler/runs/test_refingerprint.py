"""New fingerprints for stored articles give the same database as if they had always been used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from crawler.crawl import crawl
from crawler.runs.refingerprint import Refingerprinted, refingerprint
from pipeline.settings import FingerprintSettings, GroupSettings, Settings
from storage import writer
from storage.database import DatabaseError, open_database
from storage.writer import refingerprinting
from tests.crawler.runs.test_reprocess import SETTINGS, again, everything, fill, write_pages
from tests.storage.news import START, article, contents, cut, story, view, wire

OTHER = Settings(fingerprint=FingerprintSettings(seed=2))


# Settings under which a cut copy is not a copy.
STRICTER = Settings(group=GroupSettings(containment=1.0, particulars=1.0, band_window=3))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Engine]:
    """A database to compare with."""
    engine = open_database(f"sqlite:///{tmp_path / 'fresh.db'}")
    yield engine
    engine.dispose()


def stored_by(engine: Engine, settings: Settings, outcomes: list[Any]) -> None:
    from pipeline.copies.fingerprint import fingerprint

    run = writer.start_run(engine, "test", START)
    made = [replace(o, fingerprint=fingerprint(o.text, settings.fingerprint)) for o in outcomes]
    for at in range(0, len(made), 50):
        writer.write_batch(engine, run, made[at : at + 50], settings)
    writer.finish_run(engine, run, None, START)


def revised(count: int) -> list[Any]:
    made = wire(count)
    return made + [
        article(made[n].url, story(n), made[n].page.fetched_at + timedelta(days=1))
        for n in range(0, count, 9)
    ]


def renewed(engine: Engine) -> Refingerprinted:
    return refingerprint(engine, settings=SETTINGS)


@pytest.mark.parametrize("other", [OTHER, STRICTER], ids=["another signature", "another threshold"])
def test_nothing_is_added_to_a_database_with_different_fingerprints(
    engine: Engine, database_url: str, tmp_path: Path, other: Settings
) -> None:
    stored_by(engine, other, wire(3))
    folder = write_pages(tmp_path / "in", 5)
    sites = tmp_path / "sites.toml"
    sites.write_text(
        '[sites.news]\nname = "News"\nhomepage = "https://news.example/"\nfeeds = ["https://news.example/feed"]\n'
    )
    before = everything(engine)
    told = f"version {re.escape(other.index_version)}, .*: run copydesk reprocess --fingerprints"
    for run in (
        lambda: fill(engine, folder),
        lambda: again(engine),
        lambda: crawl(
            database_url, sites_file=str(sites), settings={"USER_AGENT": "test (+mailto:desk@news.example)"}
        ),
    ):
        with pytest.raises(DatabaseError, match=told):
            run()
    assert everything(engine) == before
    renewed(engine)
    fill(engine, folder)
    assert len(view(engine, "articles")) > 3


def test_renewed_fingerprints_are_those_of_a_fresh_database(engine: Engine, fresh: Engine) -> None:
    stored_by(engine, OTHER, revised(150))
    stored_by(fresh, SETTINGS, revised(150))
    assert writer.count_refingerprint(engine, SETTINGS) == 150
    found = renewed(engine)
    assert found == replace(found, articles=150, is_interrupted=False)
    assert writer.other_fingerprints(engine, SETTINGS) == []
    assert contents(engine) == contents(fresh)
    assert renewed(engine).articles == 0
    # an article that returns to an older revision has the new fingerprint as well
    more = [replace(a, rules_version="next") for a in revised(9)[-1:]]
    for one in (engine, fresh):
        stored_by(one, SETTINGS, [*more, *wire(3, seed=8)])
    assert contents(engine) == contents(fresh)
    assert writer.other_fingerprints(engine, SETTINGS) == []


def test_groups_stay_whole_meanwhile_and_a_stopped_run_continues(
    engine: Engine, fresh: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_by(engine, OTHER, wire(60))
    stored_by(fresh, SETTINGS, wire(60))
    before = contents(engine)
    assert before["groups"] == contents(fresh)["groups"], "both settings find the same copies"
    monkeypatch.setattr(refingerprinting, "_RENEWED", 4)
    after: int | None = 0
    batches = 0
    while after is not None:
        _, after = writer.refingerprint_batch(engine, SETTINGS, after)
        batches += 1
        now = contents(engine)
        assert (now["groups"], now["canonical"]) == (before["groups"], before["canonical"])
        if batches == 3:
            after = 0  # as a killed run starts again
    assert batches > 4
    assert renewed(engine).articles == 0
    assert writer.other_fingerprints(engine, SETTINGS) == []


@pytest.mark.parametrize("stop_after", [1, 3, 1000])
def test_different_thresholds_verify_and_regroup_in_place(
    engine: Engine, fresh: Engine, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    local = [
        article(
            f"https://local{n}.example/{n}", f"{cut(story(n), 0.7)}\n{story(900 + n, 30)}\n{story(n)[-400:]}"
        )
        for n in range(12)
    ]
    made = [
        *wire(40, stories=12),
        *(article(f"https://own{n}.example/", story(n)) for n in range(12)),
        *local,
    ]
    reworded = [
        article(
            f"https://other{n}.example/", story(n).replace(" said ", " told ").replace(" warned", " added")
        )
        for n in range(12)
    ]
    made += reworded
    stored_by(engine, STRICTER, made)
    stored_by(fresh, SETTINGS, made)
    before = contents(engine)
    assert before["groups"] != contents(fresh)["groups"], "the threshold matters"
    assert writer.count_refingerprint(engine, SETTINGS) == len(made)
    monkeypatch.setattr(refingerprinting, "_RENEWED", 8)
    after: int | None = 0
    for _ in range(stop_after):  # and then it is killed
        if after is not None:
            _, after = writer.refingerprint_batch(engine, SETTINGS, after)
    left = writer.count_refingerprint(engine, SETTINGS)
    assert left < len(made)
    assert renewed(engine).articles == left
    assert contents(engine) == contents(fresh)
    assert writer.other_fingerprints(engine, SETTINGS) == []


def test_a_group_may_be_larger_than_a_transaction(
    engine: Engine, fresh: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_by(engine, OTHER, wire(40, stories=1))
    stored_by(fresh, SETTINGS, wire(40, stories=1))
    assert max(map(len, contents(engine)["groups"])) > 30
    monkeypatch.setattr(refingerprinting, "_RENEWED", 4)
    monkeypatch.setattr(refingerprinting, "_RENEWED_MOST", 8)
    assert renewed(engine).articles == 40
    assert contents(engine) == contents(fresh)
