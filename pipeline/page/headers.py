"""Which headers of an HTTP response are kept with a page."""

from __future__ import annotations

import re
from collections.abc import Iterable

# They are of the connection, or of one visitor, and not of the page.
_NOT_OF_PAGE = frozenset({"set-cookie", "set-cookie2", "connection", "keep-alive", "proxy-authenticate"})
# Of the transfer: in a WARC file with decompressed bodies, their names begin with RENAMED.
CONTENT_HEADERS = frozenset({"content-encoding", "transfer-encoding", "content-length"})
RENAMED = "X-Crawler-"
# Real responses have less; what has more is not worth keeping whole.
_MOST, _LONGEST = 60, 2_000
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


def kept_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers as received, without cookies, and without values that no header may have or that are very long.

    headers: names and values, the same name may come several times.
    """
    kept = [
        (name, value)
        for name, value in headers
        if name.lower() not in _NOT_OF_PAGE
        and _NAME.fullmatch(name)
        and len(value) <= _LONGEST
        and not _CONTROL.search(value)
    ]
    return tuple(kept[:_MOST])


def restored_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers as they were before those of the transfer were renamed."""
    return kept_headers(
        (name.removeprefix(RENAMED) if name.removeprefix(RENAMED).lower() in CONTENT_HEADERS else name, value)
        for name, value in headers
        if name.lower() != "content-length"
    )
