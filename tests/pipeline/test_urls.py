"""Canonical form and identity: a table of spellings, and properties that hold for any text."""

from __future__ import annotations

from random import Random
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.urls import absolute_url, canonical_url, identity, named_site, site_of, web_url

A = "https://news.example/story/1"
WWW = "https://www.news.example/story/1"

SPELLINGS = [
    # scheme, host, port, credentials
    ("HTTPS://News.Example/story/1", A),
    ("https://news.example:443/story/1", A),
    ("http://news.example:80/story/1", "http://news.example/story/1"),
    ("https://news.example:8443/story/1", "https://news.example:8443/story/1"),
    ("http://news.example:443/a", "http://news.example:443/a"),
    ("https://news.example./story/1", A),
    ("https://user:secret@news.example/story/1", A),
    ("  https://news.example/story/1\n", A),
    ("https://news.example/sto\nry/1", A),
    ("https:\\\\news.example\\story\\1", A),
    ("https://news.example", "https://news.example/"),
    ("https://news.example?id=1", "https://news.example/?id=1"),
    ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
    ("https://новости.example/a", "https://" + "новости".encode("idna").decode() + ".example/a"),
    ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"),
    # fragments
    (A + "#comments", A),
    (A + "#", A),
    (A + "?#top", A),
    # path: dots, case, slashes, percent-encoding
    ("https://news.example/a/../story/./1", A),
    ("https://news.example/../../story/1", A),
    ("https://news.example/story/1/", "https://news.example/story/1/"),
    ("https://news.example/Story/AbC", "https://news.example/Story/AbC"),
    ("https://news.example/a//b", "https://news.example/a//b"),
    ("https://news.example/%7euser/%73tory", "https://news.example/~user/story"),
    ("https://news.example/caf%c3%a9", "https://news.example/caf%C3%A9"),
    ("https://news.example/café", "https://news.example/caf%C3%A9"),
    ("https://news.example/новости", "https://news.example/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8"),
    ("https://news.example/a b", "https://news.example/a%20b"),
    ("https://news.example/a%2Fb", "https://news.example/a%2Fb"),
    ("https://news.example/100%", "https://news.example/100%25"),
    ("https://news.example/%zz", "https://news.example/%25zz"),
    ("https://news.example/a|b", "https://news.example/a%7Cb"),
    ("https://news.example/story,id=4;part", "https://news.example/story,id=4;part"),
    # trackers, known ones only
    (A + "?utm_source=rss&utm_medium=feed", A),
    (A + "?UTM_Source=rss", A),
    (A + "?fbclid=IwAR0&gclid=x&msclkid=y&yclid=z&ysclid=q", A),
    (A + "?mc_cid=1&mc_eid=2&mkt_tok=3&_hsenc=4", A),
    (A + "?at_medium=RSS&at_campaign=rss", A),
    (A + "?ns_mchannel=rss&ns_source=PublicRSS20-sa", A),
    (A + "?at_home=1", A + "?at_home=1"),
    (A + "?ns_id=1", A + "?ns_id=1"),
    (A + "?maca=en-rss-en-all-1573-rdf", A),
    (A + "?xtor=RSS-3208", A),
    (A + "?ref=rss", A),
    (A + "?ref=chapter-2", A + "?ref=chapter-2"),
    (A + "?source=7", A + "?source=7"),
    (A + "?from=feed", A),
    (A + "?pk_campaign=a&mtm_source=b&hsa_acc=c", A),
    (A + "?id=5&utm_source=x", A + "?id=5"),
    (A + "?utm_source=x&amp;id=5", A + "?id=5"),
    # keys that identify
    (A + "?cid=123", A + "?cid=123"),
    (A + "?cid=124", A + "?cid=124"),
    (A + "?sid=abc", A + "?sid=abc"),
    (A + "?p=1", A + "?p=1"),
    (A + "?page=2", A + "?page=2"),
    (A + "?ID=AbC", A + "?ID=AbC"),
    (A + "?12345", A + "?12345"),
    (A + "?b=2&a=1", A + "?a=1&b=2"),
    (A + "?a=2&a=1", A + "?a=2&a=1"),
    (A + "?a=&b", A + "?a=&b"),
    (A + "?&&a=1&", A + "?a=1"),
    (A + "?q=%D0%bd", A + "?q=%D0%BD"),
    (A + "?q=a b", A + "?q=a%20b"),
    (A + "?q=a+b", A + "?q=a+b"),
    (A + "?u=http%3A%2F%2Fx.example%2F", A + "?u=http%3A%2F%2Fx.example%2F"),
    # sessions and views of one page
    ("https://news.example/story/1;jsessionid=0A1B2C", A),
    ("https://news.example/story/1;JSESSIONID=0A1B2C?id=3", A + "?id=3"),
    (A + "?PHPSESSID=0123456789abcdef", A),
    (A + "?ASPSESSIONIDQQTRCS=AA", A),
    ("https://news.example/(S(lit3py55t21z5v55vlm25s55))/story/1", A),
    (A + "?print=1", A),
    (A + "?print", A),
    (A + "?print=42", A + "?print=42"),
    (A + "?view=print", A),
    (A + "?view=gallery", A + "?view=gallery"),
    (A + "?amp=1", A),
    (A + "?outputType=amp", A),
    # more such keys, and similar keys of different meaning
    ("https://news.example:/story/1", A),
    # what browsers read as the host
    ("https:/news.example/story/1", A),
    ("https:news.example/story/1", A),
    ("https:////news.example/story/1", A),
    ("http:\\/news.example/a", "http://news.example/a"),
    ("https://news%2Eex%61mple/story/1", A),
    ("https://b%C3%BCcher.example/a", "https://xn--bcher-kva.example/a"),
    ("https://news.example%2Fstory/1", "https://news.example/story/1"),
    ("https://news%ff.example/", "https://news%ff.example/"),
    ("https://news.example:0443/story/1", A),
    ("http://news.example:0080/a", "http://news.example/a"),
    ("https://XN--BCHER-KVA.example/a", "https://xn--bcher-kva.example/a"),
    ("https://BÜCHER.example/a", "https://xn--bcher-kva.example/a"),
    ("https://ＮＥＷＳ.example/story/1", A),
    ("https://news。example/story/1", A),
    ("https://new_s.example/a", "https://new_s.example/a"),
    ("https://a..b.example/", "https://a..b.example/"),
    ("https://" + "a" * 64 + ".example/", "https://" + "a" * 64 + ".example/"),
    ("http://[::FFFF:192.0.2.1]/a", "http://[::ffff:192.0.2.1]/a"),
    (A + "#:~:text=ferry", A),
    (A + "?id=5#comments", A + "?id=5"),
    ("https://news.example/%2e%2e/story/%2E/1", A),
    ("https://news.example/a%00b", "https://news.example/a%00b"),
    ("https://news.example/a%0d%0aSet-Cookie:x", "https://news.example/a%0D%0ASet-Cookie:x"),
    (A + "?x=a%3Db%26c%23d", A + "?x=a%3Db%26c%23d"),
    (A + "?%75tm%5Fsource=x", A),
    (A + "?utm_source", A),
    (A + "?gclid", A),
    (A + "?wprov=sfla1", A),
    (A + "?INTCMP=SRCH", A),
    (A + "?sharetoken=0a1b", A),
    (A + "?unlocked_article_code=1.a2b", A),
    (A + "?taid=63a1&utm_campaign=trueanthem", A),
    (A + "?partner=rss&emc=rss", A),
    (A + "?partner=reuters", A + "?partner=reuters"),
    (A + "?xutm_source=1", A + "?xutm_source=1"),
    (A + "?utm=1", A + "?utm=1"),
    (A + "?gclid2=1", A + "?gclid2=1"),
    (A + "?page=2&utm_source=x&id=7", A + "?id=7&page=2"),
    (A + "?a=1&a=1", A + "?a=1&a=1"),
    (A + "?b=1;utm_source=2", A + "?b=1;utm_source=2"),
    (A + "?m=1", A + "?m=1"),
    (A + "?t=12345", A + "?t=12345"),
    (A + "?session=morning", A + "?session=morning"),
    (A + "?sessionid=1&id=2", A + "?id=2"),
    ("https://news.example/story/1;phpsessid=1/print", "https://news.example/story/1/print"),
    ("https://news.example/(S(1))/story", "https://news.example/(S(1))/story"),
    # AMP and print pages at URLs of their own: their canonical link names the article
    ("https://news.example/amp/story/1", "https://news.example/amp/story/1"),
    (A + "/amp", A + "/amp"),
    (A + "/print", A + "/print"),
    ("https://amp.news.example/story/1", "https://amp.news.example/story/1"),
    ("https://m.news.example/story/1", "https://m.news.example/story/1"),
    # left unchanged
    ("file:///srv/pages/A%20b.html", "file:///srv/pages/A%20b.html"),
    ("file:///srv/pages/feed.jsonl#12", "file:///srv/pages/feed.jsonl#12"),
    ("mailto:desk@news.example", "mailto:desk@news.example"),
    ("http://[broken", "http://[broken"),
    ("http://news.example:99999/a", "http://news.example:99999/a"),
    ("http:///", "http:///"),
    ("httpx://news.example/A#b", "httpx://news.example/A#b"),
    ("", ""),
]


@pytest.mark.parametrize(("spelling", "canonical"), SPELLINGS)
def test_canonical_form(spelling: str, canonical: str) -> None:
    assert canonical_url(spelling) == canonical


@pytest.mark.parametrize("canonical", sorted({canonical for _, canonical in SPELLINGS}))
def test_canonical_form_is_stable(canonical: str) -> None:
    assert canonical_url(canonical) == canonical


IDENTITIES = [
    # no statement, or an unusable one
    (A + "?utm_source=x", None, A, None),
    (A, "", A, None),
    (A, "   ", A, None),
    (A, "javascript:void(0)", A, None),
    (A, "http://[broken", A, None),
    (A, "https://news.example/", A, None),
    (A, "https://www.news.example", A, None),
    (A, "https://other.example/", A, None),
    # the same host, or an equivalent one
    (A + "?from=home", A, A, None),
    (A, "/story/1-slug", "https://news.example/story/1-slug", None),
    (A, A + "#top", A, None),
    ("http://news.example/story/1", A, A, None),
    (WWW, A, A, None),
    (A, WWW, WWW, None),
    (
        "https://m.news.example/story/1",
        WWW,
        WWW,
        None,
    ),
    ("https://amp.news.example/story/1", A, A, None),
    ("https://news.example/amp/story/1", A, A, None),
    (A + "/print?utm_source=x", A, A, None),
    (A + "/", A, A, None),
    (A, A + "/", A + "/", None),
    ("https://www.m.news.example/story/1", A, A, None),
    (A + "/amp", A, A, None),
    ("https://news-example.cdn.ampproject.org/c/s/news.example/story/1", A, A, None),
    ("https://news.example/", "https://news.example/", "https://news.example/", None),
    ("https://news.example/", "https://news.example/home", "https://news.example/home", None),
    # another host: syndication
    (A, "https://agency.example/wire/9?utm_source=x", A, "https://agency.example/wire/9"),
    (A, "//agency.example/wire/9", A, "https://agency.example/wire/9"),
    ("https://m.com/a", "https://www.com/a", "https://m.com/a", "https://www.com/a"),
    (
        "http://127.0.0.1:8001/a",
        "http://127.0.0.1:8002/a",
        "http://127.0.0.1:8001/a",
        "http://127.0.0.1:8002/a",
    ),
    ("https://sport.news.example/a", A, "https://sport.news.example/a", A),
    # a saved page has the URL that it states
    ("file:///srv/a.html", A + "?utm_source=x", A, None),
    ("file:///srv/a.html", "https://other.example/x", "https://other.example/x", None),
    ("file:///srv/a.html", "/story/1", "file:///srv/a.html", None),
    ("file:///srv/a.html", "//news.example/story/1", A, None),
    ("file:///srv/a.html", "www.news.example/story/1", WWW, None),
    (A, "www.news.example/story/1", WWW, None),
    ("file:///srv/a.html", "https://news.example/", "file:///srv/a.html", None),
    ("file:///srv/a.html", None, "file:///srv/a.html", None),
    ("file:///srv/a.jsonl#3", "file:///srv/b.html", "file:///srv/a.jsonl#3", None),
]


@pytest.mark.parametrize(("fetched", "stated", "url", "syndicated_from"), IDENTITIES)
def test_identity(fetched: str, stated: str | None, url: str, syndicated_from: str | None) -> None:
    assert identity(fetched, stated) == (url, syndicated_from)


MEANT = [
    ("https://news.example/story/1", "https://news.example/story/1"),
    (" HTTPS://News.example/story/1?utm_source=x#top\n", "HTTPS://News.example/story/1?utm_source=x#top"),
    ("www.news.example/story/1", "https://www.news.example/story/1"),
    ("WWW.news.example", "https://WWW.news.example"),
    ("news.example/story/1", "https://news.example/story/1"),
    ("news.example:8443/story/1", "https://news.example:8443/story/1"),
    ("bücher.example/a", "https://bücher.example/a"),
    ("//news.example/story/1", "https://news.example/story/1"),
    ("\\\\news.example\\story\\1", "https://news.example/story/1"),
    ("https:/news.example/story/1", "https://news.example/story/1"),
    ("http:news.example/story/1", "http://news.example/story/1"),
    ("https%3A%2F%2Fnews.example%2Fstory%2F1", "https://news.example/story/1"),
    ("https:%2f%2fnews.example/story/1", "https://news.example/story/1"),
    ("https://news.example%2Fstory/1", "https://news.example/story/1"),
    ("<https://news.example/story/1>", "https://news.example/story/1"),
    ("\ufeffhttps://news.example/story/1", "https://news.example/story/1"),
    # none
    ("ftp://news.example/", None),
    ("https:///", None),
    ("http://[::1", None),
    ("", None),
    ("story.html", None),
    ("news/story.html", None),
    ("story.html/1", None),
    ("/srv/news.example/story", None),
    ("file:///srv/www.news.example/story", None),
    ("mailto:desk@news.example", None),
    ("news.example", None),
    ("2026.03/story", None),
    ("https://" + "a" * 300 + ".example/", None),
    ("https://" + "ab." * 90 + "example/", None),
]


@pytest.mark.parametrize(("written", "url"), MEANT)
def test_what_sources_write_for_a_url(written: str, url: str | None) -> None:
    assert web_url(written) == url


@pytest.mark.parametrize(
    ("base", "reference", "url"),
    [
        (A, "2?a=1", "https://news.example/story/2?a=1"),
        (A, "//other.example/2", "https://other.example/2"),
        ("http://news.example/1", "//other.example/2", "http://other.example/2"),
        (A, "www.other.example/2", "https://www.other.example/2"),
        (A, "https:/other.example/2", "https://other.example/2"),
        (A, "other.example/2", "https://news.example/story/other.example/2"),
        (A, "mailto:desk@news.example", None),
        (A, "http://[broken", None),
        (A, "", None),
        ("file:///srv/a.html", "//other.example/2", "https://other.example/2"),
        ("file:///srv/a.html", "b.html", None),
        ("file:///srv/a.html", "/b", None),
    ],
)
def test_what_a_link_means(base: str, reference: str, url: str | None) -> None:
    assert absolute_url(base, reference) == url


def test_the_site_of_a_saved_page_is_the_one_that_it_names() -> None:
    assert named_site("file:///srv/a.html", "https://www.news.example/") == "news.example"
    assert named_site("file:///srv/a.html", None) == ""
    assert named_site(A, "https://other.example/") == "news.example"


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.News.example/a", "news.example"),
        ("https://news.example:8443/a", "news.example"),
        ("https://m.news.example/a", "m.news.example"),
        ("http://127.0.0.1:8000/", "127.0.0.1"),
        ("http://[2001:db8::1]:8000/", "[2001:db8::1]"),
        ("https://bücher.example/a", "xn--bcher-kva.example"),
        ("file:///srv/a.html", ""),
        ("no url", ""),
    ],
)
def test_site(url: str, site: str) -> None:
    assert site_of(url) == site


_urlish = st.text(alphabet=st.sampled_from(list("aZ1/.?&=#%;:@[]()\\ +é日\ud800\t\n-_~|<>")), max_size=40)


@given(_urlish)
def test_any_text_has_one_form(tail: str) -> None:
    for url in (tail, "http://news.example/" + tail, "https://" + tail):
        once = canonical_url(url)
        assert canonical_url(once) == once


@given(_urlish, _urlish)
def test_identity_is_found_whatever_a_page_states(fetched: str, stated: str) -> None:
    for base in ("https://news.example/", "file:///", ""):
        url, source = identity(base + fetched, stated)
        assert url or not (base + fetched).strip()
        assert source is None or source.startswith(("http://", "https://"))


def test_a_stated_url_is_the_identity_where_the_fetched_one_is_none() -> None:
    fetched = "http://[::\u03011]/x"
    assert identity(fetched, "https://news.example/a") == (fetched, "https://news.example/a")


@given(st.permutations(["a=1", "b=2", "utm_source=x", "c"]))
def test_the_order_of_keys_does_not_matter(pairs: list[str]) -> None:
    assert canonical_url(A + "?" + "&".join(pairs)) == A + "?a=1&b=2&c"


# Parts of URLs as outlets make them. Keys without a known meaning begin with "k".
_labels = st.text(alphabet="abcxyzABC0189", min_size=1, max_size=8)
_hosts = st.lists(_labels, min_size=2, max_size=4).map(".".join)
_words = st.text(alphabet="abzAZ019-_.~é日 %", max_size=8)
_paths = st.lists(_words.filter(lambda word: word not in (".", "..")), max_size=4).map("/".join)
_keys = st.text(alphabet="abzAZ019-_.", max_size=6).map("k{}".format)
_pairs = st.lists(st.tuples(_keys, st.text(alphabet="abAB01-_.~é%2F+", max_size=6)), max_size=4)
_noise = st.sampled_from(
    [
        "utm_source=rss",
        "UTM_Medium=feed",
        "fbclid=a1",
        "gclid",
        "mc_cid=2",
        "ns_mchannel=rss",
        "ref=rss",
        "PHPSESSID=0a",
        "jsessionid=1",
        "print=1",
        "amp=1",
        "smid=tw-share",
        "wt_mc=x",
        "%75tm_term=x",
    ]
)


@given(_hosts, _paths, _pairs)
def test_host_path_and_identifying_keys_stay(host: str, path: str, pairs: list[tuple[str, str]]) -> None:
    url = f"https://{host}/{path}" + (
        "?" + "&".join(f"{key}={value}" for key, value in pairs) if pairs else ""
    )
    parts = urlsplit(canonical_url(url))
    assert canonical_url(parts.geturl()) == parts.geturl()
    assert (parts.scheme, parts.netloc) == ("https", host.lower())
    # Blanks around a URL do not belong to it.
    assert _meaning(parts.path) == _meaning("/" + (path if pairs else path.rstrip()))
    kept = [pair.split("=", 1) for pair in parts.query.split("&") if pair]
    assert [(key, _meaning(value)) for key, value in kept] == sorted(
        ((key, _meaning(value)) for key, value in pairs), key=lambda pair: pair[0]
    )


def _meaning(text: str) -> bytes:
    return unquote_to_bytes(text)


@given(_hosts, _paths, _pairs, st.lists(_noise, max_size=4), st.randoms())
def test_noise_makes_no_difference_at_any_place(
    host: str, path: str, pairs: list[tuple[str, str]], noise: list[str], chance: Random
) -> None:
    plain = [f"{key}={value}" for key, value in pairs]
    mixed = list(plain)
    for extra in noise:
        mixed.insert(chance.randrange(len(mixed) + 1), extra)
    base = f"https://{host}/{path}"
    bare = canonical_url(f"{base}?{'&'.join(plain)}")
    assert canonical_url(f" HTTPS://{host.upper()}:443/{path}?{'&'.join(mixed)}#top\n") == bare


@given(_hosts, _paths, _keys, st.integers(0, 999), st.integers(0, 999))
def test_two_values_of_an_identifying_key_are_two_pages(
    host: str, path: str, key: str, one: int, other: int
) -> None:
    urls = {canonical_url(f"https://{host}/{path}?{key}={value}&utm_source=x") for value in (one, other)}
    assert len(urls) == len({one, other})
