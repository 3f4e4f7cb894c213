"""`scrapy crawl urls -a file=PATH`: fetches a list of URLs, one a line; - is standard input."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import scrapy
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.fetch import LOOPBACK_SETTING, PutOff, has_contact, hosts_meta
from crawler.fetched import document_or_rejection, failure_to_rejection
from crawler.store import crawl_state
from pipeline.document import Document, Rejection
from pipeline.errors import OperatorError
from pipeline.urls import canonical_url

# Lines that are read, and looked up in the database, at a time: a list may be larger than the memory.
LINES_AT_A_TIME = 500


class UrlsSpider(scrapy.Spider):
    """Fetches every URL of a list that is not stored yet, on any host; robots.txt is obeyed.

    Argument: file: path of the list, or - for standard input; blank lines and comments (#) are ignored.
    Settings: COPYDESK_REFETCH, COPYDESK_CONTACT, COPYDESK_ALLOW_LOOPBACK.
    """

    name = "urls"
    # The hosts of a list have no history to compare with, and there may be many.
    site_statistics = False

    def __init__(self, file: str = "", **arguments: Any) -> None:
        super().__init__(**arguments)
        if not file:
            raise OperatorError("the urls spider needs a list: scrapy crawl urls -a file=PATH, or file=-")
        try:
            # Closed by `start`, which reads it to its end while the crawl goes on.
            self.lines: TextIO = sys.stdin if file == "-" else Path(file).open(errors="replace")  # noqa: SIM115
        except OSError as error:
            raise OperatorError(f"{file}: cannot be read ({error.strerror})") from error
        self.seen: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> UrlsSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        settings = crawler.settings
        if not has_contact(settings) and not settings.getbool(LOOPBACK_SETTING):
            raise OperatorError(
                "no page is requested without a contact address in the user agent;"
                " set COPYDESK_CONTACT to your e-mail address or web page"
            )
        return spider

    async def start(self) -> AsyncIterator[Any]:
        state = crawl_state(self.crawler)
        refetch = self.settings.getbool("COPYDESK_REFETCH")
        with self.lines as lines:
            while batch := await asyncio.to_thread(_addresses, lines):
                urls = {canonical_url(line): line for line in reversed(batch)}
                known = set() if refetch or state is None else await state.known_urls([*urls, *urls.values()])
                if state is not None:
                    known |= await state.forgotten_urls([*urls, *urls.values()])
                for url, line in reversed(urls.items()):
                    if url not in self.seen and not known & {url, line}:
                        self.seen.add(url)
                        yield self._request(line)

    def _request(self, url: str) -> Request:
        host = (urlsplit(url).hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("amp.")
        meta = hosts_meta(frozenset({host}))
        return Request(url, callback=self.parse, errback=self.failed, meta=meta, dont_filter=True)

    async def parse(self, response: Response) -> AsyncIterator[Document | Rejection]:
        yield document_or_rejection(response)

    def failed(self, failure: Any) -> Iterator[Rejection]:
        """Make a rejection of a URL that could not be fetched, unless the crawl decided not to request it."""
        if not isinstance(failure.value, PutOff):
            yield failure_to_rejection(failure)


def _addresses(lines: TextIO) -> list[str]:
    """The next URLs of a list; an empty list at its end."""
    stripped = (line.strip() for line in lines)
    wanted = (line for line in stripped if line.startswith(("http://", "https://")) and _has_host(line))
    return list(islice(wanted, LINES_AT_A_TIME))


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False
