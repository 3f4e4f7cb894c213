"""A process of our own that runs one of our modules and answers by its standard output.

A Twisted reactor runs only once in a process, takes its signals, and Scrapy sets up the logging of all of it.
So what needs one runs in a process of its own: `crawler.crawl_process` and `crawler.page_process`.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import IO

# Lines of the log that an error message may quote.
_TAIL = 20


class ChildProcess:
    """The parent's side. A context manager, whose end closes the pipes.

    The child's log comes by its standard error, and is read in a thread.
    """

    def __init__(self, module: str, task: object, *, log: Callable[[str], None] | None = None) -> None:
        """Start `python -m module` and send it the pickled task. log: is called with each line of the log."""
        from crawler.workers import safe_path_variables

        self._log = log
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self.process = subprocess.Popen(
            (sys.executable, "-m", module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **safe_path_variables()},
            process_group=0,  # Ctrl-C on a terminal comes from this process, once
        )
        assert self.process.stdin
        assert self.process.stdout
        # Its end of this pipe is also how the child knows that this process is there.
        self._task_pipe: IO[bytes] = self.process.stdin
        self.answer: IO[bytes] = self.process.stdout
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        with suppress(BrokenPipeError):  # it died at once: its log says why
            pickle.dump(task, self._task_pipe)
            self._task_pipe.flush()

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self._task_pipe.close()  # ends the child, if it has not ended
        self._reader.join()
        self.answer.close()

    def last_lines(self) -> str:
        """The end of the log in one line, for the message of an error."""
        self._reader.join()
        return " | ".join(line for line in self._tail if line.strip()) or "it said nothing"

    def _read_log(self) -> None:
        assert self.process.stderr
        with self.process.stderr as lines:
            for raw in lines:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                self._tail.append(line)
                if self._log is not None:
                    self._log(line)


def answer_pipe() -> IO[bytes]:
    """The child's side: the pipe to its parent. Whatever else prints, prints to the log.

    From now on the process ends in order when its parent has died.
    """
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return pipe


def _end_with_parent() -> None:
    """End in order when the parent has died: its end of the pipe is closed."""
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
