"""Every stage of a backfill of a few documents is measured, and its load compared with an ingest."""

from __future__ import annotations

from pathlib import Path

from benchmarks.backfill import Measured, Stage, measure, show


def test_every_stage_is_measured_and_the_load_is_compared(tmp_path: Path) -> None:
    found = measure(24, tmp_path, workers=1, texts=True, database=None)
    assert found.unequal == []
    assert {"process", "settle", "neighbours", "verify", "groups", "tables", "learn"} <= found.stages.keys()
    assert found.stages["settle: outcomes by URL"].exchanged > 1000
    assert found.seconds("process") > 0
    assert found.rows > 24 * 30  # bands alone
    assert min(found.ingest, found.load, found.merge) > 0


def test_growth_is_the_power_of_the_number_of_documents() -> None:
    points = [
        Measured(
            n, 1.0, {"process": Stage("process", n**1.5)}, load=1.0, merge=3.0, load_wall=1, merge_wall=3
        )
        for n in (100, 10_000)
    ]
    lines = list(show(points, workers=2))
    assert [line for line in lines if "n^1.50" in line]
    assert "| load beside the writer, processor | 3.0 | 3.0 |  |" in lines
