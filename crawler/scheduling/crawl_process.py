"""One crawl in a process of its own, `copydesk crawl SITE`: how it is started, and how it ended.

A reactor runs once in a process, and a crawl that crashes or fills the memory ends only itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from crawler.monitor import metrics

# What `copydesk crawl` exits with, see copydesk.status: done; done, but an error of Copydesk's own cost a
# document; done, with an alert; not done because another process was crawling the site.
DONE, DONE_WITH_FAULTS, DONE_WITH_ALERT, BUSY = 0, 1, 3, 75

# The end of a crawl's log that is read, and the longest line that is kept of it.
_LOG_BYTES = 1 << 16
_LINE_CHARACTERS = 400

_WARNING = re.compile(r"\] (?:WARNING|ERROR|CRITICAL): ")


@dataclass(frozen=True, slots=True)
class CrawlEnd:
    """How a crawl ended.

    status: its exit status; negative: the signal that ended it; None: it could not be started.
    is_overdue: it took too long and was terminated. counts: what it printed of its work; {} if it
    printed none. log: the last lines of its log.
    """

    status: int | None
    seconds: float = 0.0
    is_overdue: bool = False
    counts: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """True if the crawl was carried out. A crash exits with 1 as well, but prints no counts."""
        was_successful = self.status in (DONE, DONE_WITH_FAULTS, DONE_WITH_ALERT)
        return was_successful and bool(self.counts) and not self.is_overdue

    @property
    def status_name(self) -> str:
        """The exit status, or the name of the signal."""
        if self.status is None:
            return "not-started"
        if self.status >= 0:
            return str(self.status)
        try:
            return signal.Signals(-self.status).name
        except ValueError:
            return str(self.status)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The lines of the log that are warnings or errors."""
        return tuple(filter(_WARNING.search, self.log))


class CrawlProcess:
    """A crawl that runs. Use it as `async with await CrawlProcess.start(...)`, which removes its files."""

    def __init__(self, folder: TemporaryDirectory[str]) -> None:
        self._folder = folder
        self._log = Path(folder.name) / "log"
        self._result = Path(folder.name) / "result.json"
        self._started = time.monotonic()
        self._process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, site: str, database_url: str, sites_content: bytes) -> Self:
        """Start a crawl of the site; raises OSError if that fails.

        sites_content: of the sites file as the scheduler read it, so that editing the file spoils no crawl.
        """
        crawl = cls(TemporaryDirectory(prefix="copydesk-schedule-", ignore_cleanup_errors=True))
        try:
            sites_file = Path(crawl._folder.name) / "sites.toml"
            sites_file.write_bytes(sites_content)
            with crawl._log.open("wb") as log, crawl._result.open("wb") as result:
                crawl._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, *_safe_path(), "-m", "copydesk", "crawl", site, "--json"),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=result,
                    stderr=log,
                    env=_environment(database_url, sites_file),
                    process_group=0,  # Ctrl-C on the terminal is for the scheduler, which tells its crawls
                )
        except BaseException:
            crawl._folder.cleanup()
            raise
        return crawl

    @property
    def pid(self) -> int:
        return self._process.pid

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._folder.cleanup()

    async def wait(self, timeout: float | None = None) -> None:
        """Wait for the end; raises TimeoutError after so many seconds."""
        await asyncio.wait_for(self._process.wait(), timeout)

    def terminate(self) -> None:
        """Tell the crawl to store what it fetched and to end."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def kill(self) -> None:
        """Kill the crawl with its workers, which ignore SIGTERM."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self, *, is_overdue: bool) -> CrawlEnd:
        """How the crawl ended, after `wait`."""
        return CrawlEnd(
            self._process.returncode,
            seconds=time.monotonic() - self._started,
            is_overdue=is_overdue,
            counts=_counts(self._result),
            log=_last_lines(self._log),
        )


def _safe_path() -> tuple[str, ...]:
    """The option of Python that keeps modules of the current folder from being imported.

    Not in a checkout of Copydesk, which need not be installed.
    """
    return () if Path(__file__).parents[2].samefile(Path.cwd()) else ("-P",)


def _environment(database_url: str, sites_file: Path) -> dict[str, str]:
    """A crawl's environment. Other users can read arguments, and the URL may hold a password."""
    own = {"COPYDESK_DB": database_url, "COPYDESK_SITES": str(sites_file)}
    # One port cannot serve the metrics of several crawls, or of a crawl and the scheduler.
    return {**os.environ, **own, metrics.PORT_SETTING: "0"}


def _counts(result: Path) -> dict[str, Any]:
    try:
        found = json.loads(result.read_bytes())
        counts = {name: found["counts"][name] for name in ("stored", "revised", "unchanged", "rejected")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {"run": found.get("run"), "finished": found.get("finished"), **counts}


def _last_lines(log: Path) -> tuple[str, ...]:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return tuple(line[:_LINE_CHARACTERS] for line in lines if line.strip())
