"""What Scrapy's downloader leaves open to a server that means harm, or errs."""

from __future__ import annotations

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.responsetypes import responsetypes
from twisted.web._newclient import HEADER, STATUS

# Of a response's status line and headers, early hints included. Servers themselves refuse requests with more
# than 8 to 64 kB of them.
MAX_HEAD_BYTES = 256_000


class BoundedHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP/1.1 handler; a response whose headers do not end loses its connection.

    DOWNLOAD_MAXSIZE counts bytes of the body only, and Twisted keeps all headers that come.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = _BoundedFactory


class _BoundedProtocol(_LenientHTTP11ClientProtocol):
    head = 0

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)  # type: ignore[no-untyped-call]
        if self._parser is None or self._parser.state not in (STATUS, HEADER):
            self.head = 0
            return
        self.head += len(data)
        if self.head > MAX_HEAD_BYTES and self.transport is not None:
            self.transport.abortConnection()


class _BoundedFactory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: object) -> _BoundedProtocol:
        return _BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class CompressionMiddleware(HttpCompressionMiddleware):
    """Scrapy's decompression; a body that is not in the coding it is said to be in is taken as it is."""

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        try:
            return super().process_response(request, response)
        except IgnoreRequest:  # more than DOWNLOAD_MAXSIZE came out
            raise
        except Exception:  # each decoder has errors of its own
            headers = response.headers.copy()
            del headers["Content-Encoding"]
            kind = responsetypes.from_args(headers=headers, url=response.url, body=response.body)
            return response.replace(cls=kind, headers=headers)
