"""Describes the machine and the versions of a measurement, and measures time and memory of processes."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PARTS = ("trafilatura", "lxml", "numpy", "py3langid", "datasketch", "rensa", "sqlalchemy", "scrapy")


def described() -> list[str]:
    """Lines of Markdown: processor, cores, memory, system, versions, and how busy the machine was."""
    memory = psutil.virtual_memory()
    packages = ", ".join(f"{name} {found}" for name in ("copydesk", *PARTS) if (found := _version(name)))
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return [
        f"- {_processor()}, {os.cpu_count()} cores, {memory.total / 2**30:.0f} GB of memory",
        f"- {_system()}",
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}",
        f"- begun {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; load in the 1, 5 and 15 minutes before: {load}",
    ]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _system() -> str:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        name = ""
    return " ".join(filter(None, (name, platform.system(), platform.release(), platform.machine())))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of processor time of this process and of all its children so far, also of those that ended."""

    own: float
    others: float

    def __sub__(self, other: Usage) -> Usage:
        return Usage(self.own - other.own, self.others - other.others)

    @property
    def share(self) -> float:
        """This process's own share of all the time."""
        return self.own / (self.own + self.others) if self.own + self.others else 0.0

    @property
    def whole(self) -> float:
        return self.own + self.others


def usage() -> Usage:
    """A child's time includes that of its own ended children, because workers are children of a child."""
    process = psutil.Process()
    own, others = process.cpu_times(), 0.0
    others += own.children_user + own.children_system
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:  # it ended meanwhile: the next sample has its time in its parent
            continue
        others += times.user + times.system + times.children_user + times.children_system
    return Usage(own.user + own.system, others)


def resident(pids: Iterable[int]) -> dict[int, float]:
    """Megabytes of each of these processes that is still running."""
    held = {}
    for pid in pids:
        try:
            held[pid] = psutil.Process(pid).memory_info().rss / 1e6
        except psutil.Error:
            continue
    return held
