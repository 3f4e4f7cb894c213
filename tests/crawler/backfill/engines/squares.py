"""Engines for tests, and tasks that they can run in other processes."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from crawler.backfill import Folder
from pipeline.errors import OperatorError


@dataclass(frozen=True, slots=True)
class NumberTask:
    """Squares a number, after some faults."""

    name: str
    done: str
    number: int
    root: str
    deaths: int = 0
    error: str = ""


def square(task: NumberTask) -> None:
    """Write the square, and a line for each attempt. The first `deaths` attempts die of SIGKILL."""
    attempts = Path(task.root, f"{task.name}.attempts")
    with attempts.open("a") as file:
        file.write("tried\n")
    if len(attempts.read_text().split()) <= task.deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    if task.error:
        raise OperatorError(task.error)
    folder = Folder(task.root)
    with folder.replacing(folder.work(f"squares/{task.name}.txt")) as temporary:
        Path(temporary).write_text(str(task.number**2))
    folder.write_json(task.done, {"squares": 1})


def number_tasks(folder: Folder, numbers: int, **faults: NumberTask) -> list[NumberTask]:
    """Tasks for 0, 1, 2 and so on. faults: others in place of those, by their names."""
    tasks = [
        NumberTask(f"n{number}", folder.done("square", f"n{number}"), number, folder.root)
        for number in range(numbers)
    ]
    return [faults.get(task.name, task) for task in tasks]
