"""Fetches pages in a process of its own, for programs that go on afterwards (see `crawler.crawl_process`).

python -m crawler.page_process    reads pickled URLs and writes pickled documents, rejections, and an `_End`
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Self
from urllib.parse import urlsplit

from pipeline.document import Document, Rejection
from pipeline.errors import OperatorError

# Lines of the log that an error message may quote.
_TAIL = 20


@dataclass(frozen=True, slots=True)
class _End:
    """Everything was fetched, or the message of an error says why not."""

    error: str = ""


def is_web_url(text: str) -> bool:
    """Whether an argument of a command is the address of a page, and no path."""
    return text.lower().startswith(("http://", "https://"))


class PageReader:
    """The documents at URLs, or a rejection that says why there is none; to be iterated once.

    Pages are fetched by the rules of a crawl (`crawler.probing.fetch_pages`), and come in any order; of
    several spellings of one URL one comes. A context manager; leaving it ends the process. The iteration
    raises OperatorError for a missing contact address, and where the process dies.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        for url in urls:
            try:
                has_host = bool(urlsplit(url).hostname)
            except ValueError:
                has_host = False
            if not has_host:
                raise OperatorError(f"{url}: no URL of a page: write https://HOST/PATH")
        self._urls = tuple(urls)
        self._process: subprocess.Popen[bytes] | None = None
        self._tail: deque[str] = deque(maxlen=_TAIL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End the process, and so the iteration. May be called from any thread."""
        if self._process is not None:
            self._process.kill()

    def pids(self) -> list[int]:
        """Return the process id of the process, if there is one."""
        return [] if self._process is None else [self._process.pid]

    def __iter__(self) -> Iterator[Document | Rejection]:
        if not self._urls:
            return
        from crawler.runs import safe_path_variables

        process = self._process = subprocess.Popen(
            (sys.executable, "-m", "crawler.page_process"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **safe_path_variables()},
            process_group=0,  # Ctrl-C on a terminal ends this process, which ends that one
        )
        assert process.stdin
        assert process.stdout
        assert process.stderr
        reader = threading.Thread(target=self._read_log, args=(process.stderr,), daemon=True)
        reader.start()
        # Its end of this pipe is also how the child knows that this process is there.
        with process.stdin, process.stdout, process.stderr:
            try:
                with suppress(BrokenPipeError):  # it died at once: its log says why
                    pickle.dump(self._urls, process.stdin)
                    process.stdin.flush()
                yield from self._items(process.stdout)
            finally:
                process.kill()
                process.wait()
                reader.join()

    def _items(self, source: IO[bytes]) -> Iterator[Document | Rejection]:
        while True:
            try:
                item = pickle.load(source)  # from our own child
            except (EOFError, pickle.UnpicklingError) as error:
                end = " | ".join(line for line in self._tail if line.strip())
                raise OperatorError(
                    f"the process that fetches pages ended: {end or 'it said nothing'}"
                ) from error
            if isinstance(item, _End):
                if item.error:
                    raise OperatorError(item.error)
                return
            yield item

    def _read_log(self, lines: IO[bytes]) -> None:
        for raw in lines:
            self._tail.append(raw.decode("utf-8", "replace").rstrip("\n"))


def _main() -> None:
    from crawler.probing import fetch_pages

    urls = pickle.load(sys.stdin.buffer)
    # Only what was fetched goes to the parent's pipe: whatever prints, prints to the log.
    result = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def put(item: Document | Rejection | _End) -> None:
        pickle.dump(item, result)
        result.flush()

    try:
        fetch_pages(urls, put)
        put(_End())
    except OperatorError as error:
        put(_End(str(error)))
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(128 + signal.SIGINT)


def _end_with_parent() -> None:
    """End the fetching when the parent has died: its end of the pipe is closed."""
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    # Pickle finds the records by the name of their module.
    from crawler import page_process

    page_process._main()
