"""Fetches pages in a process of its own, for programs that go on afterwards (see `crawler.crawl_process`).

python -m crawler.page_process    reads pickled URLs and writes pickled documents, rejections, and an `_End`
"""

from __future__ import annotations

import pickle
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from crawler.child_process import ChildProcess, answer_pipe
from pipeline.document import Document, Rejection
from pipeline.errors import OperatorError


@dataclass(frozen=True, slots=True)
class _End:
    """Everything was fetched, or the message of an error says why not."""

    error: str = ""


def is_web_url(text: str) -> bool:
    """Whether an argument of a command is the address of a page, and no path."""
    return text.lower().startswith(("http://", "https://"))


def require_page_urls(urls: Sequence[str]) -> None:
    """Raise OperatorError for the first that has no host."""
    for url in urls:
        try:
            has_host = bool(urlsplit(url).hostname)
        except ValueError:
            has_host = False
        if not has_host:
            raise OperatorError(f"{url}: no URL of a page: write https://HOST/PATH")


class PageReader:
    """The documents at URLs, or a rejection that says why there is none; to be iterated once.

    Pages are fetched by the rules of a crawl (`crawler.probing.fetch_pages`), and come in any order; of
    several spellings of one URL one comes. A context manager; leaving it ends the process. The iteration
    raises OperatorError for a missing contact address, and where the process dies.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        """Raises OperatorError for a URL that has no host."""
        require_page_urls(urls)
        self._urls = tuple(urls)
        self._child: ChildProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End the process, and so the iteration. May be called from any thread."""
        if self._child is not None:
            self._child.process.kill()

    def pids(self) -> list[int]:
        """Return the process id of the process, if there is one."""
        return [] if self._child is None else [self._child.process.pid]

    def __iter__(self) -> Iterator[Document | Rejection]:
        if not self._urls:
            return
        with ChildProcess("crawler.page_process", self._urls) as child:
            self._child = child
            try:
                yield from self._items(child)
            finally:
                child.process.kill()
                child.process.wait()

    def _items(self, child: ChildProcess) -> Iterator[Document | Rejection]:
        while True:
            try:
                item = pickle.load(child.answer)  # from our own child
            except (EOFError, pickle.UnpicklingError) as error:
                child.process.kill()
                raise OperatorError(f"the process that fetches pages ended: {child.last_lines()}") from error
            if isinstance(item, _End):
                if item.error:
                    raise OperatorError(item.error)
                return
            yield item


def _main() -> None:
    from crawler.probing import fetch_pages

    urls = pickle.load(sys.stdin.buffer)
    answer = answer_pipe()

    def put(item: Document | Rejection | _End) -> None:
        pickle.dump(item, answer)
        answer.flush()

    try:
        fetch_pages(urls, put)
        put(_End())
    except OperatorError as error:
        put(_End(str(error)))
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    # Pickle finds the records by the name of their module.
    from crawler import page_process

    page_process._main()
