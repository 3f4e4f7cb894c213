"""Proxies of the environment."""

from __future__ import annotations

import pytest
from scrapy.settings import Settings

from crawler.fetch.guard.proxies import has_unused_proxies, proxy_hosts


def test_hosts_of_proxies_may_be_private_only_where_proxies_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.internal:3128")
    monkeypatch.setenv("https_proxy", "secure.internal:3128")
    assert proxy_hosts(Settings({"HTTPPROXY_ENABLED": False})) == frozenset()
    assert proxy_hosts(Settings({"HTTPPROXY_ENABLED": True})) >= {"proxy.internal", "secure.internal"}


@pytest.mark.parametrize("is_enabled", [True, False])
def test_proxies_that_are_not_used_are_reported(is_enabled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.internal:3128")
    assert has_unused_proxies(Settings({"HTTPPROXY_ENABLED": is_enabled})) is not is_enabled
