"""OPML: feeds of other feed readers, and hostile files."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery.opml import MAX_OPML_BYTES, MAX_OPML_FEEDS, OpmlFeed, read_opml, sites_of_feeds
from crawler.sites import Site, as_opml


def opml(body: str, head: str = "") -> bytes:
    return f'<?xml version="1.0"?>{head}<opml version="1.0"><head/><body>{body}</body></opml>'.encode()


READERS = """
<outline text="World"><outline text="Papers">
  <outline type="rss" text="Gazette" title="The Gazette" xmlUrl="https://www.gazette.example/rss"
           htmlUrl="https://www.gazette.example/news"/>
  <outline text="Gazette sport" XMLURL="https://feeds.gazette.example/sport" htmlurl="https://gazette.example/"/>
</outline></outline>
<outline text="again" xmlUrl="https://www.gazette.example/rss"/>
<outline text="Herald" xmlUrl="feed://herald.example/feed.xml#top"/>
<outline text="&#10; A&#x9;b " xmlUrl="feed:https://courier.example/rss"/>
<outline text="letters" xmlUrl="mailto:ada@example.com"/>
<outline text="file" xmlUrl="file:///etc/passwd"/>
<outline text="secret" xmlUrl="https://ada:pw@herald.example/rss"/>
<outline text="a note"/>
"""


def test_feeds_are_read_as_readers_write_them() -> None:
    found = read_opml(opml(READERS))
    assert found.feeds == (
        OpmlFeed("https://www.gazette.example/rss", "The Gazette", "https://www.gazette.example/news"),
        OpmlFeed("https://feeds.gazette.example/sport", "Gazette sport", "https://gazette.example/"),
        OpmlFeed("http://herald.example/feed.xml", "Herald", None),
        OpmlFeed("https://courier.example/rss", "A b", None),
    )
    assert found.unusable == (
        "mailto:ada@example.com",
        "file:///etc/passwd",
        "https://ada:pw@herald.example/rss",
    )


def test_feeds_of_one_outlet_are_one_site() -> None:
    gazette, herald, courier = sites_of_feeds(read_opml(opml(READERS)).feeds)
    assert gazette.key == "gazette"
    assert gazette.name is None  # its feeds have different titles
    assert gazette.homepage == "https://www.gazette.example/"
    assert gazette.feeds == ("https://www.gazette.example/rss", "https://feeds.gazette.example/sport")
    assert (herald.key, herald.name, herald.homepage) == ("herald", "Herald", "http://herald.example/")
    assert (courier.key, courier.name) == ("courier", "A b")


def test_outlets_of_one_name_stay_apart() -> None:
    feeds = [
        OpmlFeed("https://feeds.guardian.co.uk/rss", None, None),
        OpmlFeed("https://guardian.ng/feed", None, None),
        OpmlFeed("http://127.0.0.1:8000/feed", None, None),
        OpmlFeed("https://guardian-ng.com/feed", None, None),
    ]
    assert [(site.key, site.homepage) for site in sites_of_feeds(feeds)] == [
        ("guardian-co-uk", "https://guardian.co.uk/"),
        ("guardian-ng", "https://guardian.ng/"),
        ("127-0-0-1", "http://127.0.0.1:8000/"),
        ("guardian-ng-2", "https://guardian-ng.com/"),
    ]


def test_what_is_exported_is_read_back_as_the_same_sites() -> None:
    sites = [
        Site(
            key="gazette",
            name='The "Gazette" <&> Ünter',
            homepage="https://www.gazette.example/news",
            feeds=("https://www.gazette.example/rss?a=1&b=2", "https://www.gazette.example/sport"),
        ),
        Site(key="herald", name="Herald", homepage="http://herald.test/", feeds=("http://herald.test/rss",)),
    ]
    found = sites_of_feeds(read_opml(as_opml(sites).encode()).feeds)
    assert [(one.key, one.name, one.homepage, one.feeds) for one in found] == [
        (one.key, one.name, one.homepage, one.feeds) for one in sites
    ]


def lolly(levels: int) -> str:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE opml [<!ENTITY l0 "lol">{entities}]>'


ROW = '<outline xmlUrl="https://gazette.example/rss"/>'
HOSTILE = {
    "a billion laughs": opml(f'<outline text="&l9;" xmlUrl="https://a.example/"/>{ROW}', lolly(10)),
    "the same in UTF-16": opml(f"{ROW}&l9;", lolly(10)).decode().encode("utf-16"),
    "the same in EBCDIC": (
        f"<?xml version='1.0' encoding='IBM037'?>{lolly(10)}<opml>{ROW}&l9;</opml>".encode("cp037")
    ),
    "a file of this machine": opml("&x;", '<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    "ten thousand levels": opml("<outline>" * 10_000 + ROW + "</outline>" * 10_000),
    "no end": opml(ROW)[:-20],
    "an unknown encoding": b"<?xml version='1.0' encoding='klingon'?><opml/>",
    "no XML": b"\x00\x01\x02",
    "nothing": b"",
    "a page": b"<html><body><outline xmlUrl='https://a.example/'/></body></html>",
    "no feed": opml('<outline text="x"/>'),
    "too large": opml(ROW + " " * MAX_OPML_BYTES),
    "too many feeds": opml(
        "".join(f'<outline xmlUrl="https://a.example/{n}"/>' for n in range(MAX_OPML_FEEDS + 1))
    ),
    "a long attribute": opml(f'<outline xmlUrl="https://a.example/{"x" * 1_000_000}"/>'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_quickly(name: str) -> None:
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(ValueError, match=r"."):
        read_opml(HOSTILE[name])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.process_time() - began < 2
    assert most < 60_000_000


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: opml(ROW + text)))
def test_whatever_a_file_holds_it_is_read_or_refused(body: bytes) -> None:
    try:
        found = read_opml(body)
    except ValueError:
        return
    assert found.feeds
    assert sites_of_feeds(found.feeds)
