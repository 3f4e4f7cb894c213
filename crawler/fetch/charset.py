"""Keeps slow codecs off the reactor.

Scrapy decodes a page by whatever codec of Python its header or its meta element names. Some take time that
grows with the square of the size: a page of 1.6 MB, 1.6 kB when compressed, in punycode takes minutes, and
meanwhile no other site is served.
"""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response, TextResponse

from pipeline.page import is_web_charset


class CharsetMiddleware:
    """Downloader middleware that reads a page as UTF-8 if it names a charset that pages are not written in.

    This concerns what Scrapy reads of a page itself, such as redirects by a meta element. The pipeline gets
    the bytes, and decides about their charset on its own. Settings: none.
    """

    def process_response(self, request: Request, response: Response) -> Response:
        if isinstance(response, TextResponse):
            codec = response._declared_encoding()
            if codec is not None and not is_web_charset(codec):
                return response.replace(encoding="utf-8")
        return response
