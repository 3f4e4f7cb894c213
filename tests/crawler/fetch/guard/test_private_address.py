"""Hosts that resolve to private addresses only."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.exceptions import CannotResolveHostError

from crawler.fetch.errors import RequestRefused
from crawler.fetch.guard import private_address
from crawler.fetch.guard.private_address import PrivateAddressMiddleware
from tests.crawler.fetch.crawlers import idle_crawler


@pytest.fixture
def middleware(monkeypatch: pytest.MonkeyPatch) -> PrivateAddressMiddleware:
    # The resolver belongs to a reactor, and installing one here would fix it for all tests of the process.
    monkeypatch.setattr(private_address, "refused_hosts", lambda: {"inside.example"})
    return PrivateAddressMiddleware.from_crawler(idle_crawler())


def test_a_host_whose_addresses_were_dropped_is_refused_and_counted(
    middleware: PrivateAddressMiddleware,
) -> None:
    with pytest.raises(RequestRefused, match=r"inside\.example is not on the public internet"):
        middleware.process_exception(Request("https://inside.example/"), CannotResolveHostError("inside"))
    assert middleware.crawler.stats.get_value("guard/refused_address") == 1


def test_a_name_that_does_not_exist_is_not_refused(middleware: PrivateAddressMiddleware) -> None:
    request = Request("https://misspelled.example/")
    middleware.process_exception(request, CannotResolveHostError("misspelled"))
    assert middleware.crawler.stats.get_value("guard/refused_address") is None


def test_a_host_with_a_public_address_as_well_may_fail_in_other_ways(
    middleware: PrivateAddressMiddleware,
) -> None:
    middleware.process_exception(Request("https://inside.example/"), TimeoutError())
    assert middleware.crawler.stats.get_value("guard/refused_address") is None
