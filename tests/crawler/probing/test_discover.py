"""Finding a site's feeds and sitemaps, on hosts of a test server that is reached through a proxy."""

from __future__ import annotations

import gzip
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from crawler.probing.search import MAX_FOREIGN
from tests import forked
from tests.crawler.web import Answer, Page, Web, article, serve, sitemap
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[3]
NOW = time.time()
DAY = 86400.0
FEED_TYPE = "application/rss+xml"


def feed(stories: Mapping[str, float] | list[str], language: str = "") -> Page:
    """An RSS feed of those addresses, with their ages in days."""
    ages = stories if isinstance(stories, Mapping) else dict.fromkeys(stories, 0.1)
    items = "".join(
        f"<item><title>x</title><link>{url}</link><pubDate>{formatdate(NOW - age * DAY)}</pubDate></item>"
        for url, age in ages.items()
    )
    said = f"<language>{language}</language>" if language else ""
    return Page(
        f'<rss version="2.0"><channel><title>x</title>{said}{items}</channel></rss>'.encode(), FEED_TYPE
    )


def news_sitemap(urls: list[str]) -> Page:
    day = datetime.fromtimestamp(NOW, UTC).date()
    entries = "".join(
        f"<url><loc>{url}</loc><news:news><news:publication_date>{day}</news:publication_date>"
        "<news:title>A story</news:title></news:news></url>"
        for url in urls
    )
    names = (
        'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    )
    return Page(f"<urlset {names}>{entries}</urlset>".encode(), "text/xml")


def front(head: str, lang: str = "en") -> Page:
    text = f"<!doctype html><html lang='{lang}'><head><meta charset=utf-8>{head}</head><body></body></html>"
    return Page(text.encode())


def link(*hrefs: str, kind: str = FEED_TYPE) -> str:
    return "".join(f'<link rel="alternate" type="{kind}" href="{href}">' for href in hrefs)


def stories(host: str, *numbers: int) -> list[str]:
    return [f"http://{host}/story/{number}" for number in numbers]


@contextmanager
def never_ending_feed() -> Iterator[Answer]:
    """An answer that sends the beginning of a feed, and the rest only when the context ends."""
    released = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", FEED_TYPE)
        handler.end_headers()
        handler.wfile.write(b"<rss><channel>")
        handler.wfile.flush()
        released.wait(PATIENCE)

    try:
        yield answer
    finally:
        released.set()


class Site:
    """Pages of one host."""

    def __init__(self, web: Web, host: str) -> None:
        self.web, self.host = web, host

    def put(self, path: str, page: Any) -> None:
        self.web.pages[f"http://{self.host}{path}"] = page

    def story(self, *numbers: int) -> list[str]:
        for number in numbers:
            self.put(f"/story/{number}", Page(article(number)))
        return stories(self.host, *numbers)


def run(web: Web, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    done = forked.run(
        [sys.executable, "-m", "tests.crawler.discovering"],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if name.lower() not in ("no_proxy",)},
            "http_proxy": web.base,
            "COPYDESK_USE_PROXY": "1",
            "COPYDESK_CONTACT": "ada@copydesk.example",
        },
        input=json.dumps(jobs),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def fill(web: Web) -> dict[str, dict[str, Any]]:
    """Make the sites; returns the job for each."""
    jobs: dict[str, dict[str, Any]] = {}

    def new(host: str, path: str = "/", **job: Any) -> Site:
        jobs[host] = {"url": f"http://{host}{path}", **job}
        return Site(web, host)

    # The sources of a large outlet: a news sitemap through an index, a main feed, a dozen sections.
    site = new("gazette.example")
    site.put("/", Page(status=301, headers={"Location": "http://www.gazette.example/"}))
    site = Site(web, "www.gazette.example")
    sections = [f"/section/{number}/rss" for number in range(12)]
    name = '<meta property="og:site_name" content="The Gazette"><title>News from Oldhaven | Gazette</title>'
    site.put("/", front(name + link(*sections, "/comments/rss", "rss.xml"), "en_GB"))
    site.put(
        "/robots.txt",
        Page(b"Sitemap: http://www.gazette.example/sitemap.xml\nUser-agent: *\nDisallow: /x", "text/plain"),
    )
    site.put(
        "/sitemap.xml",
        Page(
            sitemap(
                {
                    "http://[x/news.xml": "2026-11-20",
                    "http://10.0.0.1/news.xml": "2026-11-20",
                    "http://www.gazette.example/sitemap-2026-11.xml": "2026-11-20",
                    "http://www.gazette.example/sitemap-news.xml.gz": "",
                },
                index=True,
            ),
            "text/xml",
        ),
    )
    packed = gzip.compress(news_sitemap(site.story(1, 2, 3)).body, mtime=0)
    site.put("/sitemap-news.xml.gz", Page(packed, "application/gzip"))
    site.put("/rss.xml", feed(site.story(1, 2)))
    for path in (*sections, "/comments/rss"):
        site.put(path, feed(site.story(4)))

    # Does not link to its feed, which is in a usual place. Answers every other request with its front page.
    site = new("herald.example", "/en/", name="North Herald")
    home = front("<title>Herald</title>", lang="")
    for path in ("/en/", "/feed", "/en/feed", "/rss", "/en/rss", "/en/rss.xml", "/news-sitemap.xml"):
        site.put(path, home)
    site.put("/rss.xml", Page(status=302, headers={"Location": "http://herald.example/deliver?rss"}))
    site.put("/deliver?rss", feed(site.story(1, 2), language="de"))

    # Thirty feeds of sections and no main one.
    site = new("tribune.example")
    site.put("/", front(link(*(f"/feeds/{number}" for number in range(30)))))
    for number in range(30):
        site.put(f"/feeds/{number}", feed(site.story(*([1] if number == 1 else [number, number + 1]))))

    # Articles on a second host of the outlet, and a feed full of other outlets' articles.
    site = new("www.courier.example")
    site.put("/", front("<title>Home - The Courier</title>" + link("/rss", "/aggregated")))
    odd = ["http://*.courier.test/story/1", "http://x..courier.test/story/1"]
    site.put("/rss", feed([*Site(web, "stories.courier.test").story(1, 2), *odd]))
    site.put("/aggregated", feed([*stories("rumours.example", 1, 2), "http://10.0.0.1/story/1"]))
    jobs["www.courier.example, allowed"] = {**jobs["www.courier.example"], "allow": ["rumours.example"]}

    # An old feed beside the new one, and an old feed alone.
    site = new("observer.example")
    site.put("/", front(link("/rss", "/new/rss")))
    site.put("/rss", feed(dict.fromkeys(stories("observer.example", 1), 900)))
    site.put("/new/rss", Page(status=301, headers={"Location": "http://observer.example/newer/rss"}))
    site.put("/newer/rss", feed(site.story(2)))
    site = new("argus.example")
    site.put("/", front(link("/rss")))
    site.put("/rss", feed(dict.fromkeys(site.story(1), 900)))

    # A sitemap of all pages, and no feed.
    site = new("examiner.example")
    site.put("/", front("<title>The Examiner</title>"))
    site.put(
        "/sitemap.xml",
        Page(
            sitemap(dict.fromkeys(site.story(1, 2), str(datetime.fromtimestamp(NOW, UTC).date()))), "text/xml"
        ),
    )

    # A host without an answer.
    new("missing.example")
    new("10.0.0.1")
    site = new("forbidden.example")
    site.put("/", front(""))
    site.put("/robots.txt", Page(b"User-agent: *\nDisallow: /", "text/plain"))
    site = new("elsewhere.example")
    site.put("/", Page(status=302, headers={"Location": "http://10.0.0.1/"}))
    site = new("feed.example", "/rss")
    site.put("/rss", feed(site.story(1)))
    return jobs


@pytest.fixture(scope="module")
def found() -> Iterator[tuple[Web, dict[str, dict[str, Any]]]]:
    """The discoveries of one process on all sites, and the server with its requests."""
    with serve() as web:
        jobs = fill(web)
        yield web, dict(zip(jobs, run(web, list(jobs.values())), strict=True))


Found = tuple[Web, dict[str, dict[str, Any]]]


def entry(found: Found, host: str) -> dict[str, Any]:
    value: dict[str, Any] = found[1][host]["entry"]
    return value


def attempts(found: Found, host: str) -> dict[str, tuple[str, str]]:
    return {a["url"]: (a["verdict"], a["says"]) for a in found[1][host]["attempts"]}


def asked(found: Found, host: str) -> list[str]:
    return [path for path, _ in found[0].log if path.startswith(f"http://{host}/")]


def test_a_news_sitemap_and_the_main_feed_are_chosen_and_no_section_is_requested(found: Found) -> None:
    base = "http://www.gazette.example/"
    assert entry(found, "gazette.example") == {
        "name": "The Gazette",
        "homepage": base,
        "feeds": [f"{base}rss.xml"],
        "sitemaps": [f"{base}sitemap-news.xml.gz"],
        "language": "en-GB",
    }
    assert found[1]["gazette.example"]["key"] == "gazette"
    assert [a["found"] for a in found[1]["gazette.example"]["attempts"]] == ["robots.txt", "link"]
    (page,) = found[1]["gazette.example"]["pages"]
    assert page["problem"] is None
    assert page["words"] > 100
    assert not [url for url in asked(found, "www.gazette.example") if "section" in url or "comments" in url]


def test_the_usual_places_are_tried_if_the_page_links_to_no_source(found: Found) -> None:
    assert entry(found, "herald.example") == {
        "name": "North Herald",
        "homepage": "http://herald.example/en/",
        "feeds": ["http://herald.example/rss.xml"],  # the target of a temporary redirect is not written
        "language": "de",
    }
    tried = attempts(found, "herald.example")
    assert tried["http://herald.example/en/feed"] == ("no use", "no RSS, Atom or JSON feed")
    verdict, says = tried["http://herald.example/news-sitemap.xml"]
    assert verdict == "no use"
    assert says.startswith("no sitemap")
    assert tried["http://herald.example/googlenews.xml"] == ("no use", "HTTP 404")
    assert "http://herald.example/sitemap.xml" not in tried


def test_only_some_of_dozens_of_feeds_are_tried_and_chosen(found: Found) -> None:
    feeds = entry(found, "tribune.example")["feeds"]
    assert feeds == [f"http://tribune.example/feeds/{number}" for number in (0, 2, 3, 4, 5)]
    tried = attempts(found, "tribune.example")
    assert tried["http://tribune.example/feeds/1"][0] == "not needed"  # the first has all of its articles
    assert sum("/feeds/" in url for url in tried) == 12
    assert found[1]["tribune.example"]["untried"] == 18


def test_hosts_of_the_outlet_are_allowed_and_different_ones_only_reported(found: Found) -> None:
    courier = entry(found, "www.courier.example")
    assert courier["name"] == "The Courier"
    assert courier["feeds"] == ["http://www.courier.example/rss"]
    assert courier["allowed_hosts"] == ["stories.courier.test"]
    assert found[1]["www.courier.example"]["other_hosts"] == {"rumours.example": 2, "10.0.0.1": 1}
    verdict, says = attempts(found, "www.courier.example")["http://www.courier.example/aggregated"]
    assert verdict == "no use"
    assert says.startswith("no article of the site among 3 entries")


def test_a_host_that_the_operator_allows_belongs_to_the_site(found: Found) -> None:
    courier = entry(found, "www.courier.example, allowed")
    assert courier["feeds"] == ["http://www.courier.example/rss", "http://www.courier.example/aggregated"]
    assert courier["allowed_hosts"] == ["rumours.example", "stories.courier.test"]


def test_an_old_feed_is_chosen_only_if_there_is_no_fresh_one(found: Found) -> None:
    assert entry(found, "observer.example")["feeds"] == ["http://observer.example/newer/rss"]
    assert attempts(found, "observer.example")["http://observer.example/rss"][0] == "not needed"
    assert entry(found, "argus.example")["feeds"] == ["http://argus.example/rss"]


def test_a_sitemap_of_all_pages_is_chosen_if_there_is_no_feed(found: Found) -> None:
    examiner = entry(found, "examiner.example")
    assert "feeds" not in examiner
    assert examiner["sitemaps"] == ["http://examiner.example/sitemap.xml"]


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("10.0.0.1", "10.0.0.1 is not on the public internet"),
        ("missing.example", "HTTP 404; is that the address of its front page?"),
        ("forbidden.example", "Forbidden by robots.txt; is that"),
        ("elsewhere.example", "10.0.0.1 is none of the site's hosts; is that"),
        ("feed.example", "is a feed itself; give the address of the site's front page"),
    ],
)
def test_a_missing_front_page_is_reported_in_one_line(found: Found, host: str, message: str) -> None:
    assert found[1][host]["error"].startswith(f"http://{host}/")
    assert message in found[1][host]["error"]


def test_discovery_is_as_polite_as_a_crawl(found: Found) -> None:
    assert found[0].agents == {"copydesk/0.1 (+ada@copydesk.example)"}
    assert asked(found, "forbidden.example") == ["http://forbidden.example/robots.txt"]
    assert not asked(found, "10.0.0.1")


BOMB = b'<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel>&b;</channel></rss>'


def test_a_hostile_site_costs_few_requests_and_adds_no_host() -> None:
    with serve() as web, never_ending_feed() as endless:
        site = Site(web, "trap.example")
        bad = [
            "javascript:alert(1)", "data:text/xml,x", "file:///etc/passwd", "ftp://trap.example/rss",
            "http://ada:secret@trap.example/rss", "http://trap.example:99999/rss", "http://[x/rss", "//",
            "/a b", "/\x1b]0;x\x07", "/" + "a" * 3000, "http://169.254.169.254/latest", "http://127.0.0.1.nip.example/",
        ]  # fmt: skip
        foreign = [f"http://victim{number}.example/rss" for number in range(600)]
        own = ["/bomb", "/gzip", "/loop", "/leave"]
        name = '<meta property="og:site_name" content="Trap &#10;[sites.x] &#27;]0;pwned&#7; \u202e&quot;\\">'
        site.put("/", front(name + link(*bad, *own, *foreign, *(f"/{n}" for n in range(2000))), "<script>"))
        site.put("/bomb", Page(BOMB, FEED_TYPE))
        site.put("/gzip", Page(gzip.compress(b"<rss>" + b" " * 30_000_000, mtime=0), FEED_TYPE))
        site.put("/loop", Page(status=302, headers={"Location": "http://trap.example/loop"}))
        site.put("/leave", Page(status=302, headers={"Location": "http://victim.example/rss"}))
        site.put("/robots.txt", Page(b"Sitemap: /map\n" * 3 + b"Sitemap: http://10.0.0.1/\n", "text/plain"))
        site.put("/map", Page(sitemap({"http://trap.example/map": ""}, index=True), "text/xml"))
        slow = Site(web, "slow.example")
        slow.put("/", front(link("/rss")))
        slow.put("/rss", endless)
        patient = Site(web, "patient.example")
        patient.put("/", front(""))
        patient.put("/robots.txt", Page(b"User-agent: *\nCrawl-delay: 60\n", "text/plain"))
        jobs: list[dict[str, Any]] = [
            {"url": "http://trap.example/"},
            {"url": "http://slow.example/", "seconds": 15},
            {"url": "http://patient.example/", "seconds": 15},
        ]
        trap, late, never = run(web, jobs)
        log = [path for path, _ in web.log]
    assert trap["entry"] == {
        "name": 'Trap [sites.x] ]0;pwned "\\',
        "homepage": "http://trap.example/",
    }
    says = {a["url"]: a["says"] for a in trap["attempts"]}
    assert says["http://trap.example/bomb"] == "declares XML entities, which no feed or sitemap needs"
    assert "10000000" in says["http://trap.example/gzip"]
    assert says["http://trap.example/loop"] == "max redirections reached"
    assert says["http://trap.example/leave"] == "victim.example is none of the site's hosts"
    assert says["http://trap.example/map"].endswith("a sitemap index in a sitemap index")
    assert "169.254.169.254 is not on the public internet" in says["http://169.254.169.254/latest"]
    victims = [path for path in log if "victim" in path and not path.endswith("robots.txt")]
    assert len(victims) <= MAX_FOREIGN
    assert len(log) < 80
    assert not [path for path in log if "10.0.0.1" in path or "169.254" in path]
    assert trap["untried"] > 400
    assert late["entry"] == {"homepage": "http://slow.example/", "language": "en"}
    (attempt,) = late["attempts"]
    assert (attempt["url"], attempt["verdict"]) == ("http://slow.example/rss", "no use")
    assert never == {"error": "http://patient.example/: no answer within 15 s; give it more --seconds"}
