"""New rules over stored pages give the same database as if they had always been used."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from crawler.runs.changes import ChangeKind
from crawler.runs.ingest import ingest
from crawler.runs.reprocess import Reprocessed, reprocess
from pipeline.document import Document, MediaType, Origin, Outcome, Reason
from pipeline.settings import Settings
from storage import reader, schema, writer
from storage.database import open_database
from storage.upkeep import plan_prune, prune_pages
from storage.upkeep.pages import count_outdated, outdated
from storage.watching import Rule, add_watchlist
from storage.writing import list_quarantine
from tests import forked
from tests.crawler import rules
from tests.crawler.rules import CLUTTER
from tests.storage.news import START, contents, cut, story, view
from tests.waiting import PATIENCE

SETTINGS = Settings()


def write_pages(
    folder: Path, count: int = 60, *, sites: int = 5, gates: Mapping[int, Path] | None = None
) -> Path:
    """Stories of several outlets, whole and cut. Newer rules treat every third one differently.

    gates: by their number, pages that take until a file is there.
    """
    chance = random.Random(3)
    texts = [story(n, 120) for n in range(count // 5)]
    marks = ["!clutter", "!retitled", "!accepted", "!refused", "!clutter"]
    folder.mkdir()
    with (folder / "a.jsonl").open("w") as file:
        for n in range(count):
            text = cut(chance.choice(texts), chance.choice([1.0, 1.0, 0.7]))
            lines = [f"Headline {n % 11}", text]
            if n % 3 == 0:
                lines.append(marks[n // 3 % len(marks)])
            if gates and n in gates:
                lines.append(f"!await {gates[n]}")
            record = {"text": "\n".join(lines), "url": f"https://site{n % sites}.example/{n}"}
            file.write(json.dumps(record) + "\n")
    os.utime(folder / "a.jsonl", (1_700_000_000, 1_700_000_000))
    return folder


def fill(engine: Engine, folder: Path, process: Any = rules.older) -> None:
    ingest(engine, [str(folder)], workers=2, settings=SETTINGS, process=process)


def again(engine: Engine, **options: Any) -> Reprocessed:
    options.setdefault("process", rules.newer)
    return reprocess(engine, workers=2, settings=options.pop("settings", SETTINGS), **options)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Engine]:
    """A database to compare with."""
    engine = open_database(f"sqlite:///{tmp_path / 'fresh.db'}")
    yield engine
    engine.dispose()


def everything(engine: Engine) -> dict[str, Any]:
    return {
        name: view(engine, name)
        for name in (
            "articles",
            "unique_articles",
            "story_groups",
            "copies",
            "removed_text",
            "rejections",
            "runs",
        )
    }


def test_the_database_ends_as_if_the_newer_rules_had_always_been_used(
    engine: Engine, fresh: Engine, tmp_path: Path
) -> None:
    folder = write_pages(tmp_path / "in")
    fill(engine, folder)
    fill(fresh, folder, rules.newer)
    assert contents(engine) != contents(fresh)
    found = again(engine)
    assert found.counts.seen == 60
    assert found.changes.documents == 20
    assert dict(found.changes.counts) == {
        ChangeKind.TEXT: 8,
        ChangeKind.TITLE: 4,
        ChangeKind.METADATA: 4,
        ChangeKind.ACCEPTED: 4,
        ChangeKind.REFUSED: 4,
    }
    assert dict(found.changes.fields) == {"authors": 4}
    assert found.regrouped is not None
    assert contents(engine) == contents(fresh)
    second = again(engine)
    assert second.counts == writer.BatchCounts()
    assert second.changes.documents == 0
    assert [run["seen"] for run in view(engine, "runs")] == [60, 60, 0]
    assert ingest(
        engine, [str(folder)], workers=1, settings=SETTINGS, process=rules.newer
    ).counts == writer.BatchCounts(seen=60, unchanged=60), "and files that come again are known"


def test_a_dry_run_reports_the_same_and_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    fill(engine, write_pages(tmp_path / "in"))
    before = everything(engine)
    dry = again(engine, dry_run=True)
    assert everything(engine) == before
    assert dry.regrouped is None
    real = again(engine)
    assert (dry.changes.documents, dry.changes.counts) == (real.changes.documents, real.changes.counts)
    assert dry.changes.samples == real.changes.samples
    assert dry.counts == replace(real.counts, grouped=0)


def test_samples_show_before_and_after(engine: Engine, tmp_path: Path) -> None:
    fill(engine, write_pages(tmp_path / "in"))
    samples = again(engine, dry_run=True).changes.samples
    texts = [sample for sample in samples if sample.what is ChangeKind.TEXT]
    assert len(texts) == 3
    assert all(sample.before == f"{sample.after}\n{CLUTTER}" for sample in texts)
    (title, *_) = [sample for sample in samples if sample.what is ChangeKind.TITLE]
    assert (title.before, title.after[:8]) == ("Old title", "Headline")
    (accepted, *_) = [sample for sample in samples if sample.what is ChangeKind.ACCEPTED]
    assert (accepted.article_id, accepted.before) == (None, "section front")


def test_pages_are_chosen_by_site_or_by_time_of_fetching(engine: Engine, tmp_path: Path) -> None:
    fill(engine, write_pages(tmp_path / "in"))
    assert count_outdated(engine, SETTINGS.rules_version) == 60
    fetched = datetime.fromtimestamp(1_700_000_000, UTC)
    assert again(engine, since=fetched + timedelta(seconds=1)).counts.seen == 0
    assert count_outdated(engine, SETTINGS.rules_version, sites=("site3.example",), since=fetched) == 12
    assert again(engine, sites=("site3.example",), since=fetched).counts.seen == 12
    left = [page.document.url for page in outdated(engine, SETTINGS.rules_version)]
    assert len(left) == 48
    assert not any("site3.example" in url for url in left)


def test_failed_pages_stay_unchanged_and_are_tried_again(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text(f"Title\n{story(1)}\n!fault")
    (folder / "b.txt").write_text(f"Title\n{story(2)}\n!accepted\n!fault")
    (folder / "c.txt").write_text(f"Title\n{story(3)}\n!clutter")
    fill(engine, folder)
    before = everything(engine)
    for seen in (3, 2):
        found = again(engine)
        assert found.counts.seen == seen
        assert found.counts.reasons == {Reason.INTERNAL_ERROR: 2}
        assert found.counts.faults == 2
        assert found.changes.counts[ChangeKind.FAILED] == 2
    after = everything(engine)
    assert after["rejections"] == before["rejections"]
    assert [a["text"] for a in before["articles"] if a not in after["articles"]] == [f"{story(3)}\n{CLUTTER}"]
    assert count_outdated(engine, SETTINGS.rules_version) == 2


def store(
    engine: Engine, bodies: list[str], settings: Settings = SETTINGS, process: Any = rules.older
) -> None:
    """One URL, fetched once a day with these bodies."""
    run = writer.start_run(engine, "test", START)
    outcomes: list[Outcome] = []
    for n, body in enumerate(bodies):
        document = Document(
            "https://site.example/1",
            "https://site.example/1",
            body.encode(),
            MediaType.TEXT,
            START + timedelta(days=n),
            Origin.FILE,
        )
        outcomes.append(process(document, settings))
    writer.write_batch(engine, run, outcomes, settings)


def test_older_revisions_are_reprocessed_too(engine: Engine) -> None:
    store(engine, [f"Title\n{story(1)}\n!clutter", f"Title\n{story(2)}\n!clutter", f"Title\n{story(3)}"])
    assert again(engine).counts.seen == 3
    (now,) = view(engine, "articles")
    assert (now["revision"], now["text"]) == (3, story(3))
    assert count_outdated(engine, SETTINGS.rules_version) == 0
    # even newer rules reject the current page, so the revision before becomes current, without clutter
    writer.write_batch(
        engine,
        1,
        [
            replace(
                rules._refused(page.document, rules.newer(page.document, SETTINGS)), rules_version="newest"
            )
            for page in outdated(engine, "none")
            if page.document.body.decode() == f"Title\n{story(3)}"
        ],
        SETTINGS,
    )
    (now,) = view(engine, "articles")
    assert (now["revision"], now["text"]) == (2, story(2))


@pytest.mark.parametrize("refused", [False, True])
def test_documents_without_stored_bytes_follow_the_page_of_their_text(engine: Engine, refused: bool) -> None:
    """A page fetched three times with another advertisement each time: one text, one page."""
    mark = "!refused" if refused else "!clutter"
    store(engine, [f"Title\n{story(1)}\n{mark} {n}" for n in range(3)])
    (before,) = view(engine, "articles")
    assert before["revision"] == 1
    assert again(engine).counts.seen == 1
    assert count_outdated(engine, SETTINGS.rules_version) == 0
    if refused:
        assert view(engine, "articles") == []
        assert len(view(engine, "rejections")) == 1
    else:
        (now,) = view(engine, "articles")
        assert (now["id"], now["revision"], now["text"]) == (before["id"], 1, story(1))
        assert now["updated_at"] >= before["updated_at"]


PROGRAM = "import sys; from tests.crawler import rules; rules.main(*sys.argv[1:])"


def start(url: str) -> forked.Started:
    return forked.Started([sys.executable, "-c", PROGRAM, url, "8"], cwd=Path(__file__).parents[3])


def test_a_killed_and_stopped_run_continues_while_readers_read(
    engine: Engine, database_url: str, fresh: Engine, tmp_path: Path
) -> None:
    # There are so many sites that no site repeats the clutter often enough to learn it. Learned lines outdate
    # pages as well, and are not counted below.
    gates = {number: tmp_path / f"gate-{number}" for number in (15, 40, 65)}
    folder = write_pages(tmp_path / "in", 150, sites=11, gates=gates)
    for gate in gates.values():
        gate.touch()
    fill(engine, folder)
    fill(fresh, folder, rules.newer)
    for gate in gates.values():
        gate.unlink()
    steps = ((140, signal.SIGKILL), (120, signal.SIGTERM), (100, signal.SIGINT))
    for (left, number), gate in zip(steps, gates.values(), strict=True):
        # Fewer than at the start: the signal must come after the run has started.
        begun = count_outdated(engine, SETTINGS.rules_version) - 1
        process = start(database_url)
        while count_outdated(engine, SETTINGS.rules_version) > min(left, begun):
            assert process.poll() is None, process.communicate()
            groups = list(reader.groups(engine, min_size=1))
            assert len(groups) == len({group.canonical_article_id for group in groups})
            assert all(group.canonical_article_id for group in groups)
            time.sleep(0.01)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        gate.touch()
        if number is not signal.SIGKILL:
            assert (process.returncode, err) == (0, "")
            assert out.split()[1] == "True"
    assert count_outdated(engine, SETTINGS.rules_version) > 0
    process = start(database_url)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert 0 < int(out.split()[0]) <= 100
    assert contents(engine) == contents(fresh)


@pytest.mark.parametrize("seed", range(6))
def test_every_page_is_reprocessed_once_however_often_it_was_fetched(engine: Engine, seed: int) -> None:
    """Few URLs, texts and locations, fetched again and again with marks and advertisements that change."""
    chance = random.Random(seed)
    run = writer.start_run(engine, "test", START)
    marks = ["", "", "!clutter", "!retitled", "!accepted", "!refused"]
    for day in range(12):
        batch = []
        for _ in range(5):
            url = f"https://site.example/{chance.randrange(3)}"
            body = f"Title\n{story(chance.randrange(3), 40)}\n{chance.choice(marks)} {chance.randrange(3)}"
            location = f"{url}?from={chance.randrange(2)}"
            at = START + timedelta(minutes=chance.randrange(200))
            document = Document(location, url, body.encode(), MediaType.TEXT, at, Origin.CRAWL)
            process = rules.older if day < 9 else rules.newer
            batch.append(process(document, SETTINGS))
        writer.write_batch(engine, run, batch, SETTINGS)
    due = count_outdated(engine, SETTINGS.rules_version)
    pages = outdated(engine, SETTINGS.rules_version)
    outcomes = [rules.newer(page.document, SETTINGS) for page in pages]
    assert len(outcomes) == due > 0
    chance.shuffle(outcomes)
    for first in range(0, len(outcomes), 3):
        counts = writer.write_batch(engine, run, outcomes[first : first + 3], SETTINGS)
        assert counts.faults == 0
    assert count_outdated(engine, SETTINGS.rules_version) == 0
    assert not any(CLUTTER in row["text"] or row["title"] == "Old title" for row in view(engine, "articles"))


def test_pruned_pages_are_skipped_and_counted(engine: Engine, tmp_path: Path) -> None:
    folder = write_pages(tmp_path / "in")
    fill(engine, folder)
    before = contents(engine)
    kept = plan_prune(engine, keep_size=2_000).kept_pages
    assert 0 < kept < 60
    prune_pages(engine, plan_prune(engine, keep_size=2_000))
    for dry_run in (True, False):
        found = again(engine, dry_run=dry_run)
        assert (found.counts.seen, found.pruned) == (kept, 60 - kept)
    after = contents(engine)
    same = [url for url, row in before["articles"].items() if after["articles"].get(url) == row]
    assert 60 - kept - 12 <= len(same) < len(before["articles"]), "the rest is as the older rules made it"
    assert again(engine).pruned == 60 - kept


def test_a_page_that_kills_its_worker_twice_is_left_out_until_it_is_asked_for(
    engine: Engine, tmp_path: Path
) -> None:
    folder = write_pages(tmp_path / "in", 10)
    deadly = {"text": f"Deadly\n{story(77, 120)}\n!deadly", "url": "https://site0.example/deadly"}
    (folder / "b.jsonl").write_text(json.dumps(deadly))
    fill(engine, folder)
    before = [row for row in view(engine, "articles") if row["title"] == "Deadly"]
    assert len(before) == 1

    first = again(engine)
    assert (first.held, first.counts.reasons) == (0, {Reason.SECTION_FRONT: 1, Reason.WORKER_DIED: 1})
    assert again(engine).counts.reasons == {Reason.WORKER_DIED: 1}
    third = again(engine)
    assert (third.held, third.counts.seen) == (1, 0), "no worker is spent on it any more"
    assert third.regrouped is not None
    assert [row for row in view(engine, "articles") if row["title"] == "Deadly"] == before
    assert [row["reason"] for row in view(engine, "rejections")] == ["section front"], "the article stands"
    (one,) = list_quarantine(engine, SETTINGS)
    assert (one.failures, one.reason, one.url) == (2, "worker died", "https://site0.example/deadly")

    asked = again(engine, quarantined=True)
    assert (asked.held, asked.counts.seen, asked.counts.reasons) == (0, 1, {Reason.WORKER_DIED: 1})
    assert [one.failures for one in list_quarantine(engine, SETTINGS)] == [3]
    dry = again(engine, quarantined=True, dry_run=True)
    assert dry.counts.seen == 1
    assert [one.failures for one in list_quarantine(engine, SETTINGS)] == [3], "a dry run counts nothing"
    mended = again(engine, quarantined=True, process=rules.older)
    assert mended.counts.seen == 1
    assert list_quarantine(engine, SETTINGS) == []


def test_a_rejected_page_is_put_into_quarantine_by_reprocessing_too(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text(json.dumps({"text": f"Deadly\n{story(77, 120)}\n!deadly"}))
    fill(engine, folder, rules.newer)
    assert [row["reason"] for row in view(engine, "rejections")] == ["worker died"]
    assert again(engine).counts.reasons == {Reason.QUARANTINED: 1}
    assert [row["reason"] for row in view(engine, "rejections")] == ["quarantined"]
    assert again(engine).counts.seen == 0
    prune_pages(engine, plan_prune(engine, older_than=datetime.now(UTC)))
    assert again(engine, quarantined=True).released == 1
    counts = ingest(engine, [str(folder)], workers=1, settings=SETTINGS, process=rules.older).counts
    assert (counts.stored, counts.rejected) == (1, 0), "so that it is read when it comes again"
    assert view(engine, "rejections") == []


def test_watchlists_are_told_nothing_by_newer_rules(engine: Engine, tmp_path: Path) -> None:
    """Neither of texts and titles that differ now, nor of articles that were rejected before.

    What was told of articles that are refused now is deleted with them.
    """
    tells = ("copies", "corrections")
    add_watchlist(engine, Rule("all", "harbour OR ferry OR council OR bridge", tells=tells), START)
    fill(engine, write_pages(tmp_path / "in"))
    with engine.connect() as connection:
        told = select(schema.notification.c.id, schema.notification.c.kind)
        before = connection.execute(told).all()
    assert {row.kind for row in before} == {"story", "copy"}
    found = again(engine)
    assert found.changes.counts[ChangeKind.ACCEPTED] > 0
    assert found.changes.counts[ChangeKind.TEXT] > 0
    with engine.connect() as connection:
        after = connection.execute(told).all()
    assert len(after) == len(before) - found.changes.counts[ChangeKind.REFUSED]
    assert set(after) < set(before)
