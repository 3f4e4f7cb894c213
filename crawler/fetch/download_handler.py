"""Downloads over HTTP/1.1 with a limit for the size of a response's headers."""

from __future__ import annotations

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.crawler import Crawler
from twisted.web._newclient import HEADER, STATUS

# Of a response's status line and headers, early hints included. Servers accept requests with headers of
# 8 to 64 kB.
MAX_HEADER_BYTES = 256_000


class BoundedHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP/1.1 handler; it closes the connection if a response's headers are too long.

    Twisted keeps all headers that come, and DOWNLOAD_MAXSIZE counts the body only. Settings:
    DOWNLOAD_HANDLERS names the class; DOWNLOAD_MAXSIZE, DOWNLOAD_TIMEOUT and the others of Scrapy's handler.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = _BoundedFactory


class _BoundedProtocol(_LenientHTTP11ClientProtocol):
    header_bytes = 0

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        if self._parser is None or self._parser.state not in (STATUS, HEADER):
            self.header_bytes = 0
            return
        self.header_bytes += len(data)
        if self.header_bytes > MAX_HEADER_BYTES and self.transport is not None:
            self.transport.abortConnection()


class _BoundedFactory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: object) -> _BoundedProtocol:
        return _BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
