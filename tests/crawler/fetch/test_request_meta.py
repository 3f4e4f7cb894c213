"""The meta of a request."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.http import Response

from crawler.fetch.request_meta import hosts_meta, is_robots_request, politeness_meta, requested_url

URL = "https://gazette.example/story"
ROBOTS = "https://gazette.example/robots.txt"


def test_the_meta_of_a_request_can_be_stored_in_a_jobdir_as_plain_values() -> None:
    meta = {**politeness_meta("gazette", 1.5, 2, 60.0), **hosts_meta(frozenset({"b.example", "a.example"}))}
    assert meta == {
        "copydesk_site": "gazette",
        "copydesk_delay": 1.5,
        "copydesk_concurrency": 2,
        "copydesk_time_budget": 60.0,
        "copydesk_hosts": ["a.example", "b.example"],
    }


def test_the_requested_url_is_that_before_all_redirects() -> None:
    assert requested_url(Request(URL)) == URL
    redirected = Request(
        "https://gazette.example/3", meta={"redirect_urls": [URL, "https://gazette.example/2"]}
    )
    assert requested_url(redirected) == URL
    assert requested_url(Response(redirected.url, request=redirected)) == URL


@pytest.mark.parametrize(
    ("url", "meta", "expected"),
    [
        (ROBOTS, {"dont_obey_robotstxt": True}, True),
        (f"{ROBOTS}?1", {"dont_obey_robotstxt": True}, True),
        ("https://www.gazette.example/rules", {"dont_obey_robotstxt": True, "redirect_urls": [ROBOTS]}, True),
        # A sitemap entry that names a robots.txt is a page like any other.
        (ROBOTS, {}, False),
        (URL, {"dont_obey_robotstxt": True}, False),
        ("https://gazette.example/a/robots.txt", {"dont_obey_robotstxt": True}, False),
        # A page that redirects to a robots.txt is not one.
        (ROBOTS, {"dont_obey_robotstxt": True, "redirect_urls": [URL]}, False),
    ],
)
def test_requests_for_a_robots_txt_are_known(url: str, meta: dict[str, object], expected: bool) -> None:
    assert is_robots_request(Request(url, meta=meta)) is expected
