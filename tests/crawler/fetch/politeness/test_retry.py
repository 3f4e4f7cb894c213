"""Retries, and hosts that get none."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.exceptions import DownloadTimeoutError
from scrapy.http import Response

from crawler.fetch.politeness.retry import PoliteRetryMiddleware
from tests.crawler.fetch.crawlers import idle_crawler, politeness_of

HOST = "gazette.example"


@pytest.fixture
def retry() -> PoliteRetryMiddleware:
    made = PoliteRetryMiddleware.from_crawler(idle_crawler(COPYDESK_HOST_FAILURES=2))
    assert isinstance(made, PoliteRetryMiddleware)
    return made


def _request(number: int = 0) -> Request:
    return Request(f"https://{HOST}/story/{number}", meta={"download_slot": HOST})


def test_a_failed_request_is_retried_and_counts_as_a_failure_of_its_host(
    retry: PoliteRetryMiddleware,
) -> None:
    retried = retry.process_exception(_request(), DownloadTimeoutError())
    assert isinstance(retried, Request)
    assert retried.meta["retry_times"] == 1
    assert politeness_of(retry.crawler).failures == {HOST: 1}


def test_the_failure_that_suspends_a_host_is_not_retried(retry: PoliteRetryMiddleware) -> None:
    assert retry.process_exception(_request(1), DownloadTimeoutError()) is not None
    assert retry.process_exception(_request(2), DownloadTimeoutError()) is None
    assert politeness_of(retry.crawler).suspended == {HOST: "failed 2 times in a row"}


def test_an_error_page_of_a_suspended_host_is_not_retried(retry: PoliteRetryMiddleware) -> None:
    request = _request()
    response = Response(request.url, status=503, request=request)
    assert isinstance(retry.process_response(request, response), Request)
    politeness_of(retry.crawler).suspend(HOST, "asked for a pause")
    assert retry.process_response(request, response) is response


def test_an_error_that_is_not_the_hosts_counts_for_nothing(retry: PoliteRetryMiddleware) -> None:
    assert retry.process_exception(_request(), ValueError("a fault of a component")) is None
    assert politeness_of(retry.crawler).failures == {}
