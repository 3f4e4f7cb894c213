"""Crawls sites by the clock, for months: what `copydesk schedule` calls.

Each crawl is a process of its own (`copydesk crawl SITE`): a reactor runs once a process, and one that
crashes or fills the memory ends one crawl. What runs when is APScheduler's affair; here it is given triggers,
and told when to look again, because its timers stand still while the machine sleeps.

Every event is one line of the log: its name, then `key=value`, with values in quotes where they hold more
than a word.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sized
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from scrapy.settings import Settings
from tzlocal import get_localzone

from crawler.fetch import require_contact
from crawler.monitor import metrics
from crawler.sites import (
    SHIPPED_SITES_FILE,
    Cron,
    Interval,
    Site,
    choose_sites,
    parse_schedule,
    parse_sites,
    sites_content,
    sites_path,
)
from pipeline.errors import OperatorError
from storage.crawls import last_starts
from storage.database import open_database

logger = logging.getLogger(__name__)

# After the first failure in a row a site is left alone for so long, then twice as long each time.
_FIRST_BACK_OFF = timedelta(minutes=10)
_LONGEST_BACK_OFF = timedelta(hours=6)
# A clock that went on, or back, by more than that beside the processor's own: the machine slept, or was set.
_JUMP_SECONDS = 60.0
# Of what a crawl said, so much is logged again.
_LINES = 10
_LINE_CHARACTERS = 400
_TAIL_BYTES = 1 << 16

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ALARMING = re.compile(r"\] (?:WARNING|ERROR|CRITICAL): ")
_WORD = re.compile(r"[^\s\"'=\\]+")

# What `copydesk crawl` ends with, see copydesk.status: done; done, but a fault of ours cost a document; done,
# but the site gives cause for concern; left out because another process was crawling it.
_DONE, _FAULTS, _ALERT, _BUSY = 0, 1, 3, 75


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be crawled, and how.

    sites_file: as for `read_sites`. names: sites to keep to; none for all that have a schedule.
    concurrent: crawls at a time. jitter: most seconds that a crawl begins after its time, for an interval at
    most a tenth of it.
    overrun: seconds that a crawl may take beyond its site's time budget, to start and to store what it
    fetched; then it is told to end, and killed `patience` seconds later.
    watch: seconds between two looks at the sites file and at the clock.
    """

    database_url: str
    sites_file: str | None = None
    names: tuple[str, ...] = ()
    concurrent: int = 4
    jitter: float = 60.0
    overrun: float = 600.0
    patience: float = 120.0
    watch: float = 2.0


@dataclass(frozen=True, slots=True)
class Stopped:
    """The signal that ended it, and whether crawls were killed because a second one came."""

    signal: int
    killed: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """How a crawl ended.

    status: what it exited with; negative: by that signal; None: it could not be started. overdue: it took too
    long and was made to end. counts, said: what it told of its work, and the last lines of its log.
    """

    status: int | None
    seconds: float = 0.0
    overdue: bool = False
    counts: Mapping[str, Any] = field(default_factory=dict)
    said: tuple[str, ...] = ()


def run(plan: Plan) -> Stopped:
    """Crawl by the clock until SIGTERM or SIGINT; crawls under way are told to end then, and waited for.

    SIGHUP reads the sites file again, and gives sites that failed their usual time back. Raises OperatorError
    before anything is crawled, for mistakes in the sites file, an unusable database, and nothing to do.
    """
    return asyncio.run(_Schedule(plan).run())


def trigger(timing: Interval | Cron, zone: tzinfo, jitter: float) -> Any:
    """Return APScheduler's trigger; jitter: most seconds after the exact time."""
    if isinstance(timing, Interval):
        return _Trigger(timing.every, None, min(jitter, timing.every.total_seconds() / 10))
    one = {
        "minute": _listed(timing.minutes, 60),
        "hour": _listed(timing.hours, 24),
        "month": _listed(timing.months, 12),
        "timezone": zone,
    }
    day = {"day": _listed(timing.days, 31)}
    weekday = {"day_of_week": ",".join(_WEEKDAYS[number] for number in timing.weekdays)}
    if timing.either:
        return _Trigger(None, OrTrigger([CronTrigger(**one, **day), CronTrigger(**one, **weekday)]), jitter)
    return _Trigger(None, CronTrigger(**one, **day, **weekday), jitter)


def first_time(
    timing: Interval | Cron, last: datetime | None, now: datetime, zone: tzinfo, jitter: float
) -> datetime:
    """When to crawl a site first, that was last crawled at `last`: what was missed is made up for once, soon.

    A site that was never crawled is, if it has an interval; one with a cron line waits for its time. Soon is
    some moment of the next `jitter` seconds: not all of them at once.
    """
    soon = now + timedelta(seconds=random.uniform(0, jitter))
    times = trigger(timing, zone, jitter)
    if last is None:
        return soon if isinstance(timing, Interval) else _time(times, None, now)
    due = _time(times, min(last, now), now)
    return soon if due <= now else due


def back_off(failures: int) -> timedelta:
    """How long a site is left alone after so many failures in a row."""
    return min(_FIRST_BACK_OFF * (1 << min(failures - 1, 10)), _LONGEST_BACK_OFF)


def event(name: str, **values: object) -> str:
    """One line of the log: `name key=value …`, fit for eyes and for grep, whatever the values hold."""
    told = (f"{key}={_shown(value)}" for key, value in values.items() if value is not None)
    return " ".join((name, *told))


def log_events() -> None:
    """Write the events to standard error, with the time in UTC, or as journald wants them if it reads."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JournalFormatter() if _is_journal() else _Formatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logger.setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


class _Trigger(BaseTrigger):  # type: ignore[misc]
    """An interval, or APScheduler's times, and up to `jitter` seconds; in UTC.

    APScheduler would add its own jitter by the local clock: in the hour that comes twice that leads back into
    its first round, and from there in circles.
    """

    __slots__ = ("every", "jitter", "times")

    def __init__(self, every: timedelta | None, times: Any, jitter: float) -> None:
        self.every = every
        self.times = times
        self.jitter = jitter

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        if self.every is not None:
            exact = (previous or now).astimezone(UTC) + self.every
        else:
            found = self.times.get_next_fire_time(previous, now)
            if found is None:
                return None
            exact = found.astimezone(UTC)
        return exact + timedelta(seconds=random.uniform(0, self.jitter))


class _Gauges:
    """What the scheduler shows a monitor beside what the database says of the sites."""

    def __init__(self, server: metrics.Server, running: Sized) -> None:
        name = "copydesk_schedule"
        server.gauge(f"{name}_crawls_running", "Crawls under way").set_function(lambda: len(running))
        self._next = server.gauge(f"{name}_next_timestamp_seconds", "When a site is crawled next", ("site",))
        self._failures = server.gauge(f"{name}_failures", "Crawls of a site that failed in a row", ("site",))

    def show(self, site: str, next_time: datetime, failures: int) -> None:
        self._next.labels(site).set(next_time.timestamp())
        self._failures.labels(site).set(failures)

    def forget(self, site: str) -> None:
        for gauge in (self._next, self._failures):
            with suppress(KeyError):  # not shown yet
                gauge.remove(site)


class _Schedule:
    """The sites, their jobs, and the crawls under way. Everything happens in one event loop."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._file = sites_path(plan.sites_file)
        self._content = b""
        self._sites: dict[str, Site] = {}
        self._zone = get_localzone()
        self._jobs = AsyncIOScheduler(timezone=UTC)
        self._slots = asyncio.Semaphore(plan.concurrent)
        self._turns: set[asyncio.Task[None]] = set()
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._gauges: _Gauges | None = None
        self._last: dict[str, datetime] = {}
        self._failures: Counter[str] = Counter()
        self._signals: list[int] = []
        self._stopping = asyncio.Event()
        self._seen = _state(self._file)
        self._is_settled = True
        self._drift = time.time() - time.monotonic()

    async def run(self) -> Stopped:
        content, sites = self._read(is_first=True)
        if not sites:
            raise OperatorError(
                f"{self._file or SHIPPED_SITES_FILE}: no site that is to be crawled has a schedule;"
                " give it one, e.g. schedule = 'every 30 min'"
            )
        engine = open_database(self._plan.database_url)
        self._last = last_starts(engine)
        engine.dispose()
        address = metrics.address_from(os.environ)
        server = metrics.serve(self._plan.database_url, *address) if address else None
        if server is not None:
            self._gauges = _Gauges(server, self._running)
            _say("metrics", port=server.port)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        self._jobs.add_listener(self._left_out, EVENT_JOB_MAX_INSTANCES)
        self._jobs.start()
        _say("started", sites=len(sites), concurrent=self._plan.concurrent, timezone=self._zone)
        self._take_over(content, sites)
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._plan.watch)
            self._look()
        self._jobs.pause()
        if self._turns:
            await asyncio.wait(self._turns)
        self._jobs.shutdown(wait=False)
        if server is not None:
            server.close()
        _say("stopped", signal=signal.Signals(self._signals[0]).name)
        return Stopped(self._signals[0], killed=len(self._signals) > 1)

    # The sites file.

    def _read(self, *, is_first: bool = False) -> tuple[bytes, dict[str, Site]]:
        """The file's content, and the sites of it that are to be crawled by the clock."""
        content = sites_content(self._file)
        found = parse_sites(content, str(self._file or SHIPPED_SITES_FILE))
        if is_first or not self._plan.names:
            chosen = choose_sites(found, self._plan.names)
        else:
            chosen = [found[name] for name in self._plan.names if name in found]
        settings = Settings()
        settings.setmodule("crawler.settings", priority="project")
        require_contact(settings, chosen)
        without = [site.key for site in chosen if site.schedule is None]
        if without:
            _say("without-schedule", sites=",".join(without), remedy="schedule = 'every 30 min'")
        return content, {site.key: site for site in chosen if site.schedule is not None}

    def _take_over(self, content: bytes, sites: dict[str, Site]) -> None:
        """Make these the sites: new ones start, changed ones start anew, those that are gone stop."""
        before, self._sites, self._content = self._sites, sites, content
        for key in sorted(before.keys() - sites.keys()):
            self._jobs.remove_job(key)
            self._failures.pop(key, None)
            if self._gauges is not None:
                self._gauges.forget(key)
            _say("unscheduled", site=key)
            if key in self._running:
                self._end(key)
        self._arrange(
            key for key, site in sites.items() if key not in before or before[key].schedule != site.schedule
        )

    def _arrange(self, keys: Iterable[str]) -> None:
        now = datetime.now(UTC)
        for key in keys:
            timing, jitter = self._timing(key), self._plan.jitter
            first = first_time(timing, self._last.get(key), now, self._zone, jitter)
            self._jobs.add_job(
                self._turn,
                trigger(timing, self._zone, jitter),
                args=[key],
                id=key,
                next_run_time=first,
                # What was missed is made up for once, however late; never is a site crawled twice at a time.
                coalesce=True,
                misfire_grace_time=None,
                max_instances=1,
                replace_existing=True,
            )
            _say("scheduled", site=key, schedule=self._sites[key].schedule, next=first)

    def _timing(self, key: str) -> Interval | Cron:
        return parse_schedule(self._sites[key].schedule or "")

    def _reload(self) -> None:
        try:
            content, sites = self._read()
        except OperatorError as error:
            _say("sites-refused", logging.ERROR, error=error, kept=len(self._sites))
            return
        if content != self._content:
            _say("sites-reloaded", sites=len(sites))
            self._take_over(content, sites)

    def _hang_up(self) -> None:
        """SIGHUP: somebody has mended something, so what failed gets its usual time again."""
        failed, self._failures = self._failures, Counter()
        self._reload()
        self._arrange(key for key in failed if key in self._sites)

    def _look(self) -> None:
        """Has the file changed, and is no longer being written? Has the machine slept? Is anything due?"""
        state = _state(self._file)
        if state != self._seen:
            self._seen, self._is_settled = state, False
        elif not self._is_settled:
            self._is_settled = True
            self._reload()
        drift = time.time() - time.monotonic()
        jump, self._drift = drift - self._drift, drift
        if abs(jump) > _JUMP_SECONDS:
            _say("clock-jumped", seconds=round(jump))
            self._arrange(self._sites)
        self._jobs.wakeup()
        if self._gauges is not None:
            for job in self._jobs.get_jobs():
                self._gauges.show(job.id, job.next_run_time, self._failures[job.id])

    # Crawls.

    async def _turn(self, key: str) -> None:
        """A site's time has come: crawl it as soon as there is room."""
        task = asyncio.current_task()
        assert task is not None
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)
        async with self._slots:
            site = self._sites.get(key)
            if site is None or self._stopping.is_set():
                return
            self._last[key] = datetime.now(UTC)
            try:
                ended = await self._crawl(site)
            except OSError as error:
                ended = Ended(None, said=(str(error),))
        self._judge(key, ended)

    async def _crawl(self, site: Site) -> Ended:
        began = time.monotonic()
        with TemporaryDirectory(prefix="copydesk-schedule-", ignore_cleanup_errors=True) as name:
            sites_file, log, result = (Path(name) / part for part in ("sites.toml", "log", "result.json"))
            # As it was read here: whoever edits the file meanwhile spoils no crawl.
            sites_file.write_bytes(self._content)
            with log.open("wb") as said, result.open("wb") as counted:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, *_safe_path(), "-m", "copydesk", "crawl", site.key, "--json"),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=counted,
                    stderr=said,
                    env=_environment(self._plan.database_url, sites_file),
                    process_group=0,  # Ctrl-C on the terminal is for us; we tell the crawls
                )
            self._running[site.key] = process
            _say("crawl-began", site=site.key, pid=process.pid)
            if self._stopping.is_set() or site.key not in self._sites:
                self._end(site.key)
            try:
                overdue = await self._wait(site, process)
            finally:
                del self._running[site.key]
            return Ended(
                process.returncode,
                seconds=time.monotonic() - began,
                overdue=overdue,
                counts=_counts(result),
                said=_said(log),
            )

    async def _wait(self, site: Site, process: asyncio.subprocess.Process) -> bool:
        """Wait for a crawl to end, and make it if it does not; whether that was needed."""
        limit = site.politeness.time_budget + self._plan.overrun
        try:
            await asyncio.wait_for(process.wait(), limit)
        except TimeoutError:
            _say("crawl-overdue", logging.WARNING, site=site.key, seconds=round(limit))
            self._end(site.key)
            try:
                await asyncio.wait_for(process.wait(), self._plan.patience)
            except TimeoutError:
                self._kill(site.key)
                await process.wait()
            return True
        return False

    def _judge(self, key: str, ended: Ended) -> None:
        """Log how a crawl ended; a site that fails is left alone for a while."""
        # What it did is told at the very end: 1 without it is Python's word for a crash.
        is_done = ended.status in (_DONE, _FAULTS, _ALERT) and bool(ended.counts) and not ended.overdue
        was_told = self._stopping.is_set() or key not in self._sites
        is_failed = not is_done and not was_told and ended.status != _BUSY
        status = _status(ended.status)
        figures = {"site": key, "status": status, "seconds": round(ended.seconds, 1), **ended.counts}
        told = ended.said[-_LINES:] if is_failed else tuple(filter(_ALARMING.search, ended.said))[-_LINES:]
        for line in told:
            _say("crawl-said", logging.WARNING, site=key, line=line)
        if is_failed:
            self._failures[key] += 1
            again = self._put_off(key, back_off(self._failures[key]))
            _say("crawl-failed", logging.ERROR, **figures, failures=self._failures[key], next=again)
            return
        self._failures.pop(key, None)
        if ended.status == _BUSY:
            _say("crawl-left-out", **figures, reason="another process is crawling it")
        elif is_done:
            _say("crawl-done", logging.INFO if ended.status == _DONE else logging.WARNING, **figures)
        else:
            _say("crawl-stopped", **figures)

    def _put_off(self, key: str, rest: timedelta) -> datetime | None:
        """Crawl the site at its first time after the rest; returns when that is."""
        job = self._jobs.get_job(key)
        if job is None:
            return None
        not_before = datetime.now(UTC) + rest
        if job.next_run_time is None or job.next_run_time < not_before:
            is_cron = isinstance(self._timing(key), Cron)
            later = job.trigger.get_next_fire_time(None, not_before) if is_cron else not_before
            job = job.modify(next_run_time=later)
        at: datetime | None = job.next_run_time
        return at

    def _left_out(self, missed: Any) -> None:
        doing = "running" if missed.job_id in self._running else "waiting"
        _say("turn-left-out", logging.WARNING, site=missed.job_id, reason=f"the last one is still {doing}")

    # Ends.

    def _stop(self, number: int) -> None:
        """SIGTERM or SIGINT: the first lets crawls end in order, the next kills them."""
        self._signals.append(number)
        self._stopping.set()
        is_first = len(self._signals) == 1
        name = signal.Signals(number).name
        _say("stopping" if is_first else "killing", signal=name, crawls=len(self._running))
        for key in self._running:
            self._end(key) if is_first else self._kill(key)

    def _end(self, key: str) -> None:
        with suppress(ProcessLookupError):
            self._running[key].terminate()

    def _kill(self, key: str) -> None:
        """With its workers, which ignore SIGTERM."""
        with suppress(ProcessLookupError):
            os.killpg(self._running[key].pid, signal.SIGKILL)


def _say(name: str, level: int = logging.INFO, **values: object) -> None:
    logger.log(level, "%s", event(name, **values))


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(value))
    return text if _WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _time(times: Any, previous: datetime | None, now: datetime) -> datetime:
    """A trigger's next time; a schedule was read, so there is one."""
    found = times.get_next_fire_time(previous, now)
    assert isinstance(found, datetime)
    return found


def _listed(numbers: tuple[int, ...], of: int) -> str:
    return "*" if len(numbers) == of else ",".join(map(str, numbers))


def _state(file: Path | None) -> tuple[int, ...] | None:
    """What changes when the file does; None where there is none."""
    try:
        stat = file.stat() if file is not None else None
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat is not None else None


def _safe_path() -> tuple[str, ...]:
    """The option of Python that keeps the current folder from being imported from.

    Not where that is a checkout of this program, which may be installed nowhere.
    """
    return () if Path(__file__).parents[1].samefile(Path.cwd()) else ("-P",)


def _environment(database_url: str, sites_file: Path) -> dict[str, str]:
    """A crawl's environment. Not its arguments: others can read those, and the URL may hold a password."""
    own = {"COPYDESK_DB": database_url, "COPYDESK_SITES": str(sites_file)}
    # One port cannot serve the metrics of several crawls, nor theirs beside ours.
    return {**os.environ, **own, metrics.PORT_SETTING: "0"}


def _counts(result: Path) -> dict[str, Any]:
    """What a crawl says that it did; {} where it did not come to that."""
    try:
        found = json.loads(result.read_bytes())
        counts = {name: found["counts"][name] for name in ("stored", "revised", "unchanged", "rejected")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {"run": found.get("run"), "finished": found.get("finished"), **counts}


def _said(log: Path) -> tuple[str, ...]:
    """The last lines of a crawl's log."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return tuple(line[:_LINE_CHARACTERS] for line in lines if line.strip())


def _status(status: int | None) -> str:
    if status is None:
        return "not-started"
    if status >= 0:
        return str(status)
    try:
        return signal.Signals(-status).name
    except ValueError:
        return str(status)


def _is_journal() -> bool:
    """Whether standard error goes to journald, see systemd.exec(5), JOURNAL_STREAM."""
    stat = os.fstat(2)
    return os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


class _Formatter(logging.Formatter):
    converter = time.gmtime  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")


class _JournalFormatter(logging.Formatter):
    """Without the time, which journald knows, and with the priority in front, see sd-daemon(3)."""

    def format(self, record: logging.LogRecord) -> str:
        priority = 6 if record.levelno < logging.WARNING else 4 if record.levelno < logging.ERROR else 3
        return "\n".join(f"<{priority}>{line}" for line in super().format(record).splitlines())
