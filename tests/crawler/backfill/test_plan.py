"""The whole of a backfill: what an ingest stores, the same from both engines, whatever is killed.

All tests of Spark are here, so that `make test` starts it once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from crawler.backfill import Folder, Result, backfill, find_parts, read_manifest
from crawler.backfill import inputs as backfill_inputs
from crawler.backfill import plan as backfill_plan
from crawler.backfill.engines import Engine, LocalEngine, SparkEngine
from crawler.sites import read_rulebook
from pipeline.settings import Settings
from storage.bulk import LEARNED, PUBLIC, ROWS
from tests.crawler.backfill.comparing import ingested, made_rows, stored_rows
from tests.crawler.backfill.engines.checks import CHECKS, Check
from tests.crawler.backfill.engines.squares import number_tasks, square
from tests.crawler.backfill.stages.test_process import check_bad_pages
from tests.crawler.backfill.world import World, make_world
from tests.docs.pages import blocks
from tests.waiting import wait_until

ROOT = Path(__file__).parents[3]
MEMORY = 256 << 20
# Every document is in a part with few others, and every bucket has few.
PART_FILES = 12
ROWS_PER_BUCKET = 80
TABLES = [*PUBLIC, "outcomes", "pages", *(f"rows/{name}" for name in (*ROWS, *LEARNED))]


@dataclass(frozen=True)
class Made:
    """A world, and the folder that the engine of this machine filled with it."""

    world: World
    settings: Settings
    folder: Path
    result: Result


def run(engine: Engine, folder: Folder, world: World, settings: Settings) -> Result:
    with folder.locked():
        return backfill(
            engine,
            folder,
            find_parts(world.inputs, settings),
            settings,
            workers=1,
            rows_per_bucket=ROWS_PER_BUCKET,
            task_memory=MEMORY // 4,
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    path = tmp_path_factory.mktemp("backfill")
    world = make_world(path / "world", 180, templates=40)
    settings = Settings(site_rules=read_rulebook(world.sites_file))
    folder = Folder(str(path / "local"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backfill_inputs, "PART_FILES", PART_FILES)
        with LocalEngine(folder, workers=2, memory_bytes=MEMORY) as engine:
            result = run(engine, folder, world, settings)
        yield Made(world, settings, path / "local", result)


def every_row(folder: Path) -> dict[str, list[str]]:
    """All rows of all tables that are kept, whatever their files."""
    found: dict[str, list[str]] = {}
    for name in TABLES:
        rows = [row for path in (folder / name).glob("*.parquet") for row in _rows(path)]
        found[name] = sorted(map(repr, rows))
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path, partitioning=None).to_pylist()
    return rows


def test_the_tables_are_the_views_of_an_ingest(made: Made, tmp_path: Path) -> None:
    engine = ingested(made.world.inputs, made.settings, tmp_path / "news.db")
    stored = stored_rows(engine, tmp_path)
    tables = made_rows(made.folder)
    for name, rows in stored.items():
        assert tables[name] == rows, name
    counts = made.result.manifest.counts
    assert counts["rows"].items() >= {name: len(rows) for name, rows in stored.items()}.items()

    # The world has what it promises.
    assert counts["documents"]["revised"] > 5
    assert counts["documents"]["unchanged"] > 5
    assert {"malformed record", "empty", "unreadable"} <= counts["reasons"].keys()
    assert {row["kind"] for row in stored["copies"]} >= {"near", "partial"}
    assert max(row["size"] for row in stored["story_groups"]) > 3
    rules = {row["rule"].split(" ")[0] for row in stored["removed_text"]}
    assert {"wire.dateline", "site.gazette.clutter", "site.gazette.drop"} <= rules
    assert sum(pq.read_metadata(path).num_rows for path in made.folder.glob("rows/learned_line/*"))


def test_the_program_of_the_documentation_reads_the_tables(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    os.symlink(made.folder, "march")
    (program,) = (
        block.text for block in blocks("py", page="docs/how-to/backfill.md") if "duckdb" in block.text
    )
    exec(program, {})
    assert "outlet3.example" in capsys.readouterr().out


def test_a_complete_folder_is_not_filled_again(made: Made) -> None:
    folder = Folder(str(made.folder))
    assert made.result.is_new
    assert read_manifest(folder) == made.result.manifest
    # What was passed between stages is gone.
    assert sorted(os.listdir(made.folder / "work")) == ["lock", "tmp"]
    with LocalEngine(folder, workers=2, memory_bytes=MEMORY) as engine:
        assert not run(engine, folder, made.world, made.settings).is_new


def test_long_texts_are_settled_in_more_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stories = [" ".join(f"Word{n} of story {n} is number {k}." for k in range(150)) for n in range(20)]
    records = [{"url": f"https://a.example/{n}", "text": text} for n, text in enumerate(stories)]
    path = tmp_path / "long.jsonl"
    path.write_text("\n".join(map(json.dumps, records)))
    monkeypatch.setattr(backfill_plan, "_BUCKET_BYTES", sum(map(len, stories)) // 4)
    folder = Folder(str(tmp_path / "out"))
    with LocalEngine(folder, workers=2, memory_bytes=MEMORY) as engine, folder.locked():
        parts = find_parts([str(path)], Settings())
        backfill(engine, folder, parts, Settings(), workers=1, rows_per_bucket=1000, task_memory=MEMORY // 4)
    tables = [pq.read_table(file)["text"].to_pylist() for file in (tmp_path / "out/articles").iterdir()]
    assert len(tables) > 4
    assert sorted(text for texts in tables for text in texts) == sorted(stories)


def test_spark_makes_the_same_rows(made: Made, tmp_path: Path, session: Any) -> None:
    folder = Folder(str(tmp_path / "spark"))
    result = run(SparkEngine(folder, session), folder, made.world, made.settings)
    assert result.manifest.counts == made.result.manifest.counts
    expected = every_row(made.folder)
    for name, rows in every_row(tmp_path / "spark").items():
        assert rows == expected[name], name


def test_a_driver_that_is_killed_goes_on_where_it_was(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    program = (
        "import crawler.backfill.inputs as inputs\n"
        f"inputs.PART_FILES = {PART_FILES}\n"
        "from copydesk.__main__ import main\n"
        "main()\n"
    )
    command = [
        *(sys.executable, "-c", program, "backfill", *made.world.inputs, "--out", str(out)),
        *("--sites", made.world.sites_file, "--rows-per-bucket", str(ROWS_PER_BUCKET)),
        *("--workers", "2", "--memory", "256MiB"),
    ]
    # While parts are processed, between two stages, while tables are made; the last one ends in order.
    times: dict[Path, int] = {}
    for pattern, ending in (
        ("work/done/process/*", signal.SIGKILL),
        ("work/done/verify/*", signal.SIGKILL),
        ("articles/*", signal.SIGINT),
    ):
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as driver:
            wait_until(lambda: any(out.glob(pattern)) or driver.poll() is not None)  # noqa: B023
            driver.send_signal(ending)
            said = driver.communicate()[1]
        assert driver.returncode == (130 if ending == signal.SIGINT else -signal.SIGKILL), (pattern, said)
        for path in (*times, *out.glob("outcomes/*")):
            assert times.setdefault(path, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
    assert "interrupted: finished parts are kept" in said
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = every_row(made.folder)
    for name, rows in every_row(out).items():
        assert rows == expected[name], name


@pytest.mark.parametrize("check", CHECKS)
def test_spark_does_what_engines_must_do(check: Check, tmp_path: Path, session: Any) -> None:
    folder = Folder(str(tmp_path / "out"))
    check(lambda **more: SparkEngine(folder, session, **more), folder)


def test_a_page_that_hangs_or_kills_its_process_on_spark(tmp_path: Path, session: Any) -> None:
    check_bad_pages(lambda folder: SparkEngine(folder, session), tmp_path)


def test_an_executor_that_is_killed_is_replaced(tmp_path: Path, session: Any) -> None:
    folder = Folder(str(tmp_path))
    tasks = number_tasks(folder, 4)
    tasks[2] = replace(tasks[2], kills_executor=True)
    SparkEngine(folder, session).tasks("square", tasks, square)
    assert folder.counts("square") == {"squares": 4}
    assert len((tmp_path / "n2.attempts").read_text().split()) == 2
