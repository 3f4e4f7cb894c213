"""Serves the world on one loopback port, as the HTTP proxy through which its sites are reached.

Sites have names of their own (http://www.velmoraherald.example/) on any machine without a line in its hosts
file, and their addresses are the same whatever port is free:

    python -m examples.web --port 8090
    curl --proxy http://127.0.0.1:8090 http://www.velmoraherald.example/rss.xml
    curl http://127.0.0.1:8090/edition/2
    curl 'http://127.0.0.1:8090/spoil/reset/www.velmoraherald.example/*'

Asked without a proxy it takes orders: /edition/N, /spoil/FAULT/HOST/PATH, /mend, /asked, and /help.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from .faults import FAULTS, Exchange
from .web import Pages, Resource, pages_of
from .world import EDITIONS, Article, articles, outlets

_NO_SUCH_HOST = Resource(b"<h1>502</h1><p>The world has no such host.</p>", status=502)
_NOT_FOUND = Resource(b"<h1>404 Not Found</h1><p>There is no such page.</p>", status=404)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: status 0 where a fault answered it."""

    url: str
    status: int
    agent: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


class World:
    """The web as it is at the moment, and what was asked of it.

    proxy: where it is reached. pages: what answers, by address. edition: the one that is out. log: requests
    in order of arrival. extra: pages beside those of the world, by address.
    """

    def __init__(self) -> None:
        self.proxy = ""
        self.pages: Pages = {}
        self.edition = 0
        self.extra: dict[str, Resource] = {}
        self.log: list[Asked] = []
        self.closing = threading.Event()
        self._clock: dict[int, datetime] = {}
        self._faults: dict[str, tuple[str, int]] = {}
        self.publish(1)

    def publish(self, edition: int) -> None:
        """Let the next edition come out, now, and those before it that are not out yet."""
        while self.edition < edition:
            self.edition += 1
            self._clock[self.edition] = datetime.now(UTC).replace(microsecond=0)
            self.pages = pages_of(self.edition, self._clock, self.pages)

    def articles(self) -> dict[str, Article]:
        """The articles of the edition that is out, those that are gone included, by id: herald/turbine, …"""
        every = (articles(outlet, self.edition, self._clock) for outlet in outlets().values())
        return {article.id: article for carried in every for article in carried}

    def spoil(self, where: str, fault: str, *, times: int = 1_000_000) -> None:
        """Let an address fail, or all that begin with what stands before a `*`; so many times at most."""
        if fault not in FAULTS:
            raise ValueError(f"no fault {fault!r}; there are: {', '.join(FAULTS)}")
        self._faults[where] = (fault, times)

    def mend(self) -> None:
        """Let nothing fail any more."""
        self._faults.clear()

    def fault(self, url: str) -> str | None:
        """The fault that answers a request for the address, which counts as one of its times."""
        for where, (name, left) in self._faults.items():
            if left > 0 and (url == where or (where.endswith("*") and url.startswith(where[:-1]))):
                self._faults[where] = (name, left - 1)
                return name
        return None

    def resource(self, url: str) -> Resource:
        """What stands at the address."""
        known = self.pages.get(url) or self.extra.get(url)
        if known is not None:
            return known
        host = urlsplit(url).hostname
        is_here = any(urlsplit(known).hostname == host for known in (*self.pages, *self.extra))
        return _NOT_FOUND if is_here else _NO_SUCH_HOST


@contextmanager
def serve(world: World, port: int = 0) -> Iterator[World]:
    """Serve a world on a port of 127.0.0.1 (0: a free one) for as long as the context lasts."""

    class Handler(_Handler):
        pass

    Handler.world = world
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    world.proxy = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield world
    finally:
        world.closing.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World

    def do_GET(self) -> None:
        self.close_connection = True
        try:
            if self.path.startswith("http://"):
                self._answer(self.path)
            else:
                self._obey()
        except OSError:  # whoever asked has gone
            pass

    def _answer(self, url: str) -> None:
        world = self.world
        resource = world.resource(url)
        agent = self.headers.get("User-Agent", "")
        fault = world.fault(url)
        if fault is not None:
            world.log.append(Asked(url, 0, agent))
            FAULTS[fault](Exchange(url, resource, self.connection, world.closing))
            return
        status = 304 if resource.status == 200 and self._has(resource) else resource.status
        world.log.append(Asked(url, status, agent))
        headers = {}
        if resource.validators in ("both", "etag"):
            headers["ETag"] = resource.etag
        if resource.validators in ("both", "last-modified") and resource.modified is not None:
            headers["Last-Modified"] = format_datetime(resource.modified, usegmt=True)
        if resource.location:
            headers["Location"] = resource.location
        self._send(status, resource.content_type, resource.body, headers)

    def _has(self, resource: Resource) -> bool:
        """True where the request is conditional, and who asks has this answer (RFC 9110, 13.1)."""
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return resource.validators in ("both", "etag") and resource.etag in tags
        since = self.headers.get("If-Modified-Since")
        if since is None or resource.modified is None or resource.validators == "etag":
            return False
        return resource.modified <= parsedate_to_datetime(since)

    def _obey(self) -> None:
        """Orders come without a proxy: the path is all there is."""
        world = self.world
        order, _, rest = self.path.strip("/").partition("/")
        fault, _, where = rest.partition("/")
        answer: Any = {"edition": world.edition}
        if order == "edition" and rest.isdigit() and int(rest) in EDITIONS:
            world.publish(int(rest))
            answer = {"edition": world.edition}
        elif order == "spoil" and fault in FAULTS and where:
            world.spoil(f"http://{where}", fault)
            answer = {"spoilt": where, "fault": fault}
        elif order == "mend":
            world.mend()
        elif order == "asked":
            answer = [{"url": request.url, "status": request.status} for request in world.log]
        elif order:
            answer = {"orders": ["/edition/N", "/spoil/FAULT/HOST/PATH", "/mend", "/asked"]} | {
                "faults": {name: (fault.__doc__ or "").strip() for name, fault in FAULTS.items()}
            }
        self._send(200, "application/json", json.dumps(answer, indent=1).encode() + b"\n", {})

    def _send(self, status: int, content_type: str, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        if status != 304:
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
