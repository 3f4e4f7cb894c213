"""The key of a page for takedowns: no spelling of its URL has another, and other pages do."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.addresses import address_key, is_url_of_site, shown_page, sites_of
from pipeline.urls import canonical_url
from tests.pipeline.url_spellings import page_of, page_urls, spelled

A = "https://www.example.com/news/ferry"

ONE_PAGE = [
    A,
    "http://example.com/news/ferry/",
    "HTTPS://M.EXAMPLE.COM./news//ferry",
    "https://amp.example.com:8443/news/ferry?utm_source=x#top",
    "http://www.example.com:443/news/ferry",
    "https://user:secret@www.example.com/news/ferry",
    "https://www.example.com/news%2Fferry",
    "https://www.example.com/news%252fferry",
    "https://www.example.com/%6Eews/ferry%20",
    "https://www.example.com/old/%2e%2e/news/ferry",
    "https://www.example.com/old%2F..%2Fnews/ferry",
    "https://www.example.com/news/ferry%3Futm_source=x",
    "https://ww%77.ex%61mple.com/news/ferry",
    "https://www.example.com%2Fnews%2Fferry",
    "https%3A%2F%2Fwww.example.com%2Fnews%2Fferry",
    "//www.example.com/news/ferry",
    "www.example.com/news/ferry",
    "https:/www.example.com/news/ferry",
    "https:www.example.com\\news\\ferry",
    "\ufeffhttps://www.example.com/news/ferry\u200b",
    "https://www.example.com/news/ferry%E2%80%8B",
    "'https://www.example.com/news/ferry'",
    "https://ｗｗｗ.ｅｘａｍｐｌｅ.com/news/ferry",
    "https://www-example-com.cdn.ampproject.org/c/s/www.example.com/news/ferry?usqp=mq331",
    "https://www-example-com.cdn.ampproject.org/v/www.example.com/news/ferry",
    "https://cdn.ampproject.org/c/s/www.example.com:443/news%2Fferry",
    "https://www-example-com.bing-amp.com/c/s/www.example.com/news/ferry",
    "https://www.google.com/amp/s/www.example.com/news/ferry",
    "https://www.google.co.uk/amp/www.example.com/news/ferry",
    "https://web.archive.org/web/20260301000000/https://www.example.com/news/ferry",
    "https://web.archive.org/web/2026id_/http://www.example.com:80/news/ferry",
    "https://archive.ph/newest/https://www.example.com/news/ferry",
]


@pytest.mark.parametrize("url", ONE_PAGE)
def test_spellings_of_one_page_have_one_key(url: str) -> None:
    assert address_key(url) == "example.com/news/ferry"
    assert is_url_of_site("example.com", url)
    assert "example.com" in sites_of(url)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A, "https://www.example.com/news/Ferry"),
        (A, "https://www.example.com/news/ferry2"),
        (A, "https://www.example.com/newsferry"),
        (A, "https://sport.example.com/news/ferry"),
        (A, "https://www.example.org/news/ferry"),
        (A, "https://other.example/www.example.com/news/ferry"),
        (A, "https://other.example/?u=https://www.example.com/news/ferry"),
        (A + "?cid=123", A + "?cid=124"),
        (A + "?cid=123", A),
        (A + "?a=1&b=2", A + "?a=2&b=1"),
        ("https://m.com/a", "https://com/a"),
        ("file:///srv/a.html", "file:///srv/b.html"),
        (
            "https://web.archive.org/web/2026/https://a.example/1",
            "https://web.archive.org/web/2026/https://a.example/2",
        ),
    ],
)
def test_two_pages_have_two_keys(one: str, other: str) -> None:
    assert address_key(one) != address_key(other)


def test_the_page_that_a_cache_shows() -> None:
    assert (
        shown_page("https://a-example.cdn.ampproject.org/c/s/a.example/1?id=2&usqp=x")
        == "https://a.example/1?id=2"
    )
    twice = "https://web.archive.org/web/2026/https://www.google.com/amp/s/a.example/1"
    assert shown_page(twice) == "https://a.example/1"
    assert shown_page("https://www.google.com/amp/about") == "https://www.google.com/amp/about"
    assert shown_page("https://web.archive.org/about") == "https://web.archive.org/about"
    assert shown_page("no url") == "no url"


def test_a_url_that_is_none_is_its_own_key() -> None:
    for url in ("file:///srv/a%20b.html#3", "", "mailto:desk@news.example"):
        assert address_key(url) == url
        assert sites_of(url) == []


@given(st.data(), page_urls)
def test_no_spelling_has_another_key(data: st.DataObject, url: str) -> None:
    written = data.draw(spelled(url))
    assert address_key(written) == address_key(url)
    assert set(sites_of(url)) <= set(sites_of(written))


@given(page_urls, page_urls)
def test_pages_that_differ_have_keys_that_differ(one: str, other: str) -> None:
    assert (address_key(one) == address_key(other)) == (page_of(one) == page_of(other))


_urlish = st.text(alphabet=st.sampled_from(list("aZ1/.?&=#%;:@[]()\\ +é日\ud800\t\n-_~|<>25F")), max_size=40)


@given(_urlish)
@example("./1")
def test_any_text_has_a_key(tail: str) -> None:
    for url in (
        tail,
        "http://news.example/" + tail,
        "https://" + tail,
        "https://web.archive.org/web/1/" + tail,
    ):
        assert address_key(canonical_url(url)) == address_key(url)


def test_bytes_that_are_no_text_are_the_same_encoded_or_not() -> None:
    url = "https://www.example.com%2FNews%2FFerry?\udcff%BC"
    assert address_key(url).startswith("example.com/News/Ferry?")
    assert address_key(canonical_url(url)) == address_key(url)
