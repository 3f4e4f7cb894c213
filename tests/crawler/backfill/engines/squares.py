"""Engines for tests, and tasks that they can run in other processes."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

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
    kills_executor: bool = False


def square(task: NumberTask) -> None:
    """Write the square, and a line for each attempt. The first `deaths` attempts die of SIGKILL."""
    attempts = Path(task.root, f"{task.name}.attempts")
    with attempts.open("a") as file:
        file.write("tried\n")
    if len(attempts.read_text().split()) <= task.deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    if task.kills_executor and len(attempts.read_text().split()) == 1:
        # Of the Python process, the parent is the one that forks them, whose parent is Spark's executor.
        os.kill(psutil.Process(os.getppid()).ppid(), signal.SIGKILL)
        time.sleep(60)
    if task.error:
        raise OperatorError(task.error)
    folder = Folder(task.root)
    with folder.replacing(folder.work(f"squares/{task.name}.txt")) as temporary:
        Path(temporary).write_text(str(task.number**2))
    folder.write_json(task.done, {"squares": 1})


def number_tasks(folder: Folder, numbers: int, **faults: Any) -> list[NumberTask]:
    """Tasks for 0, 1, 2 and so on. faults: of each of them."""
    return [
        NumberTask(f"n{number}", folder.done("square", f"n{number}"), number, folder.root, **faults)
        for number in range(numbers)
    ]
