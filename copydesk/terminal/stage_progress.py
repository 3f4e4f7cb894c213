"""Shows how far a job of several stages is: a bar on a terminal, else log lines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from copydesk.terminal.console import err
from pipeline.counts import counted

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from crawler.backfill import Progress as Watcher

# Seconds between two log lines of one stage if there is no terminal.
_LOG_EVERY = 10.0


@contextmanager
def watching_stages() -> Iterator[Watcher]:
    """Yields the object to which a backfill reports its progress."""
    if not err.is_terminal:
        yield _StageLines()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[said]}"), console=err) as bar:
        yield _StageBar(bar, bar.add_task("", total=None, said=""))


class _StageBar:
    """One bar, for the present stage."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar = bar
        self._task = task
        self._documents = 0

    def stage(self, name: str, tasks: int) -> None:
        said = counted(self._documents, "document") if self._documents else ""
        self._bar.reset(self._task, description=name, total=tasks or None, said=said)

    def advance(self, tasks: int = 0, documents: int = 0) -> None:
        self._documents += documents
        said = counted(self._documents, "document") if self._documents else ""
        self._bar.update(self._task, advance=tasks, said=said)


class _StageLines:
    """A line for each stage, and more while it takes long."""

    def __init__(self) -> None:
        self._name = ""
        self._tasks = self._done = self._documents = 0
        self._last = time.monotonic()

    def stage(self, name: str, tasks: int) -> None:
        self._name, self._tasks, self._done = name, tasks, 0
        self._last = time.monotonic()
        err.print(f"{name}: {counted(tasks, 'task')}" if tasks else name)

    def advance(self, tasks: int = 0, documents: int = 0) -> None:
        self._done += tasks
        self._documents += documents
        if time.monotonic() - self._last >= _LOG_EVERY:
            self._last = time.monotonic()
            # An exchange is one job, and documents are those of another stage.
            of = f"{self._done:,} of {counted(self._tasks, 'task')}" if self._tasks else "not done yet"
            said = f", {counted(self._documents, 'document')}" if self._documents and self._tasks else ""
            err.print(f"{self._name}: {of}{said}")
