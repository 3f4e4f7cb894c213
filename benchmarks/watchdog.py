"""A Scrapy extension that reports how long a crawl's reactor was blocked, and by what.

A call is due every few milliseconds. Its delay is how long the reactor was blocked, in elapsed time. The
processor time of the reactor's thread meanwhile is the part that was computation, which does not depend on
other work of the machine. If that is long, a second thread records where the reactor's thread is. Garbage
collections are counted separately, because they stop all threads.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any, cast

from scrapy import signals
from scrapy.crawler import Crawler

PATH = "BENCH_WATCHDOG_FILE"
EVERY = 0.005
# From so much processor time on, the place is recorded; the limit is twice that.
NOTED = 0.025


class Watchdog:
    """Writes to the file that the setting BENCH_WATCHDOG_FILE names when the crawl ends."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.late: list[float] = []
        self.busy: list[float] = []
        self.places: Counter[str] = Counter()
        self.due = self.processor = self.collecting = 0.0
        self.is_ended = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Watchdog:
        watchdog = cls(crawler.settings[PATH])
        crawler.signals.connect(watchdog.begin, signal=signals.engine_started)
        crawler.signals.connect(watchdog.end, signal=signals.spider_closed)
        return watchdog

    def begin(self) -> None:
        self.thread = threading.get_ident()
        self.clock = time.pthread_getcpuclockid(self.thread)
        self.processor = time.thread_time()
        self._wait()
        gc.callbacks.append(self._collecting)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def end(self) -> None:
        self.is_ended = True
        found = {"late": self.late, "busy": self.busy, "places": self.places.most_common(40)}
        self.path.write_text(json.dumps(found))

    def _wait(self) -> None:
        from twisted.internet import reactor  # not before Scrapy has chosen which

        self.due = time.perf_counter() + EVERY
        cast(Any, reactor).callLater(EVERY, self._beat)

    def _beat(self) -> None:
        if self.is_ended:
            return
        processor = time.thread_time()
        self.late.append(round(time.perf_counter() - self.due, 6))
        self.busy.append(round(processor - self.processor, 6))
        self.processor = processor
        self._wait()

    def _collecting(self, phase: str, info: dict[str, int]) -> None:
        """Called by the interpreter when a garbage collection begins and ends, in any thread."""
        if phase == "start":
            self.collecting = time.thread_time()
        elif (spent := time.thread_time() - self.collecting) > NOTED:
            self.places[f"garbage of generation {info['generation']}, {spent * 1000:.0f} ms"] += 1

    def _watch(self) -> None:
        while not self.is_ended:
            time.sleep(EVERY)
            if time.clock_gettime(self.clock) - self.processor > NOTED:
                frame = sys._current_frames().get(self.thread)
                if frame is not None:
                    self.places[_place(frame)] += 1


def _place(frame: FrameType | None) -> str:
    """The innermost calls, the last first: functions with their modules."""
    found: list[str] = []
    while frame is not None and len(found) < 12:
        module = frame.f_globals.get("__name__", "?")
        if module != __name__:
            found.append(f"{module}.{frame.f_code.co_name}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found)
