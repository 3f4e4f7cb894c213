"""The process of a crawl: how it starts, and how its end is read."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from crawler.scheduling.crawl_process import CrawlEnd, CrawlProcess
from tests.waiting import PATIENCE

DATABASE = "postgresql://desk:secret@db.example/news"
SITES = b"[sites.gazette]\n"
COUNTS = {"stored": 3, "revised": 1, "unchanged": 0, "rejected": 2}
RESULT = json.dumps({"run": 7, "finished": True, "counts": {**COUNTS, "skipped": 9}})


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a shell script that is run in Python's place."""
    file = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(file))
    return file


def _crawl(python: Path, script: str) -> CrawlEnd:
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)

    async def crawl() -> CrawlEnd:
        async with await CrawlProcess.start("gazette", DATABASE, SITES) as process:
            await process.wait(PATIENCE)
            return process.end(is_overdue=False)

    return asyncio.run(crawl())


def test_a_crawl_that_was_done_has_the_counts_that_it_printed(python: Path) -> None:
    end = _crawl(python, f"echo '{RESULT}'")
    assert (end.status, end.is_done, end.status_name) == (0, True, "0")
    assert end.counts == {"run": 7, "finished": True, **COUNTS}


@pytest.mark.parametrize(
    "printed", ["", "Traceback", "[]", "null", '{"run": 7}', '{"counts": {"stored": 1}}']
)
def test_a_crash_that_looks_like_a_crawl_with_faults_is_not_done(python: Path, printed: str) -> None:
    end = _crawl(python, f"echo '{printed}'; exit 1")
    assert (end.status, end.counts, end.is_done) == (1, {}, False)


def test_a_signal_has_its_name(python: Path) -> None:
    end = _crawl(python, "kill -KILL $$")
    assert (end.status, end.status_name, end.is_done) == (-signal.SIGKILL, "SIGKILL", False)


@pytest.mark.parametrize(
    ("status", "is_overdue", "is_done"),
    [(0, False, True), (1, False, True), (3, False, True), (75, False, False), (2, False, False),
     (None, False, False), (-15, False, False), (0, True, False)],
)  # fmt: skip
def test_exit_statuses_that_count_as_done(status: int | None, is_overdue: bool, is_done: bool) -> None:
    assert CrawlEnd(status, is_overdue=is_overdue, counts={"stored": 0}).is_done is is_done


def test_a_status_without_a_name_is_shown_as_it_is() -> None:
    assert CrawlEnd(None).status_name == "not-started"
    assert CrawlEnd(-250).status_name == "-250"


def test_the_crawl_gets_the_sites_file_as_the_scheduler_read_it_and_no_password_as_an_argument(
    python: Path,
) -> None:
    end = _crawl(python, 'echo "$@" >&2; echo "$COPYDESK_DB" >&2; cat "$COPYDESK_SITES" >&2')
    arguments, database, sites = end.log
    assert arguments.endswith("-m copydesk crawl gazette --json")
    assert database == DATABASE
    assert sites == SITES.decode().strip()


def test_the_crawl_does_not_serve_metrics_on_the_schedulers_port(
    python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPYDESK_METRICS_PORT", "9410")
    assert _crawl(python, 'echo "port $COPYDESK_METRICS_PORT" >&2').log == ("port 0",)


def test_the_end_of_a_long_log_and_the_beginning_of_a_long_line_are_kept(python: Path) -> None:
    end = _crawl(
        python,
        "yes 'a line like any other' | head -n 20000 >&2; printf '%5000s\\n' x >&2; printf 'l\\377st\\n' >&2",
    )
    assert end.log[-1] == "l\ufffdst"
    assert len(end.log[-2]) == 400
    assert 1000 < len(end.log) < 4000


def test_the_warnings_of_a_log_are_its_warnings_and_errors() -> None:
    log = (
        "2026-03-01 10:00:00 [scrapy.core.engine] INFO: Spider opened",
        "2026-03-01 10:00:01 [crawler.fetch] WARNING: gazette.example failed 8 times in a row",
        "2026-03-01 10:00:02 [crawler.fetch] INFO: the page says ERROR: try again",
        "2026-03-01 10:00:03 [scrapy] ERROR: Error processing an item",
    )
    assert CrawlEnd(0, log=log).warnings == (log[1], log[3])


def test_nothing_of_a_crawl_stays_on_the_disk(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert _crawl(python, f"ls {folder} >&2").log[0].startswith("copydesk-schedule-")
    assert list(folder.iterdir()) == []
    python.unlink()

    async def start() -> None:
        await CrawlProcess.start("gazette", DATABASE, SITES)

    with pytest.raises(OSError, match="python"):
        asyncio.run(start())
    assert list(folder.iterdir()) == []


def test_a_crawl_and_its_workers_have_a_process_group_that_is_killed_whatever_they_ignore(
    python: Path,
) -> None:
    python.write_text("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 60; done\n")
    python.chmod(0o755)

    async def crawl() -> CrawlEnd:
        async with await CrawlProcess.start("gazette", DATABASE, SITES) as process:
            # Ctrl-C on the terminal is for the scheduler alone.
            assert os.getpgid(process.pid) == process.pid != os.getpgrp()
            with pytest.raises(TimeoutError):
                await process.wait(0)
            process.kill()
            await process.wait(PATIENCE)
            process.terminate()  # too late, and harmless
            process.kill()
            return process.end(is_overdue=True)

    assert asyncio.run(crawl()).status_name == "SIGKILL"
