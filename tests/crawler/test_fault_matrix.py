"""For each fault: what is stored, what is turned away and why, and that the crawl ends with the rest done.

All faults are in one crawl, one site a fault (see examples/web/trials.py), with sites of the world that have
none; a second crawl has the traps, which only the sections spider can be caught in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from examples.web.faults import FAULTS
from examples.web.server import World, serve
from examples.web.trials import Place, Trial, hold
from tests.crawler.worldly import SITES, WorldDesk

SOUND = ("/before", "/after")
# Sites of the world that are crawled beside the faults, and must come to no harm by them.
OTHERS = ("herald", "matin", "kurier", "messenger")
LIMITS = {
    "DOWNLOAD_TIMEOUT": "5",
    "DOWNLOAD_MAXSIZE": "4000000",
    "COPYDESK_FEED_MAXSIZE": "2000000",
    "COPYDESK_SITEMAP_MAXSIZE": "2000000",
    "COPYDESK_BACKOFF_MAX_SECONDS": "2",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A fault and what it must come to.

    stored: paths beside those of SOUND. rejected: reason and a part of the detail for /faulty; None for no
    rejection. says: a part of the warning that the log has of the source. asked: most requests for what is at
    fault. lost: what of SOUND is not asked for any more, or not allowed.
    """

    trial: Trial
    rejected: tuple[str, str] | None = None
    stored: tuple[str, ...] = ()
    says: str = ""
    asked: int = 1
    lost: tuple[str, ...] = ()


def _article(fault: str, reason: str = "", detail: str = "", *, asked: int = 1, times: int = 0) -> Case:
    trial = Trial(fault, times=times) if times else Trial(fault)
    stored = () if reason else ("/faulty",)
    return Case(trial, (reason, detail) if reason else None, stored, asked=asked)


def _source(fault: str, place: Place, says: str, stored: tuple[str, ...] = (), asked: int = 1) -> Case:
    return Case(Trial(fault, place), stored=stored, says=says, asked=asked)


def _robots(fault: str, *, asked: int = 1, stored: tuple[str, ...] = ()) -> Case:
    return Case(Trial(fault, "robots"), asked=asked, lost=tuple(path for path in SOUND if path not in stored))


# Three requests: what may pass is tried again twice. Seven: so many redirects are followed, and the first.
CASES = (
    _article("too-many", times=1, asked=2),
    _article("unavailable", times=1, asked=2),
    _article("reset", times=1, asked=2),
    _article("too-many", "unreachable", "HTTP 429", asked=3),
    _article("unavailable", "unreachable", "HTTP 503", asked=3),
    _article("server-error", "unreachable", "HTTP 500", asked=3),
    _article("reset", "unreachable", "connection lost", asked=3),
    _article("reset-midway", "unreachable", "broke off", asked=3),
    _article("hang", "unreachable", "in time", asked=3),
    _article("slow-body", "unreachable", "in time", asked=3),
    _article("endless-body", "too large", "DOWNLOAD_MAXSIZE"),
    _article("endless-chunks", "too large", "DOWNLOAD_MAXSIZE"),
    _article("endless-headers", "unreachable", "connection lost", asked=3),
    _article("length-too-great", "unreachable", "broke off", asked=3),
    _article("length-too-small", "empty", "no text"),
    _article("length-absurd", "too large", "DOWNLOAD_MAXSIZE"),
    _article("length-nonsense", "unreachable", "connection lost", asked=3),
    _article("broken-chunks", "unreachable", "broke off", asked=3),
    _article("not-http", "unreachable", "connection lost", asked=3),
    _article("loop", "unreachable", "redirections", asked=7),
    _article("endless-redirects", "unreachable", "redirections", asked=7),
    _article("to-private", "forbidden", "169.254.169.254 is none of the site's hosts"),
    _article("to-loopback", "forbidden", "2130706433 is none of the site's hosts"),
    _article("to-foreign", "forbidden", "elsewhere.example is none of the site's hosts"),
    _article("to-file", "error page", "HTTP 302"),
    _article("refresh-to-private", "forbidden", "127.0.0.1 is none of the site's hosts"),
    _article("gzip-bomb", "too large", "DOWNLOAD_MAXSIZE"),
    _article("broken-gzip"),
    _article("image-as-page", "unsupported type", ""),
    _article("page-as-image"),
    _article("wrong-encoding"),
    _article("broken-encoding"),
    _article("empty-body", "empty", "no body"),
    _article("soft-error", "error page", "Page not found"),
    _article("deep-nesting", "no article", ""),
    _article("injection", "forbidden", "elsewhere.example is none of the site's hosts"),
    _source("bad-xml", "feed", "", stored=("/behind",)),
    _source("hostile-entries", "feed", "", stored=("/behind",)),
    _source("no-xml", "feed", "no RSS, Atom or JSON feed"),
    _source("entity-bomb", "feed", "declares XML entities"),
    _source("external-entity", "feed", "declares XML entities"),
    _source("gzip-bomb", "feed", "DOWNLOAD_MAXSIZE"),
    _source("gzip-bomb-file", "feed", "after decompression"),
    _source("endless-body", "feed", "DOWNLOAD_MAXSIZE"),
    _source("server-error", "feed", "HTTP 500", asked=3),
    _source("slow-body", "feed", "in time", asked=3),
    _source("to-private", "feed", "169.254.169.254 is none of the site's hosts"),
    _source("no-xml", "sitemap", "no sitemap"),
    _source("entity-bomb", "sitemap", "declares XML entities"),
    _source("gzip-bomb-file", "sitemap", "after decompression"),
    _source("circular-index", "sitemap", "", asked=5),
    _robots("forbidding-robots"),
    _robots("huge-robots", stored=SOUND),
    _robots("no-xml", stored=SOUND),
    _robots("loop", asked=7, stored=SOUND),
    _robots("server-error", asked=3),
    _robots("reset", asked=3),
    _robots("hang", asked=3),
    _robots("endless-body"),
)
# Every article of its site has the fault: whichever is asked for first, the others are left alone.
CLOSED = Trial("closed-for-hours")
TRIALS = [*(case.trial for case in CASES), CLOSED]
TRAPS = ("calendar", "growing-path", "session-loop")


@dataclass(frozen=True, slots=True)
class Crawled:
    """What a crawl came to; stored and rejected are by address."""

    world: World
    stored: Mapping[str, Any]
    rejected: Mapping[str, tuple[str, str]]
    log: str

    def asked(self, host: str) -> list[str]:
        """Paths that were asked for on a host, in order."""
        return [urlsplit(r.url).path or "/" for r in self.world.log if r.host == host]


def _crawl(folder: Path, trials: list[Trial], others: tuple[str, ...], spider: str) -> Iterator[Crawled]:
    world = World()
    known = tomllib.loads(SITES.read_text(encoding="utf-8"))["sites"]
    sites = {key: {**known[key], "politeness": {"delay": 0}} for key in others}
    for trial in trials:
        hold(world, trial)
        sites[trial.key] = {"name": trial.key, **trial.site, "politeness": {"delay": 0}}
    if CLOSED in trials:
        for path in SOUND:
            world.spoil(CLOSED.base + path, CLOSED.fault)
        sites[CLOSED.key]["politeness"] = {"delay": 0, "concurrent_requests": 1}
    with serve(world):
        desk = WorldDesk(folder, world)
        desk.write_sites(sites)
        log = desk.scrapy(spider=spider, **LIMITS)
    yield Crawled(world, desk.articles(), desk.rejections(), log)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    yield from _crawl(tmp_path_factory.mktemp("faults"), TRIALS, OTHERS, "news")


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    trials = [Trial(fault, "section") for fault in TRAPS]
    yield from _crawl(tmp_path_factory.mktemp("traps"), trials, ("standard",), "sections")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.trial.key)
def test_a_fault_costs_what_is_at_fault_and_no_more(case: Case, crawled: Crawled) -> None:
    trial = case.trial
    base = f"{trial.base}/"
    stored = {url.removeprefix(trial.base) for url in crawled.stored if url.startswith(base)}
    rejected = {
        url.removeprefix(trial.base): why for url, why in crawled.rejected.items() if url.startswith(base)
    }
    assert stored == {*SOUND, *case.stored} - set(case.lost)
    if case.rejected is None:
        assert rejected == {}
    else:
        reason, detail = rejected.pop("/faulty")
        assert (reason, rejected) == (case.rejected[0], {})
        assert case.rejected[1] in detail
    host = urlsplit(trial.base).hostname or ""
    paths = crawled.asked(host)
    at_fault = [
        path for path in paths if path.startswith("/robots" if trial.place == "robots" else "/faulty")
    ]
    assert 1 <= len(at_fault) <= case.asked
    warnings = [line for line in crawled.log.splitlines() if f"WARNING: Site {trial.key}: " in line]
    if case.says:
        assert [case.says in line for line in warnings] == [True]
    else:
        assert not any(f"{base}faulty" in line for line in warnings)


def test_a_host_that_asks_for_a_pause_of_hours_gets_no_further_request(crawled: Crawled) -> None:
    host = urlsplit(CLOSED.base).hostname or ""
    robots, feed, *articles = crawled.asked(host)
    assert (robots, feed) == ("/robots.txt", "/feed.xml")
    assert len(articles) == 1
    assert articles[0] in (*SOUND, "/faulty")
    assert not any(url.startswith(f"{CLOSED.base}/") for url in crawled.stored)
    rejected = {url: why for url, why in crawled.rejected.items() if url.startswith(f"{CLOSED.base}/")}
    assert rejected == {CLOSED.base + articles[0]: ("unreachable", "HTTP 503")}


def test_every_fault_is_on_trial() -> None:
    assert {case.trial.fault for case in CASES} | {CLOSED.fault} | set(TRAPS) == set(FAULTS)


def test_the_crawl_of_all_faults_ends_in_order_and_other_sites_are_complete(crawled: Crawled) -> None:
    assert "Spider closed (finished)" in crawled.log
    assert "Traceback" not in crawled.log
    expected = {
        article.address for article in crawled.world.articles().values() if article.outlet.key in OTHERS
    }
    assert {url for url in crawled.stored if ".trials." not in url} == expected
    hosts = {article.outlet.host for article in crawled.world.articles().values()}
    twins = {f"{label}.{host.removeprefix('www.')}" for host in hosts for label in ("amp", "m")}
    trials = {urlsplit(trial.base).hostname for trial in TRIALS}
    assert {request.host for request in crawled.world.log} <= hosts | twins | trials


def test_nothing_that_a_server_sends_steers_the_log(crawled: Crawled) -> None:
    lines = crawled.log.splitlines()
    assert not any(line.startswith("2026-01-01") for line in lines)
    assert not any(character in crawled.log for character in ("\x1b", "\r", "\x00"))
    whys = [why for _, why in crawled.rejected.values()]
    assert all(why.isprintable() for why in whys)


def test_traps_are_left_and_other_sections_are_read(trapped: Crawled) -> None:
    assert "Spider closed (finished)" in trapped.log
    standard = [a for a in trapped.world.articles().values() if a.outlet.key == "standard"]
    assert set(trapped.stored) == {article.url for article in standard}
    for fault in TRAPS:
        paths = trapped.asked(f"{fault}-section.trials.example")
        # robots.txt, three links a page and three deep, and what is taken for an article.
        assert 4 <= len(paths) <= 1 + sum(3**depth for depth in range(4)) + 4, paths
