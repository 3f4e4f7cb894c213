"""Pages that name a codec which pages are not written in."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response

from crawler.fetch.charset import CharsetMiddleware

URL = "https://gazette.example/story"


def processed(response: Response) -> Response:
    return CharsetMiddleware().process_response(Request(URL), response)


@pytest.mark.parametrize("codec", ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "cp037"])
def test_a_codec_that_pages_are_not_written_in_is_not_used(codec: str) -> None:
    by_header = HtmlResponse(
        URL, headers={"Content-Type": f"text/html; charset={codec}"}, body=b"<p>-a\\u0041"
    )
    by_element = HtmlResponse(URL, body=f"<meta charset={codec}><p>-a\\u0041".encode())
    for response in (by_header, by_element):
        found = processed(response)
        assert isinstance(found, HtmlResponse)
        assert found.encoding == "utf-8"
        assert found.text.endswith("<p>-a\\u0041")
        assert found.body == response.body


@pytest.mark.parametrize(
    "label", ["utf-8", "windows-1252", "latin1", "gb2312", "shift_jis", "euc-kr", "big5", "koi8-r", "utf-16"]
)
def test_a_charset_of_the_web_stays(label: str) -> None:
    response = HtmlResponse(URL, headers={"Content-Type": f"text/html; charset={label}"}, body=b"<p>x")
    assert processed(response) is response


def test_other_responses_stay() -> None:
    for response in (Response(URL, body=b"\0"), HtmlResponse(URL, body=b"<p>no charset")):
        assert processed(response) is response
