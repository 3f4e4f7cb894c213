"""Errors of requests that were not made."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.downloadermiddlewares.retry import RetryMiddleware

from crawler.fetch.errors import PutOff, RequestNotNeeded, RequestRefused
from tests.crawler.fetch.crawlers import idle_crawler


@pytest.mark.parametrize("error", [PutOff, RequestRefused, RequestNotNeeded])
def test_a_request_that_was_not_made_is_not_retried(error: type[Exception]) -> None:
    retry = RetryMiddleware.from_crawler(idle_crawler())
    assert retry.process_exception(Request("https://gazette.example/"), error("why")) is None
    # The same request is retried after a failure of the network.
    assert retry.process_exception(Request("https://gazette.example/"), TimeoutError()) is not None
