"""The scheduler as an operator runs it: its process, its crawls, signals, and a sites file that changes."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from crawler.scheduling.plan import Plan
from crawler.scheduling.schedule import Scheduler
from pipeline.metadata import TDMREP_PATH
from storage.crawls.site_locks import SiteLocks
from storage.database import open_database
from storage.watching import outbox_counts
from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.notifications.hook import listening
from tests.crawler.notifications.outbox import put
from tests.crawler.web import Page, Web, article, rss, serve
from tests.waiting import PATIENCE, wait_until

NEVER = "0 0 29 2 *"


class Newsroom(Desk):
    """Outlets of one web, each with a feed and a story, and schedulers that are started on them."""

    def __init__(self, folder: Path, web: Web) -> None:
        super().__init__(folder)
        self.web = web
        self.process: forked.Started | None = None
        self.time_budget = 3600.0

    def schedule(self, **schedules: str | None) -> None:
        """Write the sites file: an outlet a keyword, with its schedule."""
        entries: dict[str, dict[str, Any]] = {}
        for number, (name, line) in enumerate(schedules.items()):
            self.web.pages.setdefault(f"/{name}/story", Page(article(number)))
            feed = rss([f"{self.web.base}/{name}/story"])
            self.web.pages.setdefault(f"/{name}.xml", Page(feed, "application/rss+xml"))
            entries[name] = {
                "homepage": f"{self.web.base}/",
                "feeds": [f"{self.web.base}/{name}.xml"],
                **({"schedule": line} if line else {}),
                "politeness": {"delay": 0, "time_budget": self.time_budget},
            }
        # As editors do it, in one step.
        desk = Desk(self.folder / "new")
        desk.folder.mkdir(exist_ok=True)
        desk.write_sites(entries)
        desk.sites_file.replace(self.sites_file)

    def environment(self) -> dict[str, str]:
        return super().environment() | {"COPYDESK_ALLOW_LOOPBACK": "1", "TMPDIR": str(self.folder)}

    @contextmanager
    def running(self, *arguments: str, plan: str = "", **variables: str) -> Iterator[forked.Started]:
        """`copydesk schedule` with these arguments, or with this Plan, which has values that no option
        sets.
        """
        command = ["-m", "copydesk", "schedule", "--jitter", "0", *arguments]
        if plan:
            program = "import os; from crawler.scheduling import *; log_events_to_stderr(); "
            command = ["-c", f"{program}run(Plan(os.environ['COPYDESK_DB'], jitter=0, {plan}))"]
        self.process = forked.Started(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment() | variables,
            forks_commands=True,
        )
        try:
            yield self.process
        finally:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        """What the scheduler that was started last has logged so far."""
        assert self.process is not None
        return self.process.said()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait for an event of the log, and return it."""

        def search() -> re.Match[str] | None:
            return re.search(pattern, self.log())

        wait_until(search, lambda: f"no {pattern!r} in:\n{self.log()}")
        found = search()
        assert found is not None
        return found

    def asked(self) -> set[str]:
        return {path for path, _ in self.web.log}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    with serve() as web:
        yield Newsroom(tmp_path, web)


@contextmanager
def _held(web: Web, path: str) -> Iterator[threading.Event]:
    """Delays the answer to a path until the context ends. The event is set when the path is requested."""
    asked, release, page = threading.Event(), threading.Event(), web.pages[path]

    def answer(handler: Any) -> None:
        asked.set()
        release.wait(PATIENCE)
        web.pages[path] = page
        handler._answer()

    web.pages[path] = answer
    try:
        yield asked
    finally:
        release.set()


def test_sites_are_crawled_when_due_and_the_sites_file_may_change(room: Newsroom) -> None:
    room.schedule(gazette="every 1 d", courier="every 1 d", herald=NEVER, mirror=None)
    open_database(room.url).dispose()
    with SiteLocks(room.url) as locks, room.running(plan="watch=0.2") as process:
        assert locks.take("courier")
        room.wait_for(r"INFO without-schedule sites=mirror ")
        done = room.wait_for(r"INFO crawl-done site=gazette status=0 .*stored=(\d+)")
        assert done[1] == "1"
        room.wait_for(r"INFO crawl-left-out site=courier status=75 .*another process")
        assert room.asked() == {"/robots.txt", "/gazette.xml", "/gazette/story", TDMREP_PATH}

        room.sites_file.write_text("[sites.gazette\n")
        room.wait_for(r"ERROR sites-refused error=\".*sites.toml: not valid TOML.* kept=3")

        room.schedule(courier="every 1 d", herald="every 1 d", mirror=NEVER)
        room.wait_for("INFO unscheduled site=gazette")
        room.wait_for("INFO scheduled site=mirror")
        room.wait_for("INFO crawl-done site=herald status=0")
        process.terminate()
        assert process.wait(PATIENCE) == 0
    log = room.log()
    assert "stopped signal=SIGTERM" in log
    assert log.count("scheduled site=courier") == 1, "what did not change keeps its time"
    assert log.count("crawl-began site=gazette") == 1
    assert not list(room.folder.glob("copydesk-schedule-*"))

    # The database has the time of the last crawl, so only overdue sites are crawled at once.
    room.schedule(gazette="every 1 d", tribune="every 1 d")
    with room.running("gazette", "tribune", COPYDESK_METRICS_PORT=str(_free_port())) as process:
        port = room.wait_for(r"metrics port=(\d+)")[1]
        room.wait_for("crawl-done site=tribune")
        planned = room.wait_for(r"scheduled site=gazette schedule=\"every 1 d\" next=(\S+)")
        next_time = datetime.fromisoformat(planned[1])
        assert next_time - datetime.now(UTC) > timedelta(hours=23)
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
            shown = answer.read().decode()
        assert "copydesk_schedule_crawls_running 0.0" in shown
        assert 'copydesk_schedule_failures{site="tribune"} 0.0' in shown
        found = re.search(r'copydesk_schedule_next_timestamp_seconds{site="gazette"} (\S+)', shown)
        assert found
        assert abs(float(found[1]) - next_time.timestamp()) < 2
        assert "copydesk_site_" in shown
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    assert "crawl-began site=gazette" not in room.log()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_due_notifications_are_delivered_while_it_runs(room: Newsroom) -> None:
    room.schedule(gazette=NEVER)
    engine = open_database(room.url)
    with listening() as hook:
        way = f"webhook:http://127.0.0.1:{hook.port}/hook"
        put(engine, "n1", way, created_at=datetime.now(UTC))
        private = {"COPYDESK_NOTIFY_PRIVATE_ADDRESSES": "127.0.0.1"}
        with room.running(plan="notify=0.2", **private) as process:
            room.wait_for("INFO notified delivered=1 failed=0 dead=0")
            hook.status = 500
            put(engine, "n2", way, created_at=datetime.now(UTC))
            room.wait_for("WARNING notified delivered=0 failed=1 dead=0")
            process.terminate()
            assert process.wait(PATIENCE) == 0
        assert [headers["webhook-id"] for headers, _ in hook.requests][:2] == ["n1", "n2"]
    assert outbox_counts(engine).waiting == 1
    engine.dispose()


def test_a_signal_ends_crawls_in_order_and_starts_no_further_one(room: Newsroom) -> None:
    room.schedule(gazette="every 1 d", herald="every 1 d")
    b = room.web.base
    room.web.pages["/gazette.xml"] = Page(rss([f"{b}/gazette/story", f"{b}/slow"]), "application/rss+xml")
    room.web.pages["/slow"] = Page(article(7))
    with room.running("--concurrent", "1") as process:
        with _held(room.web, "/slow") as asked:
            assert asked.wait(PATIENCE)
            process.terminate()
            room.wait_for("stopping signal=SIGTERM crawls=1")
        assert process.wait(PATIENCE) == 0
    room.wait_for("crawl-stopped site=gazette status=130 .*finished=shutdown stored=2")
    assert "herald" not in " ".join(room.asked())
    assert set(room.articles()) == {f"{b}/gazette/story", f"{b}/slow"}
    assert room.runs()[0].finished_at is not None


def test_a_second_signal_kills_crawls_with_their_workers(room: Newsroom) -> None:
    room.schedule(gazette="every 1 d")
    with room.running() as process, _held(room.web, "/gazette/story") as asked:
        group = int(room.wait_for(r"crawl-began site=gazette pid=(\d+)")[1])
        assert asked.wait(PATIENCE)
        process.terminate()
        room.wait_for("stopping signal=SIGTERM")
        process.terminate()
        assert process.wait(PATIENCE) == 1
        room.wait_for("killing signal=SIGTERM crawls=1")
        with pytest.raises(ProcessLookupError):
            _wait_until_gone(group)


def _wait_until_gone(group: int) -> None:
    """Raises ProcessLookupError when no process of the group is left."""
    wait_until(lambda: os.killpg(group, 0))


def test_the_scheduler_goes_on_when_crawls_die_fail_or_hang(room: Newsroom) -> None:
    """One is killed as if memory ran out, one has a broken database, and one hangs."""
    room.schedule(gazette="every 1 min", herald="every 1 d")
    with room.running("--concurrent", "1") as process, _held(room.web, "/gazette/story") as asked:
        crawl = int(room.wait_for(r"crawl-began site=gazette pid=(\d+)")[1])
        assert asked.wait(PATIENCE)
        for file in room.folder.glob("copydesk.db*"):
            if file.is_file():
                file.write_text("no database")
        os.kill(crawl, signal.SIGKILL)
        failed = room.wait_for(r"ERROR crawl-failed site=gazette status=SIGKILL .*failures=1 next=(\S+)")
        assert datetime.fromisoformat(failed[1]) - datetime.now(UTC) > timedelta(minutes=8)
        room.wait_for(r"WARNING crawl-said site=herald line=\"copydesk: .*is not a SQLite database")
        room.wait_for("ERROR crawl-failed site=herald status=2 .*failures=1")
        assert process.poll() is None
        process.send_signal(signal.SIGHUP)
        again = room.wait_for(r"(?s)crawl-failed site=herald.* scheduled site=gazette \S+ \S+ \S+ next=(\S+)")
        assert datetime.fromisoformat(again[1]) - datetime.now(UTC) < timedelta(minutes=2)
        process.terminate()
        assert process.wait(PATIENCE) == 0

    for file in room.folder.glob("copydesk.db*"):
        if file.is_file():
            file.unlink()
    room.time_budget = 0.5
    room.schedule(mirror="every 1 min")
    with room.running(plan="overrun=3, patience=0.5"):
        crawl = int(room.wait_for(r"crawl-began site=mirror pid=(\d+)")[1])
        os.kill(crawl, signal.SIGSTOP)
        room.wait_for(r"WARNING crawl-overdue site=mirror")
        room.wait_for(r"ERROR crawl-failed site=mirror status=SIGKILL")


def test_after_a_sleep_a_site_is_crawled_once(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room.schedule(gazette="every 1 h")
    for name, value in room.environment().items():
        monkeypatch.setenv(name, value)
    caplog.set_level(logging.INFO, "crawler.scheduling")
    schedule = Scheduler(Plan(room.url, jitter=0, watch=0.1))

    def told(name: str) -> int:
        return sum(message.startswith(f"{name} ") for message in caplog.messages)

    async def sleep_through_a_night() -> None:
        running = asyncio.create_task(schedule.run())
        await _until(lambda: told("crawl-done") == 1)
        # As after the machine wakes: the time of the job is long past.
        schedule._jobs.modify_job("gazette", next_run_time=datetime.now(UTC) - timedelta(hours=8))
        await _until(lambda: told("crawl-done") == 2)
        assert schedule._jobs.get_job("gazette").next_run_time > datetime.now(UTC)
        # The wall clock has advanced, and the monotonic clock has not.
        schedule._clock_offset -= 8 * 3600
        await _until(lambda: told("clock-jumped") == 1)
        schedule._stop(signal.SIGTERM)
        await running

    asyncio.run(sleep_through_a_night())
    assert told("crawl-began") == 2
    assert not [m for m in caplog.messages if m.startswith("clock-jumped") and "seconds=28800" not in m]


async def _until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("schedules", "arguments", "said"),
    [
        ({"gazette": None}, [], "no site that is to be crawled has a schedule"),
        ({"gazette": "every 1 d"}, ["gazete"], "did you mean gazette?"),
        ({"gazette": "every 1 d"}, ["--sites", "/no/such.toml"], "/no/such.toml: cannot be read"),
        ({"gazette": "every 1 d"}, ["--db", "sqlite:////no/such/folder/x.db"], "no such file or directory"),
    ],
)
def test_an_operators_mistake_is_one_line_at_the_start(
    room: Newsroom, schedules: dict[str, str | None], arguments: list[str], said: str
) -> None:
    room.schedule(**schedules)
    with room.running(*arguments) as process:
        assert process.wait(PATIENCE) == 2
    assert re.search(rf"^copydesk: .*{re.escape(said)}", room.log(), re.MULTILINE)
