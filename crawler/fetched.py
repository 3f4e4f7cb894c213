"""Turns the result of one request into a document for the pipeline, or into a rejection with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from w3lib.encoding import http_content_type_encoding

from crawler.discovery import Download
from crawler.fetch import PutOff, requested_url
from crawler.log import one_line
from pipeline.document import Claims, Document, MediaType, Origin, Reason, Rejection, Stage
from pipeline.metadata import RIGHTS_HEADERS, header_rights
from pipeline.page import kept_headers, sniff_media_type
from pipeline.settings import Settings

# Transient failures say nothing about the page, so the next crawl requests it again.
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_GONE_STATUS = frozenset({404, 410})
_FORBIDDEN_STATUS = frozenset({401, 402, 403, 407, 451})

_NO_RESPONSE = {
    CannotResolveHostError: "the host's name cannot be resolved",
    DownloadConnectionRefusedError: "connection refused",
    DownloadTimeoutError: "no complete response in time",
    ResponseDataLossError: "the response broke off",
    DownloadFailedError: "connection lost",
}


def as_download(response: Response) -> Download:
    """A response as a worker process can read it: without Scrapy."""
    content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
    return Download(response.body, response.url, content_type)


def document_or_rejection(
    response: Response, *, publisher: str | None = None, claims: Claims | None = None
) -> Document | Rejection:
    """Turn the response to an article request into a document.

    A document's location is the URL that was requested, its url the one that redirects led to. So the URL
    that a feed names is known later, wherever its article is.
    """
    content_type = (response.headers.get("Content-Type") or b"").decode("latin-1").strip()
    location = requested_url(response)
    if _is_front(response.url) and not _is_front(location):
        return _rejection(location, response.url, Reason.ERROR_PAGE, "redirected to the front page")
    if not response.body:
        return _rejection(location, response.url, Reason.EMPTY, "no body")
    media_type = sniff_media_type(response.body)
    is_text = content_type.lower().startswith(("text/", "")[not content_type])
    if media_type is None or (media_type is MediaType.TEXT and not is_text):
        what = content_type.partition(";")[0] or "content of no stated type"
        return _rejection(location, response.url, Reason.UNSUPPORTED, what[:100])
    return Document(
        location=location,
        url=response.url,
        body=response.body,
        media_type=media_type,
        fetched_at=datetime.now(UTC),
        origin=Origin.CRAWL,
        encoding=http_content_type_encoding(content_type),
        publisher=publisher,
        claims=replace(claims or Claims(), rights=header_rights(_headers(response), response.url)),
        headers=kept_headers(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in response.headers.items()
            for value in values
        ),
    )


def _headers(response: Response) -> list[tuple[str, str]]:
    """The response headers that may have a statement of rights; the same name may come several times."""
    return [
        (name, value.decode("latin-1").replace("\0", ""))
        for name in RIGHTS_HEADERS
        for value in response.headers.getlist(name)
    ]


def failure_to_rejection(failure: Any) -> Rejection:
    """Turn the failure that Scrapy gives to an errback into a rejection."""
    error = failure.value
    location = requested_url(failure.request)
    url = failure.request.url
    if isinstance(error, HttpError):
        status = error.response.status
        if status in _TRANSIENT_STATUS:
            return _rejection(location, url, Reason.UNREACHABLE, f"HTTP {status}")
        reason = Reason.FORBIDDEN if status in _FORBIDDEN_STATUS else Reason.ERROR_PAGE
        rejection = _rejection(location, url, reason, f"HTTP {status}")
        return replace(rejection, is_gone=status in _GONE_STATUS)
    text = str(error)
    if isinstance(error, PutOff):
        return _rejection(location, url, Reason.UNREACHABLE, text)
    # Scrapy cancels a download only for its size. A body that is too large after decompression is ignored.
    if isinstance(error, DownloadCancelledError) or (
        isinstance(error, IgnoreRequest) and "DOWNLOAD_MAXSIZE" in text
    ):
        return _rejection(location, url, Reason.TOO_LARGE, "larger than DOWNLOAD_MAXSIZE")
    if isinstance(error, IgnoreRequest):
        reason = Reason.UNREACHABLE if "redirections" in text else Reason.FORBIDDEN
        return _rejection(location, url, reason, text)
    for kind, what in _NO_RESPONSE.items():
        if isinstance(error, kind):
            return _rejection(location, url, Reason.UNREACHABLE, what)
    return _rejection(location, url, Reason.UNREACHABLE, f"{type(error).__name__}: {text}")


def _rejection(location: str, url: str, reason: Reason, detail: str) -> Rejection:
    return Rejection(
        location=location,
        url=url,
        stage=Stage.SOURCE,
        reason=reason,
        detail=one_line(detail),
        at=datetime.now(UTC),
        rules_version=Settings().rules_version,
    )


def _is_front(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query
