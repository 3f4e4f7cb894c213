"""How sites fail: each fault answers one request badly, on the bare connection.

They are by name in FAULTS, e.g. `reset-midway`. What is sent without end stops when whoever asked hangs up,
and at ENOUGH at the latest, so that a client that takes it all ends as well.
"""

from __future__ import annotations

import gzip
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from threading import Event

from .web import Resource

# Bytes and seconds after which what is endless ends.
ENOUGH = 400_000_000
ENOUGH_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to answer: what was asked for, what should come, and the connection to send it on."""

    url: str
    resource: Resource
    connection: socket.socket
    closing: Event

    def head(self, status: str = "200 OK", **headers: str) -> None:
        """Send a status line and headers (Content_Length=…); the body ends with the connection."""
        lines = [f"HTTP/1.1 {status}", "Connection: close"]
        given = {"Content_Type": self.resource.content_type, **headers}
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def repeat(self, data: bytes, pause: float = 0.0) -> None:
        """Send the same again and again."""
        until = time.monotonic() + ENOUGH_SECONDS
        for _ in range(ENOUGH // len(data)):
            if self.closing.wait(pause) or time.monotonic() > until:
                return
            self.send(data)

    def reset(self) -> None:
        """Close the connection with a RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Fault = Callable[[Exchange], None]


def too_many(exchange: Exchange) -> None:
    """429, come back in a second."""
    exchange.head("429 Too Many Requests", Retry_After="1", Content_Length="0")


def unavailable(exchange: Exchange) -> None:
    """503 with a date in Retry-After, a second from now."""
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    exchange.head("503 Service Unavailable", Retry_After=at, Content_Length="0")


def closed_for_hours(exchange: Exchange) -> None:
    """503, come back in two hours."""
    exchange.head("503 Service Unavailable", Retry_After="7200", Content_Length="0")


def server_error(exchange: Exchange) -> None:
    """500 without a word about when to come back."""
    exchange.head("500 Internal Server Error", Content_Length="0")


def reset(exchange: Exchange) -> None:
    """The connection is reset before an answer."""
    exchange.reset()


def reset_midway(exchange: Exchange) -> None:
    """The connection is reset in the middle of the body."""
    body = exchange.resource.body
    exchange.head(Content_Length=str(len(body)))
    exchange.send(body[: len(body) // 2])
    exchange.reset()


def hang(exchange: Exchange) -> None:
    """No answer at all; the connection stays open."""
    exchange.closing.wait(ENOUGH_SECONDS)


def slow_body(exchange: Exchange) -> None:
    """A byte of the body now and then."""
    exchange.head(Content_Length="100000")
    exchange.repeat(b".", pause=0.2)


def endless_body(exchange: Exchange) -> None:
    """A page that never ends."""
    exchange.head()
    exchange.send(exchange.resource.body)
    exchange.repeat(b"<p>And another paragraph of the same.</p>\n" * 1000)


def endless_chunks(exchange: Exchange) -> None:
    """The same in chunks."""
    exchange.head(Transfer_Encoding="chunked")
    exchange.repeat(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")


def endless_headers(exchange: Exchange) -> None:
    """A header without an end."""
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    exchange.repeat(b"x" * 65_536)


def length_too_great(exchange: Exchange) -> None:
    """Content-Length promises more than comes."""
    exchange.head(Content_Length=str(len(exchange.resource.body) + 5000))
    exchange.send(exchange.resource.body)


def length_too_small(exchange: Exchange) -> None:
    """Content-Length ends the page before its first paragraph."""
    exchange.head(Content_Length="120")
    exchange.send(exchange.resource.body)


def length_absurd(exchange: Exchange) -> None:
    """Content-Length says a terabyte."""
    exchange.head(Content_Length=str(10**12))
    exchange.send(exchange.resource.body)


def length_nonsense(exchange: Exchange) -> None:
    """Content-Length is no number."""
    exchange.head(Content_Length="-1")
    exchange.send(exchange.resource.body)


def broken_chunks(exchange: Exchange) -> None:
    """A chunk whose length is no number."""
    exchange.head(Transfer_Encoding="chunked")
    exchange.send(b"zebra\r\n" + exchange.resource.body)


def not_http(exchange: Exchange) -> None:
    """The greeting of a mail server."""
    exchange.send(b"220 mail.example ESMTP ready\r\n")


def loop(exchange: Exchange) -> None:
    """A redirect to itself."""
    exchange.head("302 Found", Location=exchange.url, Content_Length="0")


def endless_redirects(exchange: Exchange) -> None:
    """A redirect to an address that is longer by one piece, which redirects again."""
    exchange.head("302 Found", Location=f"{exchange.url}/on", Content_Length="0")


def to_private(exchange: Exchange) -> None:
    """A redirect to the cloud's metadata service."""
    exchange.head("302 Found", Location="http://169.254.169.254/latest/meta-data/", Content_Length="0")


def to_loopback(exchange: Exchange) -> None:
    """A redirect to loopback, written as one number."""
    exchange.head("302 Found", Location="http://2130706433:9200/_all", Content_Length="0")


def to_foreign(exchange: Exchange) -> None:
    """A redirect to another site."""
    exchange.head("301 Moved Permanently", Location="http://elsewhere.example/story", Content_Length="0")


def to_file(exchange: Exchange) -> None:
    """A redirect to a local file."""
    exchange.head("302 Found", Location="file:///etc/passwd", Content_Length="0")


def refresh_to_private(exchange: Exchange) -> None:
    """A page that sends the reader on to loopback by a meta element."""
    exchange.head()
    exchange.send(b'<meta http-equiv="refresh" content="0; url=http://127.0.0.1:22/">')


def gzip_bomb(exchange: Exchange) -> None:
    """A body that grows a thousandfold by decompression."""
    exchange.head(Content_Encoding="gzip", Content_Length=str(len(_bomb())))
    exchange.send(_bomb())


def gzip_bomb_file(exchange: Exchange) -> None:
    """The same as a file that is compressed."""
    exchange.head(Content_Type="application/gzip", Content_Length=str(len(_bomb())))
    exchange.send(_bomb())


def broken_gzip(exchange: Exchange) -> None:
    """A body that says that it is compressed, and is not."""
    exchange.head(Content_Encoding="gzip")
    exchange.send(exchange.resource.body)


def image_as_page(exchange: Exchange) -> None:
    """A picture that is called a page."""
    exchange.head(Content_Type="text/html")
    exchange.send(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)


def page_as_image(exchange: Exchange) -> None:
    """A page that is called a picture."""
    exchange.head(Content_Type="image/png")
    exchange.send(exchange.resource.body)


def wrong_encoding(exchange: Exchange) -> None:
    """UTF-16 that is called an encoding which does not exist."""
    exchange.head(Content_Type="text/html; charset=klingon-8")
    exchange.send(exchange.resource.body.decode().encode("utf-16"))


def broken_encoding(exchange: Exchange) -> None:
    """UTF-8 with bytes between that are none."""
    exchange.head()
    exchange.send(exchange.resource.body.replace(b"</p>", b"\xff\xfe\x00 \xc3</p>"))


def empty_body(exchange: Exchange) -> None:
    """200 and nothing."""
    exchange.head(Content_Length="0")


def soft_error(exchange: Exchange) -> None:
    """An error page with status 200."""
    exchange.head()
    exchange.send(
        b"<html><title>Page not found</title><h1>Page not found</h1>"
        b"<p>Sorry, the page you are looking for cannot be found. It may have been moved or deleted.</p>"
    )


def deep_nesting(exchange: Exchange) -> None:
    """A page of a hundred thousand elements, each within the other."""
    exchange.head()
    exchange.send(exchange.resource.body.replace(b"<p>", b"<div>" * 100_000 + b"<p>", 1))


def injection(exchange: Exchange) -> None:
    """Line ends, escape sequences and a second answer in the header, a forged log line in its target."""
    forged = "/x%0d%0a2026-01-01%20[scrapy]%20ERROR:%20forged\x1b[31m"
    exchange.send(
        b"HTTP/1.1 302 Found\r\nX-One: a\x1b[2J\rb\r\n\tfolded\r\n"
        b"Location: http://elsewhere.example" + forged.encode() + b"\r\nContent-Length: 0\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    )


def bad_xml(exchange: Exchange) -> None:
    """A feed that breaks off in a tag."""
    body = exchange.resource.body
    exchange.head()
    exchange.send(body[: body.rindex(b"</item>")].replace(b"</channel>", b"") + b"<item><title>&nbsp;&<")


def no_xml(exchange: Exchange) -> None:
    """An HTML page in a feed's place."""
    exchange.head(Content_Type="text/html")
    exchange.send(b"<!doctype html><html><body><h1>We are moving our servers</h1><br></body></html>")


def entity_bomb(exchange: Exchange) -> None:
    """A feed that declares a billion laughs."""
    entities = b"".join(
        b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10 if level else b"laugh")
        for level in range(10)
    )
    exchange.head(Content_Type="application/rss+xml")
    exchange.send(
        b'<?xml version="1.0"?><!DOCTYPE rss [' + entities + b"]>"
        b"<rss><channel><item><title>&l9;</title></item></channel></rss>"
    )


def external_entity(exchange: Exchange) -> None:
    """A feed that would have a local file read into it."""
    exchange.head(Content_Type="application/rss+xml")
    exchange.send(
        b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY file SYSTEM "file:///etc/passwd">]>'
        b"<rss><channel><title>&file;</title></channel></rss>"
    )


def hostile_entries(exchange: Exchange) -> None:
    """A feed that names what it should not: other schemes, hosts and networks, and addresses without end."""
    home = exchange.url.rpartition("/")[0]
    links = [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ftp://elsewhere.example/story",
        "http://elsewhere.example/story",
        "http://127.0.0.1:9200/story",
        "http://[::1]/story",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/story",
        "http://[",
        f"{home}@elsewhere.example/story",
        home + "/north" * 40,
        f"{home}/{'x' * 5000}",
        f"{home}/page.pdf",
        f"{home}/behind",
    ]
    items = "".join(f"<item><title>It is &#27;[31m</title><link>{link}</link></item>" for link in links)
    exchange.head(Content_Type="application/rss+xml")
    exchange.send(f'<rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode())


def circular_index(exchange: Exchange) -> None:
    """A sitemap index that names itself, one that is deeper each time, and some of other networks."""
    home = exchange.url.partition("/faulty")[0]
    places = [
        exchange.url,
        f"{exchange.url}/deeper",
        "http://127.0.0.1:9200/map",
        "http://10.0.0.1/map",
        "file:///etc/passwd",
        f"{home}/feed.xml",
    ]
    items = "".join(f"<sitemap><loc>{place}</loc></sitemap>" for place in places)
    exchange.head(Content_Type="application/xml")
    exchange.send(f"<sitemapindex>{items}</sitemapindex>".encode())


def calendar(exchange: Exchange) -> None:
    """A page for each day, which links to the next day, the next month and a list of what is on."""
    month = exchange.url.count("/later")
    links = [
        (f"/days/{month + 1}", "Next day"),
        (f"/agenda{'/later' * (month + 1)}/", "Next month"),
        (f"/2026/11/{month % 30 + 1:02}/what-is-on-in-the-town-hall-{month}", "What is on in the town hall"),
    ]
    _links(exchange, links)


def growing_path(exchange: Exchange) -> None:
    """A page whose relative links make its address longer each time."""
    path = exchange.url.rstrip("/")
    _links(
        exchange, [(f"{path}/north", "The north"), (f"{path}/coast", "The coast"), (f"{path}/on", "Go on")]
    )


def session_loop(exchange: Exchange) -> None:
    """A page whose links carry a new session id at each request."""
    sid = "".join(chr(ord("a") + int(digit)) for digit in str(time.monotonic_ns()))
    base = exchange.url.partition(";")[0].partition("?")[0]
    _links(
        exchange,
        [
            (f"{base};jsessionid={sid}", "The front"),
            (f"{base}?sid={sid}", "Local news"),
            (f"{base.rstrip('/')}/local;jsessionid={sid}", "Local"),
        ],
    )


def _links(exchange: Exchange, links: list[tuple[str, str]]) -> None:
    items = "".join(f'<li><a href="{url}">{text}</a></li>' for url, text in links)
    exchange.head(Content_Type="text/html; charset=utf-8")
    exchange.send(f"<!doctype html><html><body><ul>{items}</ul></body></html>".encode())


def forbidding_robots(exchange: Exchange) -> None:
    """A robots.txt that forbids everything."""
    exchange.head(Content_Type="text/plain")
    exchange.send(b"User-agent: *\nDisallow: /\n")


def huge_robots(exchange: Exchange) -> None:
    """A robots.txt of three megabytes, whose first rule counts."""
    exchange.head(Content_Type="text/plain")
    exchange.send(b"User-agent: *\nDisallow: /faulty\n" + b"# a remark of no use to anybody\n" * 100_000)


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(60_000_000), compresslevel=6, mtime=0)


_ALL: tuple[Fault, ...] = (
    *(too_many, unavailable, closed_for_hours, server_error, reset, reset_midway, hang, slow_body),
    *(endless_body, endless_chunks, endless_headers, length_too_great, length_too_small, length_absurd),
    *(length_nonsense, broken_chunks, not_http, loop, endless_redirects, to_private, to_loopback, to_foreign),
    *(to_file, refresh_to_private, gzip_bomb, gzip_bomb_file, broken_gzip, image_as_page, page_as_image),
    *(wrong_encoding, broken_encoding, empty_body, soft_error, deep_nesting, injection, bad_xml, no_xml),
    *(
        entity_bomb,
        external_entity,
        hostile_entries,
        circular_index,
        calendar,
        growing_path,
        session_loop,
        forbidding_robots,
        huge_robots,
    ),
)
FAULTS: Mapping[str, Fault] = {fault.__name__.replace("_", "-"): fault for fault in _ALL}
