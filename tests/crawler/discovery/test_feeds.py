"""Feeds: well-formed, sloppy and hostile."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery.feeds import MAX_ENTRIES, MAX_TEXT, parse_feed
from crawler.sites import MAX_URL_LENGTH

BASE = "https://gazette.example/rss.xml"

RSS = b"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>The Gazette</title><link>https://gazette.example/</link><language>en-GB</language>
<item><title>Ferry runs again &amp; on time</title><link>https://gazette.example/a?utm_source=rss</link>
<pubDate>Mon, 02 Mar 2026 10:30:00 +0100</pubDate><dc:creator>Ada Quill</dc:creator></item>
<item><title>Second</title><link>/b</link></item>
<item><title>No link at all</title></item>
<item><guid isPermaLink="true">https://gazette.example/c</guid></item>
</channel></rss>"""

ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
<title>Blatt</title><entry><title>Eins</title><link rel="alternate" href="https://blatt.example/1"/>
<link rel="self" href="https://blatt.example/1.atom"/>
<updated>2026-03-02T09:00:00Z</updated><author><name>B. Feder</name></author></entry></feed>"""


def test_rss() -> None:
    first, second, third = parse_feed(RSS, BASE)
    assert first.url == "https://gazette.example/a?utm_source=rss"
    assert first.at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert first.claims.title == "Ferry runs again & on time"
    assert first.claims.authors == ("Ada Quill",)
    assert first.claims.language == "en-GB"
    assert first.claims.published_at == "Mon, 02 Mar 2026 10:30:00 +0100"
    assert second.url == "https://gazette.example/b"
    assert second.at is None
    assert third.url == "https://gazette.example/c"


def test_atom() -> None:
    (entry,) = parse_feed(ATOM, "https://blatt.example/atom", "application/atom+xml; charset=utf-8")
    assert entry.url == "https://blatt.example/1"
    assert entry.at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert entry.claims.authors == ("B. Feder",)


def test_json_feed() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "language": "fr",
        "items": [
            {
                "url": "/un",
                "title": "Un",
                "date_published": "2026-03-02T10:00:00+01:00",
                "authors": [{"name": "C"}],
            },
            {"id": "no url"},
            "no object",
        ],
    }
    (entry,) = parse_feed(json.dumps(feed).encode(), "https://journal.example/feed.json")
    assert entry.url == "https://journal.example/un"
    assert entry.at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert (entry.claims.title, entry.claims.authors, entry.claims.language) == ("Un", ("C",), "fr")


@pytest.mark.parametrize("charset", ["windows-1251", "utf-16"])
def test_a_feed_in_another_charset(charset: str) -> None:
    text = f'<?xml version="1.0" encoding="{charset}"?><rss version="2.0"><channel><item><title>Паром</title>'
    body = (text + "<link>https://gazette.example/1</link></item></channel></rss>").encode(charset)
    (entry,) = parse_feed(body, BASE)
    assert entry.claims.title == "Паром"


def test_bare_ampersands_in_addresses_are_kept() -> None:
    body = b"""<rss version="2.0"><channel><item><link>https://gazette.example/?a=1&b=2&amp;c=3</link></item>
    <item><link><![CDATA[https://gazette.example/?a=4&b=5]]></link><description>&nbsp;<![CDATA[&]]></description>
    </item></channel></rss>"""
    assert [entry.url for entry in parse_feed(body, BASE)] == [
        "https://gazette.example/?a=1&b=2&c=3",
        "https://gazette.example/?a=4&b=5",
    ]


def test_addresses_in_attributes_are_read_like_those_in_texts() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://gazette.example/news/"><entry>
    <link href="?a=1&amp;b=2&c=3" rel="alternate"/></entry></feed>"""
    assert [entry.url for entry in parse_feed(body, BASE)] == ["https://gazette.example/news/?a=1&b=2&c=3"]


@pytest.mark.parametrize("character", ["&#27;", "&#xFFFF;", "&#x0;", "\x1b", "\x00", "&#xD800;"])
def test_a_character_that_xml_forbids_costs_no_entry(character: str) -> None:
    item = "<item><title>Ferry {}runs</title><link>https://gazette.example/{}</link></item>"
    body = f"<rss version='2.0'><channel>{item.format(character, 1)}{item.format('', 2)}</channel></rss>"
    first, second = parse_feed(body.encode(), BASE)
    assert (first.url, second.url) == ("https://gazette.example/1", "https://gazette.example/2")
    assert first.claims.title is not None
    assert first.claims.title.isprintable()
    assert (first.claims.title[:5], second.claims.title) == ("Ferry", "Ferry runs")


def test_a_title_with_elements_and_prefixes_that_were_not_declared() -> None:
    body = b"""<rss version="2.0"><channel><item><title>Ferry <b>runs</b> again</title>
    <dc:creator>Ada Quill</dc:creator><link>https://gazette.example/1</link>
    <media:group><media:title>not this</media:title></media:group>
    <source><title>nor this</title><link>https://other.example/</link></source></item></channel></rss>"""
    (entry,) = parse_feed(body, BASE)
    assert entry.url == "https://gazette.example/1"
    assert (entry.claims.title, entry.claims.authors) == ("Ferry runs again", ("Ada Quill",))


def test_the_charset_of_the_header_counts_where_the_feed_declares_none() -> None:
    body = "<rss version='2.0'><channel><item><title>Паром</title><link>/1</link></item></channel></rss>"
    (entry,) = parse_feed(body.encode("windows-1251"), BASE, "text/xml; charset=windows-1251")
    assert entry.claims.title == "Паром"


def test_an_rdf_feed() -> None:
    body = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>G</title></channel>
    <item rdf:about="https://gazette.example/1"><title>Ferry</title><link>https://gazette.example/1</link>
    <dc:date>2026-03-02T10:00:00Z</dc:date><dc:creator>Ada Quill</dc:creator></item></rdf:RDF>"""
    (entry,) = parse_feed(body, BASE)
    assert (entry.url, entry.claims.title) == ("https://gazette.example/1", "Ferry")
    assert entry.at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert entry.claims.authors == ("Ada Quill",)


ITEM = b"<item><title>x</title><link>http://a.example/b</link></item>"


@pytest.mark.parametrize(
    ("piece", "entries"),
    [(ITEM, MAX_ENTRIES), (b"<item>", 0), (b"<", 0), (b"<title>", 0), (b"<a <b ", 0), (b"&", 0)],
)
def test_large_feeds_are_cut_to_their_newest_entries(piece: bytes, entries: int) -> None:
    body = b"<rss version='2.0'><channel>" + piece * (200_000 // len(piece))
    assert len(parse_feed(body, BASE)) == entries


def test_texts_are_cut() -> None:
    item = f"<item><title>{'x' * 10_000}</title><link>https://gazette.example/{'y' * 10_000}</link></item>"
    (entry,) = parse_feed(f"<rss version='2.0'><channel>{item}</channel></rss>".encode(), BASE)
    assert entry.claims.title == "x" * MAX_TEXT
    assert len(entry.url) == MAX_TEXT > MAX_URL_LENGTH


def test_references_to_windows_1252_are_read_as_browsers_read_them() -> None:
    body = b"<rss version='2.0'><channel><item><title>Harbour&#146;s end</title><link>/1</link></item>"
    (entry,) = parse_feed(body, BASE)
    assert entry.claims.title == "Harbour\u2019s end"


def test_a_feed_that_is_not_well_formed_still_gives_its_entries() -> None:
    body = RSS.replace(b"&amp;", b"&").replace(b"</channel></rss>", b"")
    assert parse_feed(body, BASE)[0].url == "https://gazette.example/a?utm_source=rss"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><p>Not found</p></html>",
        b"{}",
        b'{"version": ' + b" " * 10_000_000,
        b'{"version": 3}',
        b"\0\1\2",
        b"{" * 90_000,
    ],
)
def test_content_that_is_not_a_feed(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"no (RSS|JSON)"):
        parse_feed(body, BASE)


def test_bytes_that_name_a_file_are_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "feed.xml"
    secret.write_bytes(RSS)
    with pytest.raises(ValueError, match="no RSS"):
        parse_feed(str(secret).encode(), BASE)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "boom boom boom boom boom boom boom">%s]>
<rss version="2.0"><channel><item><link>https://gazette.example/1</link><title>&z;</title></item></channel></rss>"""
LAUGHS = b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in range(ord("b"), ord("z") + 1))


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_entity_bombs_are_refused(charset: str) -> None:
    bomb = (BOMB % LAUGHS).decode().encode(charset)
    with pytest.raises(ValueError, match="XML entities"):
        parse_feed(bomb, BASE)


@given(st.binary(max_size=300), st.sampled_from([RSS, ATOM]), st.integers(0, 600))
def test_damaged_bytes_give_entries_or_value_error(noise: bytes, body: bytes, at: int) -> None:
    with suppress(ValueError):  # no other exception is raised
        parse_feed(body[:at] + noise + body[at:], BASE)
