"""Tries candidates for feeds and sitemaps of a site, and chooses the sources to take."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urljoin, urlsplit

from scrapy.http import Response

from crawler.discovery import (
    MAX_LINK_ELEMENTS,
    FrontPage,
    Sitemap,
    SourceCandidate,
    SourceEntry,
    are_related_hosts,
    recognise_source,
    sitemaps_in_robots,
    valid_address,
)
from crawler.fetch import requested_url
from crawler.fetched import as_download
from crawler.log import one_line
from crawler.probing.candidates import GIVEN, NEWS, USUAL_PLACE, FoundKind, ranked
from crawler.probing.client import Client, NoPage
from crawler.probing.limits import Limits
from crawler.probing.page_check import PageCheck
from crawler.probing.source_check import SourceCheck, SourceState, check_entries
from crawler.sites import Site, is_allowed_host
from pipeline.urls import canonical_url

# Most candidates of each kind that are tried, of those that the site names.
MAX_TRIED = {"feed": 12, "sitemap": 8}
# Most feeds that are taken.
MAX_FEEDS = 5
# Most sitemaps of one index that are tried.
MAX_CHILDREN = 3
# Candidates on hosts that are not the site's, such as a feed service; a page may name any number of them.
MAX_FOREIGN = 4
# Most entries of one source that are read.
MAX_ENTRIES = 5000
# Most hosts of articles, besides the homepage's own.
MAX_HOSTS = 5

_DATED_NAME = re.compile(r"\d{4}|[-_/.]\d+\.")
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")


@dataclass(frozen=True, slots=True)
class FoundSource:
    """A feed or sitemap that can be read. url: the one to write down."""

    candidate: SourceCandidate
    url: str
    kind: FoundKind
    entries: tuple[SourceEntry, ...]
    is_news: bool
    check: SourceCheck


@dataclass(slots=True)
class Search:
    """What has been found on one site so far.

    hosts: further hosts of the site. other_hosts: numbers of entries on hosts that are not the site's.
    tried, failed, sources: by canonical URL. untried: candidates beyond the limits. takes_all: every usable
    source is taken.
    """

    site: Site
    limits: Limits
    takes_all: bool = False
    front: FrontPage = field(default_factory=lambda: FrontPage(None, None, ()))
    hosts: set[str] = field(default_factory=set)
    other_hosts: Counter[str] = field(default_factory=Counter)
    tried: dict[str, SourceCandidate] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    sources: dict[str, FoundSource] = field(default_factory=dict)
    pages: list[PageCheck] = field(default_factory=list)
    untried: int = 0


def has_fresh(search: Search, what: FoundKind | Literal["news"]) -> bool:
    """True if a fresh source of that kind was found."""
    return any(
        (source.is_news if what == "news" else source.kind == what)
        for source in search.sources.values()
        if source.check.state is SourceState.OK
    )


async def candidates_in_robots(client: Client, search: Search) -> list[SourceCandidate]:
    robots = urljoin(search.site.homepage, "/robots.txt")
    try:
        response = await client.get(robots, search.site, search.site.hosts, maxsize=1_000_000)
    except NoPage:
        return []
    named = sitemaps_in_robots(response.body, response.url)
    return [
        SourceCandidate(url, "sitemap", "robots.txt")
        for url in map(valid_address, named[:MAX_LINK_ELEMENTS])
        if url
    ]


async def try_candidates(
    client: Client, search: Search, candidates: Sequence[SourceCandidate], is_enough: Callable[[], bool]
) -> None:
    """Fetch and read candidates in their order until there are enough sources, or too many were tried."""
    tried = foreign = 0
    for candidate in candidates:
        canonical = canonical_url(candidate.url)
        is_foreign = not is_allowed_host(candidate.url, search.site.hosts)
        if canonical in search.tried or is_enough():
            continue
        is_one_too_many = tried == MAX_TRIED[candidate.kind] and candidate.found not in (USUAL_PLACE, GIVEN)
        if is_one_too_many or (is_foreign and foreign == MAX_FOREIGN and candidate.found != GIVEN):
            search.untried += 1
            continue
        tried += 1
        foreign += is_foreign
        search.tried[canonical] = candidate
        try:
            search.sources[canonical] = await _read(client, search, candidate)
        except (NoPage, ValueError) as error:
            search.failed[canonical] = str(error)
        except Exception as error:  # whatever a source contains, it costs this source only
            search.failed[canonical] = one_line(f"cannot be read ({type(error).__name__}: {error})")


async def _read(client: Client, search: Search, candidate: SourceCandidate, depth: int = 0) -> FoundSource:
    """Fetch and read a feed or sitemap; of an index, its best sitemap. Raises NoPage and ValueError."""
    limit = client.settings.getint(
        "COPYDESK_SITEMAP_MAXSIZE" if candidate.kind == "sitemap" else "COPYDESK_FEED_MAXSIZE"
    )
    hosts = search.site.hosts | {urlsplit(candidate.url).hostname or ""}
    response = await client.get(candidate.url, search.site, hosts, maxsize=limit)
    kind, found = await client.run(recognise_source, as_download(response), candidate.kind, limit)
    if found.is_index:
        if depth:
            raise ValueError("a sitemap index in a sitemap index")
        return await _best_of_index(client, search, candidate, found, permanent_url(response))
    return await asyncio.to_thread(_source, search, candidate, permanent_url(response), kind, found.entries)


async def _best_of_index(
    client: Client, search: Search, candidate: SourceCandidate, index: Sitemap, url: str
) -> FoundSource:
    """The news sitemap of an index, unless its name is dated; else the index with its best sitemap."""
    oldest = datetime.min.replace(tzinfo=UTC)
    by_date = sorted(index.entries[:MAX_ENTRIES], key=lambda entry: entry.at or oldest, reverse=True)
    sound = [address for entry in by_date if (address := valid_address(entry.url)) is not None]
    own = [address for address in sound if is_allowed_host(address, search.site.hosts)]
    by_name = sorted(own, key=lambda address: not NEWS.search(urlsplit(address).path))
    best: FoundSource | None = None
    problem = "names no sitemap of the site"
    for address in by_name[:MAX_CHILDREN]:
        try:
            source = await _read(
                client, search, SourceCandidate(address, "sitemap", candidate.found), depth=1
            )
        except (NoPage, ValueError) as error:
            problem = f"{address}: {error}"
            continue
        if source.is_news and not _DATED_NAME.search(urlsplit(address).path):
            return replace(source, candidate=candidate)
        if best is None or (source.check.articles and not best.check.articles):
            best = source
    if best is None:
        raise ValueError(problem)
    return replace(best, candidate=candidate, url=url)


def _source(
    search: Search, candidate: SourceCandidate, url: str, kind: FoundKind, entries: tuple[SourceEntry, ...]
) -> FoundSource:
    """Check a source, after the site has got the further hosts of its entries."""
    entries = entries[:MAX_ENTRIES]
    _admit_hosts(search, entries)
    check, _ = check_entries(url, kind, search.site, entries, search.limits.stale_after)
    dated_and_titled = sum(bool(entry.claims.title and entry.claims.published_at) for entry in entries)
    is_news = kind == "sitemap" and dated_and_titled * 2 > len(entries)
    return FoundSource(candidate, url, kind, entries, is_news, check)


def _admit_hosts(search: Search, entries: Iterable[SourceEntry]) -> None:
    """Add hosts of entries to the site that are related to the homepage's; count the others."""
    home = urlsplit(search.site.homepage).hostname or ""
    urls = filter(valid_address, (canonical_url(entry.url) for entry in entries))
    hosts = Counter((urlsplit(url).hostname or "").removeprefix("www.") for url in urls)
    for host, count in hosts.most_common():
        if is_allowed_host(f"http://{host}/", search.site.hosts) or not _HOST.fullmatch(host):
            continue
        if are_related_hosts(host, home) and len(search.hosts) < MAX_HOSTS:
            search.hosts.add(host)
            allowed = (*search.site.allowed_hosts, host)
            search.site = search.site.model_copy(update={"allowed_hosts": allowed})
        else:
            search.other_hosts[host] += count


def permanent_url(response: Response) -> str:
    """The URL to write into the sites file: that of the response if all redirects are permanent."""
    is_permanent = all(reason in (301, 308) for reason in response.meta.get("redirect_reasons", ()))
    return response.url if is_permanent else requested_url(response)


def choose_sources(search: Search) -> tuple[list[FoundSource], dict[str, FoundSource]]:
    """Return the sources to take, and the other usable ones by their canonical URLs.

    Fresh sources come before stale ones. The first news sitemap and the first feed are taken. Further feeds
    are taken only if there is no news sitemap, and they have articles that the other feeds have not. A
    sitemap of all articles is taken only if there is no feed. All usable ones are taken if `takes_all`.
    """
    usable = {name: s for name, s in search.sources.items() if s.check.state.is_usable}
    if search.takes_all:
        by_address = {source.url: source for source in reversed(usable.values())}
        return [s for s in usable.values() if by_address[s.url] is s], {}
    fresh = {name: s for name, s in usable.items() if s.check.state is SourceState.OK}
    pool = fresh or usable
    news = [name for name, s in pool.items() if s.is_news][:1]
    by_rank = ranked([s.candidate for s in pool.values() if s.kind == "feed"])
    feeds_by_rank = [canonical_url(candidate.url) for candidate in by_rank]
    others = [name for name, s in pool.items() if s.kind == "sitemap" and not s.is_news]
    taken = [pool[name] for name in (*news, *feeds_by_rank[:1])] or [pool[name] for name in others[:1]]
    covered = {canonical_url(entry.url) for source in taken for entry in source.entries}
    for name in [] if news else feeds_by_rank[1:]:
        own = {canonical_url(entry.url) for entry in pool[name].entries}
        if own - covered and len(taken) < MAX_FEEDS and pool[name].url not in {s.url for s in taken}:
            taken.append(pool[name])
            covered |= own
    return taken, {name: s for name, s in usable.items() if s not in taken}
