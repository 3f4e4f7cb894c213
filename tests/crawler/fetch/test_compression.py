"""Compressed bodies, and bodies that only claim to be compressed."""

from __future__ import annotations

import gzip

import pytest
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import HtmlResponse, Response

from crawler.fetch.compression import CompressionMiddleware
from tests.crawler.fetch.crawlers import idle_crawler

URL = "https://gazette.example/story"
PAGE = b"<!DOCTYPE html><html><body><p>The council met.</p></body></html>"


def _decompress(coding: str, body: bytes, **settings: object) -> Response:
    middleware = CompressionMiddleware.from_crawler(idle_crawler(**settings))
    headers = {"Content-Encoding": coding, "Content-Type": "text/html; charset=utf-8"}
    request = Request(URL)
    response = middleware.process_response(
        request, Response(URL, headers=headers, body=body, request=request)
    )
    assert isinstance(response, Response)
    return response


def test_a_compressed_page_is_decompressed() -> None:
    response = _decompress("gzip", gzip.compress(PAGE))
    assert isinstance(response, HtmlResponse)
    assert response.body == PAGE
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_page_with_a_wrong_content_encoding_is_used_unchanged(coding: str) -> None:
    response = _decompress(coding, PAGE)
    assert isinstance(response, HtmlResponse)
    assert response.body == PAGE
    assert response.text == PAGE.decode()
    assert "Content-Encoding" not in response.headers
    assert response.headers["Content-Type"] == b"text/html; charset=utf-8"


def test_a_body_that_is_too_long_when_decompressed_is_refused() -> None:
    packed = gzip.compress(bytes(1_000_000))
    assert len(packed) < 10_000
    with pytest.raises(IgnoreRequest):
        _decompress("gzip", packed, DOWNLOAD_MAXSIZE=10_000)
