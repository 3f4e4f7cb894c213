"""Compares ingest, both engines and loads of a large made world, which `make test` does with a small one.

    python -m tests.crawler.backfill [--documents 5000] [--without-spark]

The world is ingested into SQLite, and goes through `copydesk backfill` on this machine, and on Spark by
`spark-submit` to a standalone cluster of two executors, with the program of the documentation. All rows of
both folders are compared. The folder is loaded into SQLite and into a PostgreSQL of its own, and every public
view and private table is compared with what was ingested. It takes some minutes. The exit
status is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from crawler.backfill import Folder, backfill, find_parts
from crawler.backfill.engines import Engine, LocalEngine
from crawler.runs import ingest
from crawler.sites import read_rulebook
from pipeline.settings import Settings
from storage.bulk import load, plan_load
from storage.database import open_database
from storage.upkeep import check_integrity
from tests.crawler.backfill.cluster import Cluster, cluster
from tests.crawler.backfill.test_plan import every_row
from tests.crawler.backfill.world import World, make_world
from tests.docs.pages import blocks
from tests.postgres import start_postgres
from tests.storage.bulk.comparison import differences, private_differences

# Several buckets, and memory that sorting does not fit into as a whole.
ROWS, MEMORY = 1000, 64 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.crawler.backfill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--without-spark", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="copydesk-backfill-") as folder:
        faults = list(_faults(Path(folder), options.documents, not options.without_spark))
    print("\n".join(faults) or "everything is equal")
    return 1 if faults else 0


def _faults(folder: Path, documents: int, has_spark: bool) -> Iterator[str]:
    world = make_world(folder / "world", documents, templates=documents // 10)
    settings = Settings(site_rules=read_rulebook(world.sites_file))
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {what}", flush=True)

    wanted = open_database(f"sqlite:///{folder / 'ingested.db'}")
    done = ingest(wanted, world.inputs, workers=2, settings=settings)
    say(f"ingested: {done.counts}")
    local = Folder(str(folder / "local"))
    with LocalEngine(local, workers=2, memory_bytes=4 * MEMORY) as engine:
        _run(engine, local, world, settings)
    say("made on this machine")
    if has_spark:
        with cluster(folder / "spark-files") as spark:
            _submit(spark, folder / "spark", world)
        say("made on Spark")
        expected: dict[str, Any] = every_row(folder / "local")
        for name, rows in every_row(folder / "spark").items():
            if rows != expected[name]:
                yield f"Spark made other rows of {name}"
    server = start_postgres(folder / "postgres")
    try:
        for url in (f"sqlite:///{folder / 'loaded.db'}", server.get_uri()):
            loaded = open_database(url)
            load(loaded, plan_load(loaded, folder / "local", settings), settings)
            say(f"loaded into {loaded.dialect.name}")
            for found in (differences(wanted, loaded), private_differences(wanted, loaded)):
                for name, (missing, more) in found.items():
                    yield f"{loaded.dialect.name}: {name}: {len(missing)} rows missing, {len(more)} too many"
                    yield from (f"    {row[:300]}" for row in (*missing[:2], *more[:2]))
            for finding in check_integrity(loaded):
                if finding.count:
                    yield f"{loaded.dialect.name}: {finding}"
            loaded.dispose()
            say("compared")
    finally:
        server.cleanup()


def _submit(cluster: Cluster, out: Path, world: World) -> None:
    """As the documentation says, but without a packed environment: executors have the one of this program."""
    import pyspark

    (program,) = (
        block.text for block in blocks("py", page="docs/how-to/backfill.md") if "__main__" in block.text
    )
    script = cluster.home / "run.py"
    script.write_text(program)
    options = [part for name, value in cluster.settings.items() for part in ("--conf", f"{name}={value}")]
    arguments = ["--engine", "spark", "--rows-per-bucket", str(ROWS), "--memory", f"{MEMORY >> 20}MiB"]
    done = subprocess.run(
        [
            *(str(Path(pyspark.__file__).parent / "bin" / "spark-submit"), "--master", cluster.master),
            *(*options, str(script), "backfill", *world.inputs, "--out", str(out)),
            *(*arguments, "--sites", world.sites_file),
        ],
        env={
            **cluster.environment,
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": str(Path(__file__).parents[3]),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"spark-submit ended with {done.returncode}: {done.stdout[-5000:]}")


def _run(engine: Engine, folder: Folder, world: World, settings: Settings) -> None:
    parts = find_parts(world.inputs, settings)
    with folder.locked():
        backfill(engine, folder, parts, settings, workers=1, rows_per_bucket=ROWS, task_memory=MEMORY)


if __name__ == "__main__":
    sys.exit(main())
