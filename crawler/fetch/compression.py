"""Decompresses the bodies of responses, and tolerates servers that name the wrong Content-Encoding."""

from __future__ import annotations

from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.responsetypes import responsetypes


class CompressionMiddleware(HttpCompressionMiddleware):
    """Scrapy's HttpCompressionMiddleware; a body that cannot be decompressed is taken as it is.

    Settings: COMPRESSION_ENABLED, DOWNLOAD_MAXSIZE (also the limit after decompression), DOWNLOAD_WARNSIZE.
    """

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        try:
            return super().process_response(request, response)
        except IgnoreRequest:  # the decompressed body exceeds DOWNLOAD_MAXSIZE
            raise
        except Exception:  # each decoder raises errors of its own
            headers = response.headers.copy()
            del headers["Content-Encoding"]
            response_class = responsetypes.from_args(headers=headers, url=response.url, body=response.body)
            return response.replace(cls=response_class, headers=headers)
