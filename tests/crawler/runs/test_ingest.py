"""A run from files loses and repeats nothing, whatever interrupts it."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, table, update

import pipeline.settings
from crawler.files.paths import read_paths
from crawler.runs import drive as run_module
from crawler.runs.drive import Finished, drive
from crawler.runs.ingest import ingest
from crawler.workers.reading.ahead import CHUNKS_AHEAD
from pipeline.document import Document, Reason, Rejection
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from storage import schema
from storage.database import open_database
from storage.writer import BatchCounts
from storage.writing import list_quarantine
from tests import forked
from tests.chaos.processes import in_sessions
from tests.crawler import misbehaving
from tests.crawler.drive import process
from tests.storage.news import cut, story, view
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[3]
SETTINGS = Settings()
VIEWS = ("articles", "unique_articles", "story_groups", "copies", "removed_text", "rejections")


def rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """All rows of the public views with their ids, without the number of the run."""
    return {
        name: [{k: v for k, v in row.items() if k != "run_id"} for row in view(engine, name)]
        for name in VIEWS
    }


def write_input(folder: Path, count: int = 120, *, slow: float = 0.0, gate: Path | None = None) -> Path:
    """Stories of several outlets in JSONL, whole, cut and repeated, with bad lines among them."""
    chance = random.Random(3)
    texts = [story(n, 120) for n in range(count // 5)]
    lines = []
    for n in range(count):
        text = cut(chance.choice(texts), chance.choice([1.0, 1.0, 0.7]))
        pause = f"\n!sleep {slow}" if slow else ""
        if gate and n >= 20:
            pause = f"\n!await {gate}"  # so that a run does not end before the test ends it
        record = {"text": f"Headline {n % 11}\n{text}{pause}", "url": f"https://site{n % 5}.example/{n}"}
        if n % 17 == 0:
            record["text"] = "Only a headline"
        lines.append(json.dumps(record) if n % 13 else '{"text": ')
    folder.mkdir(exist_ok=True)
    (folder / "a.jsonl").write_text("\n".join(lines[: count // 2]) + "\n")
    (folder / "b.jsonl").write_text("\n".join(lines[count // 2 :]) + "\n")
    (folder / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for name in ("a.jsonl", "b.jsonl", "c.png"):
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))
    return folder


def run(engine: Engine, *paths: Path, workers: int = 2, **options: Any) -> Finished:
    options.setdefault("process", process)
    settings = options.pop("settings", SETTINGS)
    return ingest(engine, [str(path) for path in paths], workers=workers, settings=settings, **options)


class Watch:
    """Records the progress that a run reports."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.totals: list[int] = []

    def advance(self, counts: BatchCounts) -> None:
        self.seen.append(counts.seen)

    def total(self, documents: int) -> None:
        self.totals.append(documents)


def test_every_document_has_one_end_and_the_second_run_stores_nothing(engine: Engine, tmp_path: Path) -> None:
    folder = write_input(tmp_path / "in")
    watch = Watch()
    first = run(engine, folder, progress=watch)
    assert first.counts.seen == 121
    assert first.counts.stored == len(view(engine, "articles")) > 90
    assert first.counts.rejected == len(view(engine, "rejections"))
    assert first.counts.stored + first.counts.rejected == 121
    assert first.counts.reasons[Reason.MALFORMED_RECORD] == 10
    assert first.counts.reasons[Reason.UNSUPPORTED] == 1
    assert first.counts.grouped > 50
    assert first.counts.faults == 0
    assert not first.is_interrupted
    assert watch.totals == [121]
    assert watch.seen == sorted(watch.seen)
    assert watch.seen[-1] == 121
    before = rows(engine)
    second = run(engine, folder)
    assert second.counts == BatchCounts(seen=121, unchanged=121)
    assert rows(engine) == before
    runs = view(engine, "runs")
    assert [r["id"] for r in runs] == [first.run_id, second.run_id]
    assert all(r["finished_at"] for r in runs)


def test_the_rows_are_those_that_files_read_in_this_process_give(
    engine: Engine, tmp_path: Path, sqlite_url: str
) -> None:
    folder = write_input(tmp_path / "in")
    paths = [str(folder), str(ROOT / "examples"), str(ROOT / "tests" / "pages")]
    done = ingest(engine, paths, workers=2, settings=SETTINGS, process=process)
    reference = open_database(sqlite_url)
    drive(
        reference, read_paths(paths, SETTINGS), workers=2, settings=SETTINGS, command="test", process=process
    )
    assert done.counts.seen > 400
    assert rows(engine) == rows(reference)
    reference.dispose()


def test_ids_follow_the_source_whichever_worker_is_first(tmp_path: Path, sqlite_url: str) -> None:
    chance = random.Random(5)
    with open(tmp_path / "a.jsonl", "w") as file:
        for n in range(60):
            text = f"Title\n{story(n, 60)}\n!sleep {chance.choice([0, 0, 0.05])}"
            file.write(json.dumps({"text": text, "url": f"https://outlet.example/{n}"}) + "\n")
    engine = open_database(sqlite_url)
    run(engine, tmp_path / "a.jsonl", workers=3)
    ids = {row["id"]: int(row["url"].rpartition("/")[2]) for row in view(engine, "articles")}
    assert [ids[id] for id in sorted(ids)] == list(range(60))
    engine.dispose()


def test_new_documents_are_stored_and_changed_ones_are_revised(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    records = [{"text": f"Title\n{story(n)}", "url": f"https://outlet.example/{n}"} for n in range(5)]

    def write(time: int) -> None:
        path.write_text("\n".join(map(json.dumps, records)))
        os.utime(path, (time, time))

    write(1_700_000_000)
    assert run(engine, path).counts.stored == 5
    records[2]["text"] += "\nA correction."
    records.append({"text": f"Title\n{story(9)}", "url": "https://outlet.example/9"})
    write(1_700_009_000)
    counts = run(engine, path).counts
    assert (counts.seen, counts.stored, counts.revised, counts.unchanged) == (6, 1, 1, 4)


def test_the_same_bytes_at_two_locations_are_two_documents(engine: Engine, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"Title\n{story(1)}")
    assert run(engine, tmp_path).counts.stored == 2
    (copy,) = view(engine, "copies")
    assert copy["kind"] == "exact"


def test_documents_that_hang_or_crash_cost_only_themselves_and_are_tried_again_once(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = ["ok"] * 5 + ["hang", "kill", "raise words", "exit 1"] + ["ok"] * 5
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"text": body, "id": n}) for n, body in enumerate(bodies)))

    def ingested() -> Counter[Reason]:
        settings = replace(SETTINGS, timeout_seconds=3)
        counts = run(engine, path, process=misbehaving.process, settings=settings).counts
        assert counts.seen == 14
        assert counts.reasons[Reason.INTERNAL_ERROR] == counts.faults == 1
        return Counter(counts.reasons)

    first, second, third = ingested(), ingested(), ingested()
    assert (first[Reason.TIMEOUT], first[Reason.WORKER_DIED], first[Reason.QUARANTINED]) == (1, 2, 0)
    assert (second[Reason.TIMEOUT], second[Reason.WORKER_DIED], second[Reason.QUARANTINED]) == (0, 0, 3)
    assert not {Reason.TIMEOUT, Reason.WORKER_DIED, Reason.QUARANTINED} & third.keys()
    assert len(view(engine, "rejections")) == 14
    assert [one.failures for one in list_quarantine(engine, SETTINGS)] == [2, 2, 2]

    monkeypatch.setattr(pipeline.settings, "_code_version", lambda: "copydesk-9.9.9")
    assert ingested()[Reason.WORKER_DIED] == 2, "different code tries them again"


def test_a_run_that_continues_a_killed_one_counts_its_failures_once(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "kill", "id": 1}))
    run(engine, path, process=misbehaving.process)
    with engine.begin() as connection:
        connection.execute(update(schema.run).values(finished_at=None))
    failures = []
    for _ in range(2):
        run(engine, path, process=misbehaving.process)
        with engine.connect() as connection:
            failures.append(connection.scalar(select(schema.quarantine.c.failures)))
    assert failures == [1, 2], "the run after it tries the document again"


def test_a_worker_that_dies_of_what_another_run_has_stored_meanwhile_leaves_no_rejection(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": f"kill is the first word\n{story(1)}", "id": 1}))
    assert run(engine, path).counts.stored == 1
    # As in a run that looked for it before it was there.
    read = read_paths([str(path)], SETTINGS)
    options: dict[str, Any] = {"workers": 1, "settings": SETTINGS, "command": "ingest", "skips_known": False}
    again = run_module.drive(engine, read, process=misbehaving.process, **options)
    assert (again.counts.seen, again.counts.unchanged) == (1, 1)
    assert view(engine, "rejections") == []


def test_a_missing_path_leaves_no_run_behind(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(OperatorError):
        run(engine, tmp_path / "gone")
    assert view(engine, "runs") == []


def test_a_reading_error_is_raised_after_the_documents_before_it_are_stored(
    tmp_path: Path, sqlite_url: str
) -> None:
    read = list(read_paths([str(write_input(tmp_path / "in", 40))], SETTINGS))

    def broken() -> Iterator[Document | Rejection]:
        yield from read[:20]
        raise RuntimeError("a disk went away")

    engine = open_database(sqlite_url)
    with pytest.raises(RuntimeError, match="a disk went away"):
        drive(engine, broken(), workers=2, settings=SETTINGS, command="test", process=process)
    assert len(view(engine, "articles")) + len(view(engine, "rejections")) == 20
    engine.dispose()


def test_an_error_in_writing_ends_the_run_and_the_workers(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> BatchCounts:
        raise OperatorError("the disk is full")

    monkeypatch.setattr(run_module, "write_batch", full)
    engine = open_database(sqlite_url)
    with pytest.raises(OperatorError, match="the disk is full"):
        run(engine, write_input(tmp_path / "in", 200, slow=0.01))
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "copydesk-workers"])
    engine.dispose()


def test_the_number_of_unwritten_documents_is_bounded(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = 0
    document = misbehaving.document("sleep 0.01 " + "x" * 500_000)

    def source() -> Iterator[Document]:
        nonlocal given
        for n in range(150):
            given += 1
            yield replace(document, location=f"doc-{n}")

    lead: list[int] = []

    class Behind(Watch):
        def advance(self, counts: BatchCounts) -> None:
            lead.append(given - counts.seen)

    monkeypatch.setattr(run_module, "_WINDOW_BYTES", 5_000_000)
    monkeypatch.setattr(run_module, "BATCH_SIZE", 5)
    engine = open_database(sqlite_url)
    options: dict[str, Any] = {"workers": 2, "settings": SETTINGS, "command": "test"}
    done = drive(engine, source(), process=misbehaving.process, progress=Behind(), **options)
    assert done.counts.seen == 150
    # The window, one chunk that was admitted under its bound, the documents read ahead, and a batch.
    assert max(lead) <= 10 + 3 + 3 * (CHUNKS_AHEAD + 2) + 5
    engine.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'base.db'}"


# --- killed runs -----------------------------------------------------------------------------------


PROGRAM = "import sys; from tests.crawler import drive; drive.main(*sys.argv[1:])"


def command(url: str, *paths: Path, batch_size: int = 4, workers: int = 2) -> list[str]:
    return [sys.executable, "-c", PROGRAM, url, str(batch_size), str(workers), *map(str, paths)]


def start_group(url: str, *paths: Path) -> forked.Started:
    """A run whose workers are in its own process group."""
    return forked.Started(command(url, *paths), cwd=ROOT, has_session=True)


def ended(engine: Engine) -> int:
    """The number of stored documents: articles and rejections."""
    with engine.connect() as connection:
        counts = (
            connection.scalar(select(func.count()).select_from(table(name)))
            for name in ("articles", "rejections")
        )
        return sum(count or 0 for count in counts)


def wait_until_ended(engine: Engine, process: forked.Started, count: int) -> None:
    while ended(engine) < count:
        if process.poll() is not None:
            raise AssertionError(f"the run ended early: {process.communicate()}")
        time.sleep(0.01)


def test_a_run_that_is_killed_repeatedly_ends_like_an_uninterrupted_one(
    engine: Engine, database_url: str, tmp_path: Path, sqlite_url: str
) -> None:
    folder = write_input(tmp_path / "in", 160, slow=0.01)
    reference = open_database(sqlite_url)
    run(reference, folder)
    chance = random.Random(11)
    kills = 0
    for wanted in (1, 40, 41, 90, 140):
        sized = command(database_url, folder, batch_size=chance.choice([1, 4, 7]))
        process = forked.Started(sized, cwd=ROOT)
        wait_until_ended(engine, process, wanted)
        time.sleep(chance.random() * 0.1)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        assert ended(engine) <= 161
    assert kills >= 4
    done = forked.run(command(database_url, folder), cwd=ROOT, check=True)
    assert int(done.stdout.split()[0]) == 161
    assert rows(engine) == rows(reference)
    reference.dispose()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order(number: signal.Signals, tmp_path: Path, sqlite_url: str) -> None:
    gate = tmp_path / "gate"
    folder = write_input(tmp_path / "in", gate=gate)
    engine = open_database(sqlite_url)
    process = start_group(sqlite_url, folder)
    wait_until_ended(engine, process, 8)
    os.killpg(process.pid, number)  # the workers get the signal too, as from a terminal or a service manager
    out, err = process.communicate(timeout=PATIENCE)
    wait_until(lambda: not in_sessions({process.pid}))
    assert (process.returncode, err) == (0, "")
    seen, *_, is_interrupted = out.split()
    assert is_interrupted == "True"
    assert 8 <= int(seen) <= 20
    assert ended(engine) == int(seen), "all that was counted is committed"
    (finished,) = view(engine, "runs")
    assert finished["finished_at"]
    gate.touch()
    again = run(engine, folder)
    assert (again.counts.seen, again.counts.unchanged) == (121, int(seen))
    reference = open_database(f"sqlite:///{tmp_path / 'reference.db'}")
    run(reference, folder)
    assert rows(engine) == rows(reference)
    for one in (engine, reference):
        one.dispose()


def test_a_second_signal_ends_the_program_at_once(tmp_path: Path, sqlite_url: str) -> None:
    begun = tmp_path / "begun"
    record = {"text": f"Title\nText\n!touch {begun}\n!sleep 600"}
    (tmp_path / "a.jsonl").write_text("\n".join([json.dumps(record)] * 4))
    engine = open_database(sqlite_url)
    process = start_group(sqlite_url, tmp_path / "a.jsonl")
    wait_until(begun.exists)
    while process.poll() is None:  # a slow process takes two at once for one
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    process.communicate(timeout=PATIENCE)
    wait_until(lambda: not in_sessions({process.pid}))
    assert process.returncode == 128 + signal.SIGINT
    assert ended(engine) == 0
    engine.dispose()


def test_an_interrupted_run_does_not_wait_for_a_document_that_hangs(tmp_path: Path, sqlite_url: str) -> None:
    lines = [json.dumps({"text": f"Title\n{story(n, 50)}", "id": n}) for n in range(10)]
    lines[6] = json.dumps({"text": "Title\nText\n!sleep 29", "id": 6})
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    engine = open_database(sqlite_url)
    process = forked.Started(command(sqlite_url, tmp_path / "a.jsonl", batch_size=2), cwd=ROOT)
    wait_until_ended(engine, process, 6)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=PATIENCE)
    assert out.split() == ["6", "6", "0", "0", "True"], "a prefix of the source is stored, no more"
    engine.dispose()
