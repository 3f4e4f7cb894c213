"""Keys of sites made from host names, and hosts of one outlet."""

from __future__ import annotations

import pytest

from crawler.discovery.hosts import are_related_hosts, registered_domain, site_key


@pytest.mark.parametrize(
    ("host", "other", "is_related"),
    [
        ("bbc.com", "www.bbc.co.uk", True),
        ("rss.cnn.com", "edition.cnn.com", True),
        ("gazette.blogspot.com", "herald.blogspot.com", False),
        ("co.uk", "gazette.co.uk", False),
        ("bbc.com", "notbbc.com", False),
        ("127.0.0.1", "127.0.0.1", False),
        ("[::1]", "::1", False),
        ("localhost", "localhost", False),
        ("", "", False),
    ],
)
def test_hosts_of_one_outlet(host: str, other: str, is_related: bool) -> None:
    assert are_related_hosts(host, other) is is_related


@pytest.mark.parametrize(
    ("homepage", "key"),
    [
        ("https://www.gazette.co.uk/news", "gazette"),
        ("https://edition.the-herald.example/", "the-herald"),
        ("https://xn--zeitung-mnchen-osb.example/", "xn--zeitung-mnchen-osb"),
        ("http://127.0.0.1:8080/", "127-0-0-1-8080"),
        ("http://[::1]/", "1"),
        ("http://localhost:8080/", "localhost-8080"),
        ("http://intranet/", "intranet"),
    ],
)
def test_a_key_is_made_of_the_host(homepage: str, key: str) -> None:
    assert site_key(homepage) == key


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.gazette.co.uk", "gazette.co.uk"),
        ("feeds.gazette.example", "gazette.example"),
        ("ada.blogspot.com", "ada.blogspot.com"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("co.uk", "co.uk"),
    ],
)
def test_the_registered_domain(host: str, domain: str) -> None:
    assert registered_domain(host) == domain
