"""Measures how long a crawl's reactor is blocked under load: `scrapy crawl` on the web of examples/web.

    python -m benchmarks.reactor [--articles N] [--listed N] [--workers N] [--places]

Busy sites are added to the invented ones: pages of some hundred kilobytes without a delay, a sitemap with
thousands of addresses, a section page with thousands of links, a robots.txt with thousands of rules. A
watchdog in the crawl's process (`benchmarks.watchdog`) is called every 5 ms. The result is the processor time
of the reactor's thread between two calls, which is how long our code blocked it, and how late the calls came
by the clock, which on a busy machine is mostly waiting for a core.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.newsroom import Newsroom
from crawler import settings
from examples.web.server import World, serve
from examples.web.web import Resource

ROOT = Path(__file__).parents[1]
SITES = ROOT / "examples" / "web" / "sites.toml"
LIMIT = 0.05
BUSY_SITES = 4
ARTICLES = 400
LISTED = 10_000


@dataclass(frozen=True, slots=True)
class Blocked:
    """For each interval between two calls of the watchdog: seconds of delay, seconds of processor time."""

    late: tuple[float, ...]
    busy: tuple[float, ...]
    places: tuple[tuple[str, int], ...]
    articles: int

    def over(self, limit: float = LIMIT) -> int:
        """Intervals in which the reactor's thread computed for longer than that."""
        return sum(seconds > limit for seconds in self.busy)


def measure(articles: int = ARTICLES, listed: int = LISTED, workers: int = 0) -> Blocked:
    """Crawls the world with its busy sites. Raises CalledProcessError if the crawl fails."""
    with tempfile.TemporaryDirectory() as folder, serve(World()) as world:
        sites = {f"busy{n}": _busy_site(world, n, articles // BUSY_SITES) for n in range(BUSY_SITES)}
        sites["listed"] = _listing_site(world, listed)
        path = Path(folder, "sites.toml")
        path.write_text(SITES.read_text() + "".join(_entry(key, site) for key, site in sites.items()))
        found = Path(folder, "watchdog.json")
        _crawl(world, path, found, Path(folder, "crawl.db"), workers)
        written = json.loads(found.read_text())
        fetched = sum(asked.status == 200 for asked in world.log)
    places = tuple((place, count) for place, count in written["places"])
    return Blocked(tuple(written["late"]), tuple(written["busy"]), places, fetched)


def _crawl(world: World, sites: Path, found: Path, database: Path, workers: int) -> None:
    extensions = {**settings.EXTENSIONS, "benchmarks.watchdog.Watchdog": 1}
    options = {
        "EXTENSIONS": json.dumps(extensions),
        "BENCH_WATCHDOG_FILE": str(found),
        "COPYDESK_WORKERS": str(workers),
        "AUTOTHROTTLE_ENABLED": "False",
        "DOWNLOAD_DELAY": "0",
        "LOG_LEVEL": "WARNING",
    }
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("COPYDESK_") and not name.lower().endswith("_proxy")
    }
    own = {
        "COPYDESK_DB": f"sqlite:///{database}",
        "COPYDESK_SITES": str(sites),
        "COPYDESK_CONTACT": "bench@copydesk.example",
        "COPYDESK_USE_PROXY": "1",
        "http_proxy": world.proxy,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "scrapy", "crawl", "news"]
    command += [f"-s{name}={value}" for name, value in options.items()]
    subprocess.run(command, cwd=ROOT, env={**plain, **own}, check=True)


def _busy_site(world: World, number: int, articles: int) -> dict[str, Any]:
    """A site whose feed names many large pages, which are served without a delay."""
    base = f"http://busy{number}.example"
    now = datetime.now(UTC)
    items = []
    for page, document in enumerate(islice(Newsroom(number).documents(), articles)):
        url = f"{base}/{now:%Y/%m/%d}/story-of-the-day-{page}"
        filler = b"<!-- " + bytes(97 + (page + n) % 26 for n in range(1000)) * 200 + b" -->"
        body = document.body.replace(document.url.encode(), url.encode()) + filler
        world.extra[url] = Resource(body)
        items.append(f"<item><title>Story {page}</title><link>{url}</link></item>")
    feed = f"<rss version='2.0'><channel><title>Busy</title>{''.join(items)}</channel></rss>"
    world.extra[f"{base}/feed.xml"] = Resource(feed.encode(), "application/rss+xml")
    world.extra[f"{base}/"] = Resource(b"<html><body><h1>Busy</h1></body></html>")
    return {"homepage": f"{base}/", "feeds": [f"{base}/feed.xml"]}


def _listing_site(world: World, listed: int) -> dict[str, Any]:
    """A site that lists far more than its budget: in a sitemap, on a section page, and in robots.txt."""
    base, now = "http://listed.example", datetime.now(UTC)
    urls = [f"{base}/{now:%Y/%m/%d}/story-number-{n}-of-many?utm_source=map&id={n}" for n in range(listed)]
    stamp = f"<lastmod>{now.isoformat(timespec='seconds')}</lastmod>"
    entries = "".join(f"<url><loc>{url.replace('&', '&amp;')}</loc>{stamp}</url>" for url in urls)
    links = "".join(
        f"<li><a href='{url.replace('number', 'section')}'>What became of the story of number {n}</a></li>"
        for n, url in enumerate(urls[: listed // 2])
    )
    rules = "".join(f"Disallow: /private/*/{n}$\nAllow: /private/{n}/open\n" for n in range(listed // 5))
    world.extra |= {
        f"{base}/robots.txt": Resource(f"User-agent: *\n{rules}".encode(), "text/plain"),
        f"{base}/sitemap.xml": Resource(
            f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{entries}</urlset>".encode(),
            "application/xml",
        ),
        f"{base}/coast": Resource(f"<html><body><ul>{links}</ul></body></html>".encode()),
        f"{base}/": Resource(b"<html><body><h1>Listed</h1></body></html>"),
    }
    return {"homepage": f"{base}/", "sitemaps": [f"{base}/sitemap.xml"], "sections": [f"{base}/coast"]}


def _entry(key: str, site: Mapping[str, Any]) -> str:
    lines = [f"\n[sites.{key}]", f'name = "{key}"', 'language = "en"']
    lines += [f"{name} = {json.dumps(value)}" for name, value in site.items()]
    budget = 20 if "sitemaps" in site else 100_000
    manners = {"delay": 0, "concurrent_requests": 16, "page_budget": budget}
    lines += [f"[sites.{key}.politeness]", *(f"{name} = {value}" for name, value in manners.items())]
    return "\n".join(lines) + "\n"


def as_markdown(blocked: Blocked) -> str:
    lines = [
        "| reactor between two calls, ms | median | 99 % | longest | over 50 ms |",
        "|---|---|---|---|---|",
    ]
    for name, values in (("processor time of its thread", blocked.busy), ("late by the clock", blocked.late)):
        ordered = sorted(values)
        middle, most = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
        over = sum(value > LIMIT for value in ordered)
        cells = [f"{value * 1000:.1f}" for value in (middle, most, ordered[-1])]
        lines.append(f"| {name} | {' | '.join(cells)} | {over} of {len(ordered)} |")
    return "\n".join([*lines, "", f"{blocked.articles} answers in one crawl."])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=ARTICLES, help="of the busy sites together")
    parser.add_argument("--listed", type=int, default=LISTED, help="addresses in the sitemap")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--places", action="store_true", help="show where the reactor's thread was meanwhile")
    options = parser.parse_args(arguments)
    blocked = measure(options.articles, options.listed, options.workers)
    print(as_markdown(blocked))
    if options.places:
        for place, count in blocked.places:
            print(f"{count:5}  {place}")


if __name__ == "__main__":
    main()
