"""What is fuzzed: each function that reads a stranger's bytes, with the exceptions that it declares.

A target takes bytes, calls the function, and asserts what its docstring promises.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from itertools import islice

import pyarrow
import pyarrow.parquet
import zstandard
from scrapy.http import Response

from copydesk.options import named_fields
from crawler.discovery import Download, read_front_page, read_opml, read_source, sites_of_feeds
from crawler.discovery.feeds import parse_feed
from crawler.discovery.sections import is_article_link, is_section_link, links
from crawler.discovery.sitemaps import parse_sitemap, sitemaps_in_robots
from crawler.discovery.sources import SourceKind
from crawler.fetch.politeness.hosts import retry_after
from crawler.fetch.politeness.robots import RobotsTxt
from crawler.files import read_paths
from crawler.files.unpack import unpack_body
from crawler.sites import Site, is_article_url, parse_sites, site_rulebook
from pipeline.addresses import address_key, sites_of
from pipeline.document import Article, Document, MediaType, Origin, Reason, Rejection
from pipeline.errors import OperatorError
from pipeline.page import check_selector, decode_body, sniff_media_type
from pipeline.process import process_document
from pipeline.settings import Settings
from pipeline.sites import Phrase, SiteRulebook, SiteRules
from pipeline.urls import absolute_url, canonical_url, identity, site_of, web_url
from storage.search.query import QueryError, as_fts5, as_tsquery, make_snippet, parse_query

FETCHED = datetime(2026, 3, 2, 12, tzinfo=UTC)
URL = "https://gazette.example/2026/03/02/ferry-runs-aground"
# A document is at most so long, so that a bomb is recognised before it needs much memory.
SETTINGS = Settings(max_body_bytes=1 << 20)
_WRAPPED = 1  # of the first byte: the rest is what the container holds


@dataclass(frozen=True, slots=True)
class Target:
    """A function that reads foreign bytes.

    declared: exceptions that it may raise. longest: bytes up to which its time must grow linearly. runs: how
    many inputs the short form tries.
    """

    name: str
    run: Callable[[bytes], object]
    declared: tuple[type[Exception], ...] = ()
    longest: int = 1 << 18
    runs: int = 300


def _read_file(data: bytes, name: str, settings: Settings = SETTINGS) -> None:
    """Every item is a document that is not too long, or a rejection."""
    path = os.path.join(_folder(), name)
    with open(path, "wb") as file:
        file.write(data)
    for item in read_paths([path], settings):
        assert item.location.startswith(path)
        item.location.encode()
        (item.url or "").encode()
        if isinstance(item, Document):
            assert len(item.body) <= SETTINGS.max_body_bytes
        else:
            assert isinstance(item, Rejection)
            item.detail.encode()


@cache
def _folder() -> str:
    return tempfile.mkdtemp(prefix="copydesk-fuzz-")


def _any_file(data: bytes) -> None:
    suffixes = ("html", "txt", "json", "jsonl", "gz", "warc", "", "xml")
    _read_file(data[1:], f"file.{suffixes[data[0] % len(suffixes)]}" if data else "file")


def _container(name: str, wrap: Callable[[bytes], bytes]) -> Callable[[bytes], None]:
    """The bytes as a file of a format; if the first is odd, the others packed in that format."""

    def run(data: bytes) -> None:
        packed = wrap(data[1:]) if data[:1] and data[0] & _WRAPPED else data[1:]
        _read_file(packed, name)

    return run


def _mapped(data: bytes) -> None:
    """The pairs of --map, separated by commas, a line end, and records."""
    pairs, _, records = data.partition(b"\n")
    fields = named_fields([pairs.decode("utf-8", "surrogateescape")])
    reading = replace(SETTINGS.reading, fields=fields)
    _read_file(records, "file.jsonl", replace(SETTINGS, reading=reading))


def _zipped(data: bytes) -> bytes:
    """A zip of members; a line is the name of one, and the next line is its content."""
    out = BytesIO()
    lines = data.split(b"\n")
    names = [line[:2000].decode("utf-8", "replace").partition("\0")[0] for line in lines[::2]]
    contents = dict(zip(names, lines[1::2], strict=False))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in islice(contents.items(), 50):
            archive.writestr(name or "x", body)
    return out.getvalue()


def _tarred(data: bytes) -> bytes:
    """The same bytes, with the checksum of each block right, so that a changed header is read."""
    blocks = bytearray(data.ljust(-(-len(data) // 512) * 512, b"\0"))
    for at in range(0, len(blocks), 512):
        if blocks[at] and blocks[at + 257 : at + 262] == b"ustar":
            blocks[at + 148 : at + 156] = b" " * 8
            blocks[at + 148 : at + 156] = b"%06o\0 " % sum(blocks[at : at + 512])
    return bytes(blocks)


def _parquet(data: bytes) -> bytes:
    """A Parquet file; a line is a row: a time of eight bytes, then URL, authors and text."""
    lines = data.split(b"\n")[:50]
    times = [int.from_bytes(line[:8].ljust(8), "little", signed=True) for line in lines]
    cells = [line[8:].decode("utf-8", "replace").split("\t", 2) for line in lines]
    columns = {
        "text": pyarrow.array([row[-1] for row in cells]).dictionary_encode(),
        "url": pyarrow.array([row[0] if row[1:] else None for row in cells], pyarrow.string()),
        "authors": [row[1].split(",") if row[2:] else [] for row in cells],
        "published_at": pyarrow.array(times, pyarrow.timestamp("ns")),
    }
    out = BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def _coding(data: bytes) -> None:
    codings = ("gzip", "deflate", "br", "zstd")
    if data:
        body, _ = unpack_body(data[1:], codings[data[0] % len(codings)], SETTINGS.max_body_bytes)
        assert len(body) <= max(SETTINGS.max_body_bytes, len(data))


_TYPES = (
    "",
    "text/xml",
    "application/rss+xml; charset=utf-8",
    "text/html; charset=iso-8859-1",
    "x; charset=x",
)


def _feed(data: bytes) -> None:
    parse_feed(data[1:], f"{URL}/feed", _TYPES[data[0] % len(_TYPES)] if data else None)


def _opml(data: bytes) -> None:
    listed = read_opml(data)
    sites = sites_of_feeds(listed.feeds)
    assert sorted(url for site in sites for url in site.feeds) == sorted(feed.url for feed in listed.feeds)
    assert len({site.key for site in sites}) == len(sites)


def _sitemap(data: bytes) -> None:
    sitemaps_in_robots(data, URL)
    parse_sitemap(data, URL)


_KINDS: tuple[SourceKind, ...] = ("feed", "sitemap", "section")


def _source(data: bytes) -> None:
    if data:
        download = Download(data[1:], URL, _TYPES[data[0] // 4 % len(_TYPES)])
        read_source(download, _KINDS[data[0] % len(_KINDS)], _site(), SETTINGS.max_body_bytes)


def _section(data: bytes) -> None:
    for link in links(data, None, URL):
        is_article_link(link, _site())
        is_section_link(link, _site())


def _front_page(data: bytes) -> None:
    page = read_front_page(Download(data[1:], URL, _TYPES[data[0] % len(_TYPES)] if data else ""))
    for candidate in page.candidates:
        assert candidate.url.isprintable()
    assert page.name is None or page.name.isprintable()


@cache
def _site() -> Site:
    table = (
        b"[sites.g]\nname='G'\nhomepage='https://gazette.example/'\nsections=['https://gazette.example/s']"
    )
    return parse_sites(table, "fuzz")["g"]


def _robots(data: bytes) -> None:
    robots = RobotsTxt(data, None)
    robots.allowed(URL, "copydesk")


def _retry_after(data: bytes) -> None:
    seconds = retry_after(Response(URL, headers={"Retry-After": data}))
    assert seconds is None or 0 <= seconds <= 1e9


def _url(data: bytes) -> None:
    """A URL, and on a second line what a page states as its own."""
    url, _, stated = data.decode("utf-8", "surrogateescape").partition("\n")
    canonical = canonical_url(url)
    assert canonical_url(canonical) == canonical
    assert address_key(canonical) == address_key(url)
    assert site_of(canonical) == site_of(url)
    sites_of(url)
    for read in (web_url(url), absolute_url(URL, url)):
        assert read is None or site_of(read)
    own, original = identity(url, stated)
    assert canonical_url(own) == own
    assert original is None or canonical_url(original) == original
    is_article_url(url, _site())


def _decode(data: bytes) -> None:
    """A charset, a line end, and the bytes."""
    declared, _, body = data.partition(b"\n")
    sniff_media_type(body)
    for media_type in MediaType:
        text = decode_body(body, declared.decode("latin-1") or None, media_type)
        text.encode()
        assert "\0" not in text


def _sites_file(data: bytes) -> None:
    for site in parse_sites(data, "fuzz").values():
        is_article_url(URL, site)
        site_rulebook([site]).version("general", "gazette.example")


_PARAGRAPH = b"<p>The ferry ran aground on Monday, and nobody was hurt, the office said in the evening.</p>"
_PAGE = b"""<html><head><title>Ferry runs aground</title></head><body><nav><a href=/>Home</a></nav><article>
<h1>Ferry runs aground</h1><p class='by'>By Ada Holm</p>%b<p>Tap here to join.</p></article></body></html>"""
_PAGE %= _PARAGRAPH * 8


def _site_rules(data: bytes) -> None:
    """Lines of a phrase (with its scope before it), or a selector to drop, or to take."""
    clutter: list[Phrase] = []
    keep: list[Phrase] = []
    drop: list[str] = []
    take: list[str] = []
    for line in data.decode("utf-8", "surrogateescape").splitlines()[:20]:
        kind, _, text = line.partition(" ")
        if kind in ("drop", "take"):
            check_selector(text)
            (drop if kind == "drop" else take).append(text)
        elif kind == "keep":
            keep.append(Phrase(text))
        else:
            clutter.append(Phrase(text, kind))
    rules = SiteRules("gazette", ("gazette.example",), tuple(clutter), tuple(drop), tuple(take), tuple(keep))
    rules.keeps("tap here to join")
    settings = Settings(site_rules=SiteRulebook((rules,)))
    _expected(process_document(_document(_PAGE, MediaType.HTML), settings, fingerprinted=False))


def _query(data: bytes) -> None:
    """A query, and on a second line a text: SQLite accepts what is made of it."""
    written, _, text = data.decode("utf-8", "surrogateescape").partition("\n")
    query = parse_query(written)
    as_tsquery(query)
    _words().execute("SELECT rowid FROM words WHERE words MATCH ?", (as_fts5(query),)).fetchall()
    snippet = make_snippet(text, query)
    assert all(0 <= start < end <= len(snippet.text) for start, end in snippet.marks)


@cache
def _words() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("CREATE VIRTUAL TABLE words USING fts5 (text)")
    connection.execute("INSERT INTO words VALUES ('ferry runs aground')")
    return connection


def _page(data: bytes) -> None:
    _expected(process_document(_document(data, MediaType.HTML), SETTINGS))


def _text(data: bytes) -> None:
    _expected(process_document(_document(data, MediaType.TEXT), SETTINGS))


def _document(body: bytes, media_type: MediaType) -> Document:
    return Document(URL, URL, body, media_type, FETCHED, Origin.CRAWL)


def _expected(outcome: Article | Rejection) -> None:
    """No stage failed by an error of its own, and every text can be stored."""
    if isinstance(outcome, Rejection):
        assert outcome.reason is not Reason.INTERNAL_ERROR, outcome.detail
        outcome.detail.encode()
    else:
        assert outcome.text
        for text in (outcome.text, outcome.title, *outcome.authors, *(part.text for part in outcome.removed)):
            (text or "").encode()


TARGETS = {
    target.name: target
    for target in (
        Target("paths", _any_file),
        Target("zip", _container("file.zip", _zipped)),
        Target("tar", _container("file.tar", _tarred)),
        Target("warc", _container("file.warc", gzip.compress)),
        Target("gzip", _container("file.html.gz", gzip.compress)),
        Target("bzip2", _container("file.html.bz2", bz2.compress), runs=100),
        Target("xz", _container("file.html.xz", lzma.compress), runs=100),
        Target("zstd", _container("file.html.zst", zstandard.ZstdCompressor().compress)),
        Target("jsonl", _container("file.jsonl", bytes)),
        Target("json_array", _container("file.json", bytes)),
        Target("csv", _container("file.csv", bytes), longest=1 << 15),
        Target("map", _mapped, (OperatorError,)),
        Target("parquet", _container("file.parquet", _parquet), longest=1 << 16, runs=150),
        Target("coding", _coding),
        Target("feed", _feed, (ValueError,), longest=1 << 16, runs=150),
        Target("opml", _opml, (ValueError,)),
        Target("sitemap", _sitemap, (ValueError,)),
        Target("section", _section),
        Target("front_page", _front_page),
        Target("source", _source, (ValueError,), longest=1 << 16),
        # Whatever Protego raises means that nothing is allowed.
        Target("robots", _robots, (Exception,), longest=1 << 16),
        Target("retry_after", _retry_after),
        Target("url", _url, longest=1 << 15),
        Target("decode", _decode, runs=150),
        Target("sites_file", _sites_file, (OperatorError,), longest=1 << 16),
        Target("site_rules", _site_rules, (ValueError,), longest=1 << 14, runs=40),
        Target("query", _query, (QueryError,), longest=1 << 16),
        Target("page", _page, longest=1 << 16, runs=60),
        Target("text", _text, longest=1 << 16, runs=60),
    )
}
