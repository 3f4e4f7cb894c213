"""Conditional requests."""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response

from crawler.fetch.conditional import condition, validators

URL = "https://gazette.example/rss"
MODIFIED = "Sun, 01 Mar 2026 10:00:00 GMT"


def test_a_conditional_request_sends_the_known_validators() -> None:
    assert condition('"1"', MODIFIED) == {"If-None-Match": '"1"', "If-Modified-Since": MODIFIED}
    assert condition('"1"', None) == {"If-None-Match": '"1"'}
    assert condition(None, "") == {}


def test_validators_are_those_of_the_response_whatever_their_bytes() -> None:
    response = Response(URL, headers={"ETag": b'"\xff"', "Last-Modified": MODIFIED})
    assert validators(response) == ('"\xff"', MODIFIED)
    assert validators(Response(URL)) == (None, None)


def test_a_304_without_validators_keeps_those_of_the_request() -> None:
    request = Request(URL, headers=condition('"1"', MODIFIED))
    assert validators(Response(URL, status=304), request) == ('"1"', MODIFIED)
    assert validators(Response(URL, status=304, headers={"ETag": '"2"'}), request) == ('"2"', None)
    assert validators(Response(URL, status=200), request) == (None, None)
