"""Conditional requests (RFC 9110, 13): a server sends a page only if it has changed."""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response


def condition(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """The request headers for a page that was served with these validators before; {} without any."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value}


def validators(response: Response, request: Request | None = None) -> tuple[str | None, str | None]:
    """(ETag, Last-Modified) of a response, as the server wrote them: any bytes, decoded as Latin-1.

    A 304 need not repeat them. Then they are those of the request, if it is given.
    """
    found = (_header(response, "ETag"), _header(response, "Last-Modified"))
    if request is None or response.status != 304 or any(found):
        return found
    return _header(request, "If-None-Match"), _header(request, "If-Modified-Since")


def _header(message: Response | Request, name: str) -> str | None:
    value = message.headers.get(name)
    return value.decode("latin-1") if value else None
