"""A run from a source to the database: outcomes in the source's order, in batches, without gaps."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import pytest
from sqlalchemy import Engine

from crawler.runs import drive as run
from crawler.runs.drive import Finished, drive
from pipeline.document import Document, Outcome, Reason, Rejection, Stage
from pipeline.settings import Settings
from storage.writer import BatchCounts
from tests.crawler import misbehaving
from tests.crawler.misbehaving import document

SETTINGS = Settings()
NO_DATABASE = cast(Engine, None)


class Written:
    """Replaces the database, and keeps the outcomes of each batch."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def __call__(
        self, engine: Engine, run_id: int, outcomes: Sequence[Outcome], settings: Settings
    ) -> BatchCounts:
        self.batches.append([outcome.location for outcome in outcomes])
        return BatchCounts(seen=len(outcomes), rejected=len(outcomes))

    @property
    def locations(self) -> list[str]:
        return [location for batch in self.batches for location in batch]


class Shown:
    """Keeps what a run shows of its progress."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.totals: list[int] = []

    def advance(self, counts: BatchCounts) -> None:
        self.seen.append(counts.seen)

    def total(self, documents: int) -> None:
        self.totals.append(documents)


def unreadable(number: int) -> Rejection:
    at = document("").fetched_at
    return Rejection(f"doc-{number}", None, Stage.SOURCE, Reason.UNREADABLE, "", at, "test")


def run_of(source: Iterable[Document | Rejection], write: Written, **options: Any) -> Finished:
    return drive(
        NO_DATABASE,
        source,
        workers=2,
        settings=SETTINGS,
        command=None,
        process=misbehaving.process,
        skips_known=False,
        write=write,
        **options,
    )


def test_outcomes_are_written_in_the_order_of_the_source() -> None:
    source: list[Document | Rejection] = [document("sleep 0.2", 0), unreadable(1)]
    source += [document("length", number) for number in range(2, 9)]
    written = Written()
    finished = run_of(source, written)
    assert written.locations == [f"doc-{number}" for number in range(9)]
    assert finished == Finished(0, BatchCounts(seen=9, rejected=9), is_interrupted=False)


def test_full_batches_are_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH_SIZE", 4)
    written, shown = Written(), Shown()
    run_of(map(unreadable, range(10)), written, progress=shown)
    assert [len(batch) for batch in written.batches] == [4, 4, 2]
    assert (shown.seen, shown.totals) == ([4, 8, 10], [10])


class Slow(Written):
    """Takes five milliseconds of the processor for each outcome, as pages of one template do."""

    def __call__(
        self, engine: Engine, run_id: int, outcomes: Sequence[Outcome], settings: Settings
    ) -> BatchCounts:
        end = time.thread_time() + 0.005 * len(outcomes)
        while time.thread_time() < end:
            pass
        return super().__call__(engine, run_id, outcomes, settings)


def test_batches_are_smaller_where_writing_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BATCH_SIZE", 16)
    monkeypatch.setattr(run, "BATCH_SECONDS", 0.02)
    written = Slow()
    run_of(map(unreadable, range(64)), written)
    assert written.locations == [f"doc-{number}" for number in range(64)]
    assert all(len(batch) <= 4 for batch in written.batches[1:])


@pytest.mark.parametrize("batch", [1, 3])
def test_a_signal_does_not_wait_for_all_that_is_to_be_written(
    monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    class Interrupted(Slow):
        def __call__(
            self, engine: Engine, run_id: int, outcomes: Sequence[Outcome], settings: Settings
        ) -> BatchCounts:
            counts = super().__call__(engine, run_id, outcomes, settings)
            if len(self.batches) == batch:
                signal.raise_signal(signal.SIGINT)
            return counts

    monkeypatch.setattr(run, "BATCH_SIZE", 4)
    monkeypatch.setattr(run, "_GRACE_SECONDS", 0.1)
    written = Interrupted()
    finished = run_of([unreadable(number) for number in range(400)], written)
    assert finished.is_interrupted
    assert written.locations == [f"doc-{number}" for number in range(len(written.locations))]
    assert len(written.locations) < 100  # 0.1 s are 20 of them


def test_an_expected_total_is_shown_at_the_start() -> None:
    shown = Shown()
    run_of(map(unreadable, range(3)), Written(), progress=shown, expected=5)
    assert shown.totals[0] == 5


def test_a_source_fails_after_its_documents_are_written() -> None:
    def source() -> Iterator[Rejection]:
        yield from map(unreadable, range(3))
        raise OSError("the disk is gone")

    written = Written()
    with pytest.raises(OSError, match="the disk is gone"):
        run_of(source(), written)
    assert written.locations == ["doc-0", "doc-1", "doc-2"]


def test_an_empty_source_writes_nothing() -> None:
    written = Written()
    assert run_of([], written).counts == BatchCounts()
    assert written.batches == []
