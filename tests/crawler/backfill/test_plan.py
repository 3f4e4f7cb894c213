"""The whole of a backfill gives what an ingest of the same files stores."""

from __future__ import annotations

from pathlib import Path

from crawler.backfill import Folder, find_parts, read_manifest
from crawler.backfill.engines import LocalEngine
from crawler.backfill.plan import backfill
from pipeline.settings import Settings
from tests.crawler.backfill.comparing import ingested, made_rows, stored_rows

SETTINGS = Settings()


def test_the_tables_of_the_examples_are_the_views_of_an_ingest(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "out"))
    parts = find_parts(["examples/news"], SETTINGS)
    engine = LocalEngine(folder, workers=2, memory_bytes=256 << 20)
    with folder.locked():
        result = backfill(
            engine, folder, parts, SETTINGS, workers=2, rows_per_bucket=30, task_memory=64 << 20
        )
    assert result.is_new
    stored = stored_rows(ingested(["examples/news"], SETTINGS, tmp_path / "news.db"), tmp_path)
    made = made_rows(tmp_path / "out")
    for name, rows in stored.items():
        assert made[name] == rows, name

    counts = result.manifest.counts
    assert counts["rows"] == {**{name: len(rows) for name, rows in stored.items()}, "pages": 72}
    assert counts["documents"]["stored"] == 71
    assert read_manifest(folder) == result.manifest
    # What was passed between stages is gone, and the folder is not filled again.
    assert sorted(path.name for path in (tmp_path / "out/work").iterdir()) == ["lock", "tmp"]
    with folder.locked():
        again = backfill(engine, folder, parts, SETTINGS, workers=2, rows_per_bucket=30, task_memory=64 << 20)
    assert not again.is_new
