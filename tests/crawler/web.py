"""A web for the crawler's tests: a real HTTP server on loopback with its pages in a dict.

Every request is recorded.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """An answer: headers beside Content-Length are sent as they stand; etag, modified make it conditional."""

    body: bytes = b""
    content_type: str | None = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    modified: str | None = None
    delay: float = 0.0


_NOT_FOUND = Page(b"<h1>Not found</h1>", status=404)

Answer = Page | Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Web:
    """The server's pages by path, and its requests: (path, status) in order of arrival."""

    base: str
    pages: dict[str, Answer] = field(default_factory=dict)
    log: list[tuple[str, int]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    times: list[float] = field(default_factory=list)
    underway: int = 0
    most_at_a_time: int = 0
    # Called with each path before a page is sent. It may delay the answer.
    gate: Callable[[str], object] = lambda _: None

    def count(self) -> Counter[str]:
        return Counter(path for path, _ in self.log)

    def forget(self) -> None:
        self.log.clear()
        self.times.clear()


@contextmanager
def serve(host: str = "127.0.0.1") -> Iterator[Web]:
    """Serve a Web on a free port of the loopback address given."""
    web = Web("")
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with lock:
                web.times.append(time.monotonic())
                web.underway += 1
                web.most_at_a_time = max(web.most_at_a_time, web.underway)
            try:
                self._answer()
            finally:
                with lock:
                    web.underway -= 1

        def _answer(self) -> None:
            web.agents.add(self.headers.get("User-Agent", ""))
            answer = web.pages.get(self.path) or web.pages.get(self.path.partition("?")[0]) or _NOT_FOUND
            if not isinstance(answer, Page):
                web.log.append((self.path, 0))
                answer(self)
                return
            status = answer.status
            asked_with = (self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since"))
            if any(asked_with) and asked_with == (answer.etag, answer.modified):
                status = 304
            web.log.append((self.path, status))
            web.gate(self.path)
            if answer.delay:
                time.sleep(answer.delay)
            body = b"" if status == 304 else answer.body
            self.send_response(status)
            if answer.content_type:
                self.send_header("Content-Type", answer.content_type)
            if answer.etag:
                self.send_header("ETag", answer.etag)
            if answer.modified:
                self.send_header("Last-Modified", answer.modified)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    web.base = f"http://{host}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()


_SENTENCES = (
    "The {thing} will run again from Monday, the council of {place} said after a meeting till ten.",
    "Engineers found {number} cracks in the northern wall and closed it to lorries at once.",
    "“Nobody was in danger at any time,” said {name}, who has led the harbour office since the spring.",
    "Repairs are expected to cost {number} thousand crowns, a third of what was feared in the first report.",
    "Residents of {place} had complained for months about noise from the pumps beneath the {thing}.",
    "A first train with {number} passengers left the old station shortly after seven in the morning.",
    "The ministry in the capital did not answer questions about the delay, which is the third this year.",
    "{name} announced that the {thing} would stay free of charge for pupils until the end of next year.",
)


def article(number: int, *, canonical: str | None = None, extra: str = "") -> bytes:
    """A news page with a story. The number chooses names, places and figures."""
    words = {
        "thing": ("ferry", "tunnel", "bridge", "tram", "library", "market hall", "lighthouse")[number % 7],
        "place": ("Oldhaven", "Marrow Bay", "Tessel", "Quernmouth", "Upper Dale")[number % 5],
        "name": ("Ada Quill", "Ben Marsh", "Cora Lind", "Dov Ister")[number % 4]
        + f" {chr(65 + number % 26)}.",
        "number": str(17 + 13 * number),
    }
    shift = number % len(_SENTENCES)
    sentences = [s.format(**words) for s in (*_SENTENCES[shift:], *_SENTENCES[:shift])]
    title = f"{words['place']} reopens {words['thing']} after {words['number']} days of repairs"
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    paragraphs = "".join(f"<p>{s} This was report number {number} of the week.</p>" for s in sentences)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{link}'
        f'<meta property="article:published_time" content="2026-03-0{1 + number % 8}T09:00:00Z">'
        '<meta property="og:type" content="article"></head><body>'
        '<nav><a href="/">Home</a> <a href="/about">About us</a></nav>'
        f"<article><h1>{title}</h1>{paragraphs}{extra}</article>"
        "<footer>All rights reserved</footer></body></html>"
    ).encode()


def rss(links: Mapping[str, str] | list[str]) -> bytes:
    """An RSS feed of those links; a mapping gives their titles as well."""
    pairs = links.items() if isinstance(links, Mapping) else [(link, "") for link in links]
    items = "".join(
        f"<item><title>{title}</title><link>{link}</link><pubDate>{formatdate(1772442000)}</pubDate></item>"
        for link, title in pairs
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>{items}</channel></rss>'.encode()
    )


def sitemap(links: Mapping[str, str], *, index: bool = False) -> bytes:
    """A sitemap (or sitemap index) of those links with their lastmod, "" for none."""
    outer, inner = ("sitemapindex", "sitemap") if index else ("urlset", "url")
    entries = "".join(
        f"<{inner}><loc>{link}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</{inner}>"
        for link, at in links.items()
    )
    return (
        f'<?xml version="1.0"?><{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{outer}>'
    ).encode()
