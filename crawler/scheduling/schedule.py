"""Crawls sites when their schedules say, for months: what `copydesk schedule` does.

APScheduler decides what runs when. The scheduler gives it triggers, and wakes it regularly, because its
timers stand still while the machine sleeps. Each crawl is a process of its own. Everything here happens in
one event loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from scrapy.settings import Settings
from tzlocal import get_localzone

from crawler.fetch import require_contact
from crawler.monitor import metrics
from crawler.notifications import from_environment
from crawler.scheduling.crawl_process import BUSY, DONE, CrawlEnd, CrawlProcess
from crawler.scheduling.events import log_event
from crawler.scheduling.gauges import Gauges
from crawler.scheduling.notifying import notify_regularly
from crawler.scheduling.plan import Plan
from crawler.scheduling.triggers import back_off, first_time, trigger
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

# If the clock moves by more than this against the monotonic one, the machine slept or the clock was set.
_JUMP_SECONDS = 60.0
# Lines of a crawl's log that are logged again.
_LOG_LINES = 10


@dataclass(frozen=True, slots=True)
class Stopped:
    """The signal that ended the scheduler, and whether crawls were killed because a second one came."""

    signal: int
    killed: bool


def run(plan: Plan) -> Stopped:
    """Crawl until SIGTERM or SIGINT; running crawls are terminated then, and waited for.

    SIGHUP reads the sites file again, and ends the back-off of sites that failed. Raises OperatorError before
    anything is crawled, for mistakes in the sites file, an unusable database, and no site with a schedule.
    """
    return asyncio.run(Scheduler(plan).run())


class Scheduler:
    """The sites, their jobs, and the running crawls."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._file = sites_path(plan.sites_file)
        self._file_state = _file_state(self._file)
        self._is_file_settled = True
        self._content = b""
        self._sites: dict[str, Site] = {}
        self._zone = get_localzone()
        self._jobs = AsyncIOScheduler(timezone=UTC)
        self._slots = asyncio.Semaphore(plan.concurrent)
        # Crawls that run or wait for a slot.
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[str, CrawlProcess] = {}
        self._gauges: Gauges | None = None
        self._last_starts: dict[str, datetime] = {}
        # Failed crawls in a row, by site.
        self._failures: Counter[str] = Counter()
        self._signals: list[int] = []
        self._stopping = asyncio.Event()
        self._clock_offset = time.time() - time.monotonic()

    async def run(self) -> Stopped:
        content, sites = self._read_sites(is_first=True)
        if not sites:
            raise OperatorError(
                f"{self._file or SHIPPED_SITES_FILE}: no site that is to be crawled has a schedule;"
                " give it one, e.g. schedule = 'every 30 min'"
            )
        from_environment()  # a mistake in the settings of notifications is reported before anything begins
        engine = open_database(self._plan.database_url)
        self._last_starts = last_starts(engine)
        engine.dispose()
        server = self._serve_metrics()
        self._handle_signals()
        self._jobs.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES)
        self._jobs.start()
        log_event("started", sites=len(sites), concurrent=self._plan.concurrent, timezone=self._zone)
        self._use_sites(content, sites)
        notifying = asyncio.create_task(
            notify_regularly(self._plan.database_url, self._plan.notify, self._stopping)
        )
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._plan.watch)
            self._check()
        self._jobs.pause()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await notifying
        self._jobs.shutdown(wait=False)
        if server is not None:
            server.close()
        log_event("stopped", signal=signal.Signals(self._signals[0]).name)
        return Stopped(self._signals[0], killed=len(self._signals) > 1)

    def _serve_metrics(self) -> metrics.Server | None:
        address = metrics.address_from(os.environ)
        if address is None:
            return None
        server = metrics.serve(self._plan.database_url, *address)
        self._gauges = Gauges(server, self._running)
        log_event("metrics", port=server.port)
        return server

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    # The sites file, and the jobs that follow from it.

    def _read_sites(self, *, is_first: bool = False) -> tuple[bytes, dict[str, Site]]:
        """Return the file's content, and its sites that are to be crawled. Raises OperatorError.

        A site that the plan names and the file does not have is an error at the first reading only.
        """
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
            log_event("without-schedule", sites=",".join(without), remedy="schedule = 'every 30 min'")
        return content, {site.key: site for site in chosen if site.schedule is not None}

    def _use_sites(self, content: bytes, sites: dict[str, Site]) -> None:
        """Schedule new sites, reschedule changed ones, and stop those that were removed."""
        before, self._sites, self._content = self._sites, sites, content
        for key in sorted(before.keys() - sites.keys()):
            self._jobs.remove_job(key)
            self._failures.pop(key, None)
            if self._gauges is not None:
                self._gauges.remove(key)
            log_event("unscheduled", site=key)
            if key in self._running:
                self._running[key].terminate()
        self._schedule_sites(
            key for key, site in sites.items() if key not in before or before[key].schedule != site.schedule
        )

    def _schedule_sites(self, keys: Iterable[str]) -> None:
        now = datetime.now(UTC)
        for key in keys:
            timing, jitter = self._timing(key), self._plan.jitter
            first = first_time(timing, self._last_starts.get(key), now, self._zone, jitter)
            self._jobs.add_job(
                self._crawl_when_free,
                trigger(timing, self._zone, jitter),
                args=[key],
                id=key,
                next_run_time=first,
                # A missed time is made up for once, however late; a site is never crawled twice at a time.
                coalesce=True,
                misfire_grace_time=None,
                max_instances=1,
                replace_existing=True,
            )
            log_event("scheduled", site=key, schedule=self._sites[key].schedule, next=first)

    def _timing(self, key: str) -> Interval | Cron:
        return parse_schedule(self._sites[key].schedule or "")

    def _reload(self) -> None:
        try:
            content, sites = self._read_sites()
        except OperatorError as error:
            log_event("sites-refused", logging.ERROR, error=error, kept=len(self._sites))
            return
        if content != self._content:
            log_event("sites-reloaded", sites=len(sites))
            self._use_sites(content, sites)

    # What is checked regularly.

    def _check(self) -> None:
        self._reload_if_changed()
        self._reschedule_after_a_jump()
        self._jobs.wakeup()
        if self._gauges is not None:
            for job in self._jobs.get_jobs():
                self._gauges.show(job.id, job.next_run_time, self._failures[job.id])

    def _reload_if_changed(self) -> None:
        """Reload the sites file when it has changed, and has not changed again since the last check."""
        state = _file_state(self._file)
        if state != self._file_state:
            self._file_state, self._is_file_settled = state, False
        elif not self._is_file_settled:
            self._is_file_settled = True
            self._reload()

    def _reschedule_after_a_jump(self) -> None:
        offset = time.time() - time.monotonic()
        jump, self._clock_offset = offset - self._clock_offset, offset
        if abs(jump) > _JUMP_SECONDS:
            log_event("clock-jumped", seconds=round(jump))
            self._schedule_sites(self._sites)

    # Crawls.

    async def _crawl_when_free(self, key: str) -> None:
        """The job of a site: crawl it as soon as fewer crawls run than may."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        async with self._slots:
            site = self._sites.get(key)
            if site is None or self._stopping.is_set():
                return
            self._last_starts[key] = datetime.now(UTC)
            try:
                end = await self._crawl(site)
            except OSError as error:
                end = CrawlEnd(None, log=(str(error),))
        self._report(key, end)

    async def _crawl(self, site: Site) -> CrawlEnd:
        async with await CrawlProcess.start(site.key, self._plan.database_url, self._content) as crawl:
            self._running[site.key] = crawl
            log_event("crawl-began", site=site.key, pid=crawl.pid)
            if self._stopping.is_set() or site.key not in self._sites:
                crawl.terminate()
            try:
                is_overdue = await self._wait(site, crawl)
            finally:
                del self._running[site.key]
            return crawl.end(is_overdue=is_overdue)

    async def _wait(self, site: Site, crawl: CrawlProcess) -> bool:
        """Wait for a crawl, and end it if it takes too long; True if that was necessary."""
        limit = site.politeness.time_budget + self._plan.overrun
        try:
            await crawl.wait(limit)
            return False
        except TimeoutError:
            log_event("crawl-overdue", logging.WARNING, site=site.key, seconds=round(limit))
            crawl.terminate()
        try:
            await crawl.wait(self._plan.patience)
        except TimeoutError:
            crawl.kill()
            await crawl.wait()
        return True

    def _report(self, key: str, end: CrawlEnd) -> None:
        """Log how a crawl ended; a site whose crawl failed waits for its back-off."""
        was_terminated = self._stopping.is_set() or key not in self._sites
        is_failed = not end.is_done and not was_terminated and end.status != BUSY
        values = {"site": key, "status": end.status_name, "seconds": round(end.seconds, 1), **end.counts}
        for line in (end.log if is_failed else end.warnings)[-_LOG_LINES:]:
            log_event("crawl-said", logging.WARNING, site=key, line=line)
        if is_failed:
            self._failures[key] += 1
            next_time = self._postpone(key, back_off(self._failures[key]))
            log_event("crawl-failed", logging.ERROR, **values, failures=self._failures[key], next=next_time)
            return
        self._failures.pop(key, None)
        if end.status == BUSY:
            log_event("crawl-left-out", **values, reason="another process is crawling it")
        elif end.is_done:
            log_event("crawl-done", logging.INFO if end.status == DONE else logging.WARNING, **values)
        else:
            log_event("crawl-stopped", **values)

    def _postpone(self, key: str, wait: timedelta) -> datetime | None:
        """Crawl the site at its first time after the wait; returns that time."""
        job = self._jobs.get_job(key)
        if job is None:
            return None
        not_before = datetime.now(UTC) + wait
        if job.next_run_time is None or job.next_run_time < not_before:
            is_cron = isinstance(self._timing(key), Cron)
            later = job.trigger.get_next_fire_time(None, not_before) if is_cron else not_before
            job = job.modify(next_run_time=later)
        next_time: datetime | None = job.next_run_time
        return next_time

    def _skipped(self, skipped: Any) -> None:
        """APScheduler skipped a time of a site, because the crawl before has not ended."""
        state = "running" if skipped.job_id in self._running else "waiting"
        reason = f"the last one is still {state}"
        log_event("turn-left-out", logging.WARNING, site=skipped.job_id, reason=reason)

    # Signals.

    def _hang_up(self) -> None:
        """SIGHUP: reload the sites file, and end the back-off of sites that failed."""
        failed, self._failures = self._failures, Counter()
        self._reload()
        self._schedule_sites(key for key in failed if key in self._sites)

    def _stop(self, number: int) -> None:
        """SIGTERM or SIGINT: the first lets crawls store what they fetched and end; the next kills them."""
        self._signals.append(number)
        self._stopping.set()
        is_first = len(self._signals) == 1
        name = signal.Signals(number).name
        log_event("stopping" if is_first else "killing", signal=name, crawls=len(self._running))
        for crawl in self._running.values():
            crawl.terminate() if is_first else crawl.kill()


def _file_state(file: Path | None) -> tuple[int, ...] | None:
    """A value that changes when the file does; None if there is none."""
    try:
        stat = file.stat() if file is not None else None
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat is not None else None
