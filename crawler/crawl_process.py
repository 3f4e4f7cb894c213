"""Runs a crawl in a process of its own, for programs that go on afterwards (see `crawler.child_process`).

python -m crawler.crawl_process    reads a pickled `_Task` and writes a pickled `_End`
"""

from __future__ import annotations

import pickle
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.child_process import ChildProcess, answer_pipe
from pipeline.errors import OperatorError
from storage.database import DatabaseError

if TYPE_CHECKING:
    from crawler.crawl import CrawlResult


@dataclass(frozen=True, slots=True)
class _Task:
    database_url: str
    names: tuple[str, ...]
    sites_file: str | None
    refetch: bool
    workers: int


@dataclass(frozen=True, slots=True)
class _End:
    """How the crawl ended: with a result, or with the message of an error.

    is_of_database: the error is a DatabaseError.
    """

    result: CrawlResult | None
    error: str = ""
    is_of_database: bool = False


def crawl_in_process(
    database_url: str,
    names: Iterable[str] = (),
    *,
    sites_file: str | None = None,
    refetch: bool = False,
    workers: int = 0,
    log: Callable[[str], None] | None = None,
) -> CrawlResult:
    """As `crawler.crawl.crawl`, in a process of its own, from any thread and any number of times.

    log: called with each line of the log, in another thread. Ctrl-C ends the crawl in order, and raises
    KeyboardInterrupt when it has ended. Raises OperatorError and DatabaseError as `crawl` does, and
    OperatorError with the end of the log where the process dies.
    """
    task = _Task(database_url, tuple(names), sites_file, refetch, workers)
    with ChildProcess("crawler.crawl_process", task, log=log) as child:
        said, is_interrupted = _wait(child)
    if is_interrupted:
        raise KeyboardInterrupt
    if not said:
        raise OperatorError(
            f"the process of the crawl ended with status {child.process.returncode}: {child.last_lines()}"
        )
    ended = pickle.loads(said)  # from our own child
    assert isinstance(ended, _End)
    if ended.result is not None:
        return ended.result
    raise (DatabaseError if ended.is_of_database else OperatorError)(ended.error)


def _wait(child: ChildProcess) -> tuple[bytes, bool]:
    """What the process wrote until its end, and whether Ctrl-C came; each Ctrl-C is passed on to it."""
    said, is_interrupted = b"", False
    while True:
        try:
            said += child.answer.read()
            child.process.wait()
        except KeyboardInterrupt:
            is_interrupted = True
            child.process.send_signal(signal.SIGINT)
        else:
            return said, is_interrupted


def _main() -> None:
    task = pickle.load(sys.stdin.buffer)
    assert isinstance(task, _Task)
    answer = answer_pipe()
    try:
        ended = _End(_crawl(task))
    except OperatorError as error:
        ended = _End(None, str(error), isinstance(error, DatabaseError))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    with answer:
        pickle.dump(ended, answer)


def _crawl(task: _Task) -> CrawlResult:
    from crawler.crawl import crawl

    return crawl(
        task.database_url,
        task.names,
        sites_file=task.sites_file,
        refetch=task.refetch,
        workers=task.workers,
    )


if __name__ == "__main__":
    # Pickle finds the records by the name of their module.
    from crawler import crawl_process

    crawl_process._main()
