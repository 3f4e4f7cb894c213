"""Conditional requests (RFC 9110, 13): has an address changed since it was last served?"""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response


def condition(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """The headers that ask for a page only if it is another than the one that was served with these."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value}


def validators(response: Response, request: Request | None = None) -> tuple[str | None, str | None]:
    """(ETag, Last-Modified) of an answer; of a 304 that does not repeat them, those that were asked with.

    As the server wrote them: any bytes.
    """
    found = (_header(response, "ETag"), _header(response, "Last-Modified"))
    if request is None or response.status != 304 or any(found):
        return found
    return _header(request, "If-None-Match"), _header(request, "If-Modified-Since")


def _header(message: Response | Request, name: str) -> str | None:
    value = message.headers.get(name)
    return value.decode("latin-1") if value else None
