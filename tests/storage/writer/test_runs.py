"""Runs, and counts of how their documents ended."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from pipeline.document import Reason
from storage import reader, writer
from storage.writer import BatchCounts
from tests.storage.news import SETTINGS, START, rejection, wire

LATER = START + timedelta(days=1)


def test_runs_add_up_while_they_run(engine: Engine) -> None:
    run = writer.start_run(engine, "ingest pages", START)
    writer.write_batch(engine, run, wire(4), SETTINGS)
    writer.write_batch(engine, run, [rejection("https://x.example/")], SETTINGS)

    row = reader.run(engine, run)
    assert row is not None
    assert (row.seen, row.stored, row.rejected, row.finished_at) == (5, 4, 1, None)
    assert row.reasons == {"no article": 1}

    writer.finish_run(engine, run, BatchCounts(seen=9, stored=4, unchanged=4, rejected=1), LATER)
    row = reader.run(engine, run)
    assert row is not None
    assert (row.seen, row.unchanged, row.finished_at) == (9, 4, LATER.replace(microsecond=0))
    assert writer.start_run(engine, "again", LATER) == run + 1


def test_counts_can_be_added() -> None:
    one = BatchCounts(seen=2, stored=1, rejected=1, reasons={Reason.EMPTY: 1})
    other = BatchCounts(seen=3, rejected=3, reasons={Reason.EMPTY: 1, Reason.STORAGE_ERROR: 2})

    assert one + other == BatchCounts(
        seen=5, stored=1, rejected=4, reasons={Reason.EMPTY: 2, Reason.STORAGE_ERROR: 2}
    )
    assert (one + other).faults == 2
