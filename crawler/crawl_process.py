"""Runs a crawl in a process of its own, for programs that go on afterwards.

A Twisted reactor runs only once in a process, takes its signals, and Scrapy sets up the logging of all of it.
So a library cannot crawl in the program that uses it.

    python -m crawler.crawl_process    reads a pickled `_Task` and writes a pickled `_End`
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from crawler.runs import safe_path_variables
from pipeline.errors import OperatorError
from storage.database import DatabaseError

if TYPE_CHECKING:
    from crawler.crawl import CrawlResult

# Lines of the log that an error message may quote.
_TAIL = 20


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
    process = subprocess.Popen(
        (sys.executable, "-m", "crawler.crawl_process"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **safe_path_variables()},
        process_group=0,  # Ctrl-C on a terminal comes from here, once
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    tail: deque[str] = deque(maxlen=_TAIL)
    reader = threading.Thread(target=_read_log, args=(process.stderr, log, tail), daemon=True)
    reader.start()
    # Its end of this pipe is also how the child knows that this process is there.
    with process.stdin, process.stdout, process.stderr:
        with suppress(BrokenPipeError):  # it died at once: its log says why
            pickle.dump(task, process.stdin)
            process.stdin.flush()
        said, is_interrupted = _wait(process)
        reader.join()
    if is_interrupted:
        raise KeyboardInterrupt
    return _result(said, tail, process.returncode)


def _wait(process: subprocess.Popen[bytes]) -> tuple[bytes, bool]:
    """What the process wrote until its end, and whether Ctrl-C came; each Ctrl-C is passed on to it."""
    assert process.stdout
    said, is_interrupted = b"", False
    while True:
        try:
            said += process.stdout.read()
            process.wait()
        except KeyboardInterrupt:
            is_interrupted = True
            process.send_signal(signal.SIGINT)
        else:
            return said, is_interrupted


def _read_log(lines: IO[bytes], log: Callable[[str], None] | None, tail: deque[str]) -> None:
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\n")
        tail.append(line)
        if log is not None:
            log(line)


def _result(said: bytes, tail: Iterable[str], status: int) -> CrawlResult:
    if not said:
        end = " | ".join(line for line in tail if line.strip())
        raise OperatorError(
            f"the process of the crawl ended with status {status}: {end or 'it said nothing'}"
        )
    ended = pickle.loads(said)  # from our own child
    assert isinstance(ended, _End)
    if ended.result is not None:
        return ended.result
    raise (DatabaseError if ended.is_of_database else OperatorError)(ended.error)


def _main() -> None:
    task = pickle.load(sys.stdin.buffer)
    assert isinstance(task, _Task)
    # Only the result goes to the parent's pipe: whatever prints, prints to the log.
    result = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        ended = _End(_crawl(task))
    except OperatorError as error:
        ended = _End(None, str(error), isinstance(error, DatabaseError))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    with result:
        pickle.dump(ended, result)


def _crawl(task: _Task) -> CrawlResult:
    from crawler.crawl import crawl

    return crawl(
        task.database_url,
        task.names,
        sites_file=task.sites_file,
        refetch=task.refetch,
        workers=task.workers,
    )


def _end_with_parent() -> None:
    """End the crawl in order when the parent has died: its end of the pipe is closed."""
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    # Pickle finds the records by the name of their module.
    from crawler import crawl_process

    crawl_process._main()
