"""What an engine does for a backfill: it runs tasks and exchanges rows, and decides about no row."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar


class Task(Protocol):
    """One step of a stage. It can be pickled."""

    @property
    def name(self) -> str:
        """Its name, unique within the stage."""

    @property
    def done(self) -> str:
        """The file that the task writes at its very end; a task that has one is finished."""


AnyTask = TypeVar("AnyTask", bound=Task)


class Engine(Protocol):
    """Runs the stages of a backfill on one machine, or on many."""

    def tasks(
        self,
        stage: str,
        tasks: Sequence[AnyTask],
        function: Callable[[AnyTask], None],
        *,
        has_workers: bool = False,
    ) -> None:
        """Run function(task) for each task that is not finished yet; return when all are.

        function and tasks can be pickled. A task writes its outputs by renaming, and `done` last. One whose
        process dies is run again, in all three times or so. has_workers: the function has processes of its
        own do the work. Raises what the function raises; OperatorError for a task that keeps dying; Stopped.
        """

    def exchange(self, stage: str, sql: str, inputs: Mapping[str, str], out: str, *, by_bucket: bool) -> None:
        """Write the result of a query to the folder `out`, unless it exists.

        inputs: folders of Parquet files by the name that the query has for them; of files in folders
        `bucket=K`, `bucket` is a column. sql: what DuckDB and Spark SQL both understand. by_bucket: the
        result has a column `bucket`, an integer, and its rows are written to out/bucket=K/. Nothing is said
        about the order of rows. `out` appears when it is complete. Raises Stopped.
        """

    def report(self) -> Callable[[int], None] | None:
        """What takes how many more documents were processed; None where tasks run in other processes."""


class Progress(Protocol):
    """Shows the progress of a backfill."""

    def stage(self, name: str, tasks: int) -> None:
        """A stage of so many tasks has begun; of 0 if it is an exchange."""

    def advance(self, tasks: int = 0, documents: int = 0) -> None:
        """So many more are done."""


class Stopped(Exception):
    """Raised by an engine after a first SIGINT or SIGTERM, when nothing that it began is running any more."""


class Silent:
    """Shows nothing."""

    def stage(self, name: str, tasks: int) -> None:
        """As `Progress.stage`."""

    def advance(self, tasks: int = 0, documents: int = 0) -> None:
        """As `Progress.advance`."""


def begin_stage(progress: Progress, stage: str, tasks: Sequence[AnyTask]) -> list[AnyTask]:
    """Show that a stage has begun, and what of it is finished; return the tasks that are not."""
    left = unfinished(tasks)
    progress.stage(stage, len(tasks))
    progress.advance(tasks=len(tasks) - len(left))
    return left


def unfinished(tasks: Sequence[AnyTask]) -> list[AnyTask]:
    """The tasks that are not finished."""
    return [task for task in tasks if not os.path.exists(task.done)]
