"""One request becomes a document, or a rejection with its reason."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
)
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError

from crawler.fetch import PutOff
from crawler.fetched import as_download, document_or_rejection, failure_to_rejection
from pipeline.document import Claims, Document, MediaType, Origin, Rejection, RightsStatement

URL = "https://gazette.example/story/1"
HTML = b"<!doctype html><html><body><p>Ferry runs aground</body></html>"


def response(body: bytes = HTML, url: str = URL, *, asked: str = URL, content_type: str = "text/html") -> Any:
    meta = {"redirect_urls": [asked]} if asked != url else {}
    headers = {"Content-Type": content_type} if content_type else {}
    return Response(url, body=body, headers=headers, request=Request(url, meta=meta))


def rejected(found: Document | Rejection) -> tuple[str, str]:
    assert isinstance(found, Rejection)
    return found.reason.value, found.detail


def failure(error: Exception) -> Rejection:
    return failure_to_rejection(SimpleNamespace(value=error, request=Request(URL)))


def http_error(status: int) -> HttpError:
    return HttpError(Response(URL, status=status))


def test_a_page_becomes_a_document_at_the_url_that_was_requested() -> None:
    moved = "https://gazette.example/moved/1"
    found = document_or_rejection(
        response(url=moved, asked=URL, content_type="text/html; charset=utf-8"),
        publisher="Gazette",
        claims=Claims(title="Ferry"),
    )
    assert isinstance(found, Document)
    assert (found.location, found.url) == (URL, moved)
    assert (found.media_type, found.encoding, found.origin) == (MediaType.HTML, "utf-8", Origin.CRAWL)
    assert (found.publisher, found.claims.title) == ("Gazette", "Ferry")


def test_the_headers_of_the_response_are_kept_without_cookies() -> None:
    answer = response(content_type="text/html")
    answer.headers["Server"] = "nginx"
    answer.headers.appendlist("Link", "</a>; rel=next")
    answer.headers.appendlist("Link", "</b>; rel=prev")
    answer.headers["Set-Cookie"] = "visitor=4711"
    found = document_or_rejection(answer)
    assert isinstance(found, Document)
    assert sorted(found.headers) == [
        ("Content-Type", "text/html"),
        ("Link", "</a>; rel=next"),
        ("Link", "</b>; rel=prev"),
        ("Server", "nginx"),
    ]


def test_headers_that_are_about_rights_come_with_the_document() -> None:
    answer = response()
    answer.headers["TDM-Reservation"] = "1"
    answer.headers["X-Robots-Tag"] = ["noindex, noai", b"gptbot: noai\xff"]
    answer.headers["Link"] = '</license.xml>; rel="license"; type="application/rsl+xml"'
    older = Claims(rights=(RightsStatement("robots", "noimageai", "header"),))
    found = document_or_rejection(answer, claims=older)
    assert isinstance(found, Document)
    assert [(one.name, one.value, one.agent) for one in found.claims.rights] == [
        ("tdm-reservation", "1", None),
        ("robots", "noai", None),
        ("license", "https://gazette.example/license.xml", None),
    ]


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (response(b""), "empty", "no body"),
        (response(url="https://gazette.example/"), "error page", "redirected to the front page"),
        (response(b"\x89PNG\r\n\x1a\n", content_type="image/png"), "unsupported type", "image/png"),
        (response(b"\x89PNG\r\n\x1a\n", content_type=""), "unsupported type", "content of no stated type"),
        (response(b"%PDF-1.7", content_type="text/html\x1b[31m"), "unsupported type", "text/html [31m"),
    ],
)
def test_other_responses_become_rejections(answer: Any, reason: str, detail: str) -> None:
    assert rejected(document_or_rejection(answer)) == (reason, detail)


def test_a_front_page_that_was_requested_is_not_an_error_page() -> None:
    front = "https://gazette.example/"
    assert isinstance(document_or_rejection(response(url=front, asked=front)), Document)


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (http_error(404), "error page", "HTTP 404"),
        (http_error(451), "forbidden", "HTTP 451"),
        (http_error(429), "unreachable", "HTTP 429"),
        (http_error(503), "unreachable", "HTTP 503"),
        (PutOff("its time is spent"), "unreachable", "its time is spent"),
        (DownloadCancelledError("too large"), "too large", "larger than DOWNLOAD_MAXSIZE"),
        (IgnoreRequest("Forbidden by robots.txt"), "forbidden", "Forbidden by robots.txt"),
        (IgnoreRequest("max redirections reached"), "unreachable", "max redirections reached"),
        (CannotResolveHostError("x"), "unreachable", "the host's name cannot be resolved"),
        (DownloadConnectionRefusedError("x"), "unreachable", "connection refused"),
        (DownloadTimeoutError("x"), "unreachable", "no complete response in time"),
        (RuntimeError("a\nb"), "unreachable", "RuntimeError: a b"),
    ],
)
def test_failures_become_rejections(error: Exception, reason: str, detail: str) -> None:
    assert rejected(failure(error)) == (reason, detail)


@pytest.mark.parametrize(("status", "is_gone"), [(404, True), (410, True), (403, False), (500, False)])
def test_only_404_and_410_mean_gone(status: int, is_gone: bool) -> None:
    assert failure(http_error(status)).is_gone is is_gone


def test_a_download_for_a_worker_has_no_scrapy_in_it() -> None:
    download = as_download(response(content_type="application/rss+xml"))
    assert (download.body, download.url, download.content_type) == (HTML, URL, "application/rss+xml")
