"""Finds what a crawl of a site would read: its feeds and sitemaps, its name, language and hosts.

What the front page links to (`link rel=alternate`), what robots.txt names, and the places where feeds and
sitemaps usually are, are tried in this order, and the last only for what the first two did not bring. One
counts if it answers, can be read, and names articles on the site's hosts. A news sitemap and the main feed
are taken before feeds of single sections. What a site can make us ask for is limited.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Literal
from urllib.parse import urldefrag, urljoin, urlsplit

from scrapy.http import Response

from crawler.discovery import (
    MAX_LINK_ELEMENTS,
    FrontPage,
    Sitemap,
    SourceCandidate,
    SourceEntry,
    are_related_hosts,
    language_tag,
    read_front_page,
    recognise_source,
    site_key,
    sitemaps_in_robots,
    valid_address,
)
from crawler.fetch import requested_url
from crawler.fetched import as_download
from crawler.probing.probe import Asker, NoAnswer, probe
from crawler.probing.site_check import (
    PageCheck,
    SourceCheck,
    SourceState,
    Terms,
    articles_among,
    check_page,
    in_turn,
    judged,
)
from crawler.sites import Site, is_allowed_host, site_record
from pipeline.counts import counted
from pipeline.errors import OperatorError
from pipeline.urls import canonical_url

# Most that are tried of those that a site names; most that are taken; and how many of one index are tried.
TRIED = {"feed": 12, "sitemap": 8}
MAX_FEEDS = 5
MAX_CHILDREN = 3
# Feeds on hosts that are not the site's own (a feed service) are tried as well, but a page may name any.
MAX_FOREIGN = 4
# Entries of one source that are looked at.
_JUDGED = 5000
# Hosts that articles are on, beside the homepage's own.
MAX_HOSTS = 5

_FEED_PLACES = (
    "feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json", "feeds", "index.rdf",
)  # fmt: skip
_NEWS_PLACES = (
    "news-sitemap.xml", "sitemap_news.xml", "sitemap-news.xml", "news_sitemap.xml", "googlenews.xml",
)  # fmt: skip
_SITEMAP_PLACES = ("sitemap.xml", "sitemap_index.xml", "sitemap-index.xml", "sitemap.xml.gz")

_NEWS = re.compile(r"news", re.IGNORECASE)
_DATED_NAME = re.compile(r"\d{4}|[-_/.]\d+\.")
_USUAL = "usual place"
_COMMENTS = re.compile(r"comments?|kommentare?|comentarios?|commentaires?|reacties", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")


FoundKind = Literal["feed", "sitemap"]


class Verdict(StrEnum):
    """What came of an address that was tried."""

    TAKEN = "taken"
    SPARE = "not needed"  # it would do, but others have its articles
    UNFIT = "no use"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An address that was tried, and what came of it as a line."""

    url: str
    kind: FoundKind
    found: str
    verdict: Verdict
    says: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found.

    key: a name for the site. entry: its table for a sites file. attempts: in the order in which they were
    made. pages: some of its articles, fetched to see whether they are. other_hosts: hosts, not the site's as
    far as can be told, that feeds lead to, with how many entries each. untried: feeds and sitemaps that were
    named as well, but not tried any more.
    """

    key: str
    entry: Mapping[str, Any]
    attempts: tuple[Attempt, ...]
    pages: tuple[PageCheck, ...]
    other_hosts: Mapping[str, int]
    untried: int


@dataclass(frozen=True, slots=True)
class _Source:
    """A feed or sitemap that can be read. url: the one to write down."""

    candidate: SourceCandidate
    url: str
    kind: FoundKind
    entries: tuple[SourceEntry, ...]
    is_news: bool
    check: SourceCheck


@dataclass(slots=True)
class _Search:
    """A search under way."""

    site: Site
    terms: Terms
    front: FrontPage = field(default_factory=lambda: FrontPage(None, None, ()))
    hosts: set[str] = field(default_factory=set)
    other_hosts: Counter[str] = field(default_factory=Counter)
    tried: dict[str, SourceCandidate] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    sources: dict[str, _Source] = field(default_factory=dict)
    pages: list[PageCheck] = field(default_factory=list)
    untried: int = 0


def discover(
    url: str,
    *,
    key: str | None = None,
    name: str | None = None,
    schedule: str | None = None,
    allow_hosts: Sequence[str] = (),
    terms: Terms | None = None,
    require: Callable[[str, str], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Discovery:
    """Look at a site by the address of its front page; once a process.

    key, name: in place of those that are inferred. schedule: stands in the entry as it is. allow_hosts: hosts
    whose articles are the site's although nothing shows it. require: called with key and homepage before
    anything but the front page is fetched; may raise OperatorError. settings: Scrapy settings that override
    crawler.settings.
    Raises OperatorError where the front page cannot be had. Where nothing is found, the entry has neither
    feeds nor sitemaps.
    """
    homepage = url if "://" in url else f"https://{url}"
    with suppress(ValueError):  # which is told below
        parts = urlsplit(homepage)
        homepage = parts._replace(path=parts.path or "/").geturl()
    entry = {"homepage": homepage, "sections": (homepage,), "allowed_hosts": tuple(allow_hosts)}
    given = {"name": name, "schedule": schedule}
    site = site_record("sites add", key or "new", {**entry, **{k: v for k, v in given.items() if v}})
    chosen = terms or Terms()
    found: list[Discovery] = []

    async def work(asker: Asker) -> None:
        found.append(await look(asker, site, chosen, key=key, name=name, require=require))

    probe(work, [site], settings=settings)
    return found[0]


async def look(
    asker: Asker,
    site: Site,
    terms: Terms,
    *,
    key: str | None = None,
    name: str | None = None,
    require: Callable[[str, str], None] | None = None,
) -> Discovery:
    """Look at the site of a record, which says its front page, further hosts and manners; as `discover`."""
    search = _Search(site, terms)
    front = await _front_page(asker, search)
    own_key = key or site_key(search.site.homepage)
    if require is not None:
        require(own_key, search.site.homepage)
    with suppress(NoAnswer):
        search.front = await asker.run(read_front_page, as_download(front))
    with suppress(TimeoutError):  # what was found until then stands
        async with asyncio.timeout(terms.seconds):
            await _search(asker, search)
    return _discovery(search, own_key, name)


async def _front_page(asker: Asker, search: _Search) -> Response:
    """Fetch the front page; the site's homepage becomes what it redirects to for good."""
    home, seconds = search.site.homepage, search.terms.seconds
    limit = asker.settings.getint("COPYDESK_FEED_MAXSIZE")
    try:
        async with asyncio.timeout(seconds):
            response = await asker.get(home, search.site, search.site.hosts, maxsize=limit)
    except TimeoutError as error:
        raise OperatorError(f"{home}: no answer within {seconds:.0f} s; give it more --seconds") from error
    except NoAnswer as error:
        raise OperatorError(f"{home}: {error}; is that the address of its front page?") from error
    with suppress(ValueError, NoAnswer):
        kind, _ = await asker.run(recognise_source, as_download(response), None, len(response.body))
        raise OperatorError(f"{home}: is a {kind} itself; give the address of the site's front page")
    search.site = search.site.model_copy(update={"homepage": _lasting(response)})
    return response


async def _search(asker: Asker, search: _Search) -> None:
    named = [*search.front.candidates, *await _in_robots(asker, search)]
    maps = _ranked([candidate for candidate in named if candidate.kind == "sitemap"])
    await _try(asker, search, maps, lambda: _has(search, "news"))
    linked = _ranked([candidate for candidate in named if candidate.kind == "feed"])
    linked = [candidate for candidate in linked if not _COMMENTS.search(urlsplit(candidate.url).path)]
    await _try(asker, search, linked, lambda: _has(search, "news") and _has(search, "feed"))
    home = search.site.homepage
    await _try(asker, search, _places(home, "feed", _FEED_PLACES), lambda: _has(search, "feed"))
    await _try(asker, search, _places(home, "sitemap", _NEWS_PLACES), lambda: _has(search, "news"))
    await _try(
        asker,
        search,
        _places(home, "sitemap", _SITEMAP_PLACES),
        lambda: _has(search, "feed") or _has(search, "sitemap"),
    )
    articles = [articles_among(source.entries[:_JUDGED], search.site) for source in _chosen(search)[0]]
    for entry in islice(in_turn(articles), search.terms.pages):
        search.pages.append(await check_page(asker, search.site, entry))


def _has(search: _Search, what: FoundKind | Literal["news"]) -> bool:
    """Whether a source of that kind was found that is up to date."""
    return any(
        (source.is_news if what == "news" else source.kind == what)
        for source in search.sources.values()
        if source.check.state is SourceState.OK
    )


async def _in_robots(asker: Asker, search: _Search) -> list[SourceCandidate]:
    robots = urljoin(search.site.homepage, "/robots.txt")
    try:
        response = await asker.get(robots, search.site, search.site.hosts, maxsize=1_000_000)
    except NoAnswer:
        return []
    named = sitemaps_in_robots(response.body, response.url)
    return [
        SourceCandidate(url, "sitemap", "robots.txt")
        for url in map(valid_address, named[:MAX_LINK_ELEMENTS])
        if url
    ]


async def _try(
    asker: Asker, search: _Search, candidates: Sequence[SourceCandidate], is_enough: Callable[[], bool]
) -> None:
    """Fetch and read candidates in their order, until there is enough, or too many were tried."""
    tried = foreign = 0
    for candidate in candidates:
        canonical = canonical_url(candidate.url)
        is_foreign = not is_allowed_host(candidate.url, search.site.hosts)
        if canonical in search.tried or is_enough():
            continue
        is_one_too_many = tried == TRIED[candidate.kind] and candidate.found != _USUAL
        if is_one_too_many or (is_foreign and foreign == MAX_FOREIGN):
            search.untried += 1
            continue
        tried += 1
        foreign += is_foreign
        search.tried[canonical] = candidate
        try:
            search.sources[canonical] = await _read(asker, search, candidate)
        except (NoAnswer, ValueError) as error:
            search.failed[canonical] = str(error)


async def _read(asker: Asker, search: _Search, candidate: SourceCandidate, depth: int = 0) -> _Source:
    """Fetch and read a feed or sitemap; of an index the sitemap in it that serves best.

    Raises NoAnswer and ValueError.
    """
    limit = asker.settings.getint(
        "COPYDESK_SITEMAP_MAXSIZE" if candidate.kind == "sitemap" else "COPYDESK_FEED_MAXSIZE"
    )
    hosts = search.site.hosts | {urlsplit(candidate.url).hostname or ""}
    response = await asker.get(candidate.url, search.site, hosts, maxsize=limit)
    kind, found = await asker.run(recognise_source, as_download(response), candidate.kind, limit)
    if found.is_index:
        if depth:
            raise ValueError("a sitemap index in a sitemap index")
        return await _best_of_index(asker, search, candidate, found, _lasting(response))
    return await asyncio.to_thread(_source, search, candidate, _lasting(response), kind, found.entries)


async def _best_of_index(
    asker: Asker, search: _Search, candidate: SourceCandidate, index: Sitemap, url: str
) -> _Source:
    """The news sitemap that an index names, if its name is to stay; else the index with what it leads to."""
    oldest = datetime.min.replace(tzinfo=UTC)
    by_date = sorted(index.entries[:_JUDGED], key=lambda entry: entry.at or oldest, reverse=True)
    sound = [address for entry in by_date if (address := valid_address(entry.url)) is not None]
    own = [address for address in sound if is_allowed_host(address, search.site.hosts)]
    by_name = sorted(own, key=lambda address: not _NEWS.search(urlsplit(address).path))
    best: _Source | None = None
    problem = "names no sitemap of the site"
    for address in by_name[:MAX_CHILDREN]:
        try:
            source = await _read(asker, search, SourceCandidate(address, "sitemap", candidate.found), depth=1)
        except (NoAnswer, ValueError) as error:
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
    search: _Search, candidate: SourceCandidate, url: str, kind: FoundKind, entries: tuple[SourceEntry, ...]
) -> _Source:
    """Judge a source, after it was seen whether its entries are on further hosts of the site."""
    entries = entries[:_JUDGED]
    _admit_hosts(search, entries)
    check, _ = judged(url, kind, search.site, entries, search.terms.stale_after)
    dated_and_titled = sum(bool(entry.claims.title and entry.claims.published_at) for entry in entries)
    is_news = kind == "sitemap" and dated_and_titled * 2 > len(entries)
    return _Source(candidate, url, kind, entries, is_news, check)


def _admit_hosts(search: _Search, entries: Iterable[SourceEntry]) -> None:
    """Take hosts of entries that are related to the homepage's to the site's; count the others."""
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


def _lasting(response: Response) -> str:
    """The address to write down for a response: where it was redirected to, if for good."""
    is_permanent = all(reason in (301, 308) for reason in response.meta.get("redirect_reasons", ()))
    return response.url if is_permanent else requested_url(response)


def _places(homepage: str, kind: FoundKind, names: Iterable[str]) -> list[SourceCandidate]:
    """The usual places; of feeds also under the front page's own folder, and those first."""
    folder = urljoin(homepage, urlsplit(homepage).path.rpartition("/")[0] + "/")
    if not urlsplit(homepage).path.endswith("/") and urlsplit(homepage).path:
        folder = f"{urldefrag(homepage).url.partition('?')[0]}/"
    root = urljoin(homepage, "/")
    folders = (folder, root) if kind == "feed" else (root,)
    urls = (base + name for name in names for base in folders)
    return [SourceCandidate(url, kind, _USUAL) for url in dict.fromkeys(urls)]


def _ranked(candidates: Sequence[SourceCandidate]) -> list[SourceCandidate]:
    """What is likelier to be the main feed or the news sitemap first: short paths, and for sitemaps news."""

    def rank(pair: tuple[int, SourceCandidate]) -> tuple[bool, int, int]:
        number, candidate = pair
        path = urlsplit(candidate.url).path
        depth = len([segment for segment in path.split("/") if segment])
        is_news = candidate.kind == "sitemap" and bool(_NEWS.search(path))
        return not is_news, depth, number

    return [candidate for _, candidate in sorted(enumerate(candidates), key=rank)]


def _chosen(search: _Search) -> tuple[list[_Source], dict[str, _Source]]:
    """The sources to take, and the others that could be, by their canonical addresses.

    Fresh ones before stale ones; the first news sitemap, and the first feed; further feeds only where there
    is no news sitemap and they have articles that the others have not; a sitemap of all for want of a feed.
    """
    usable = {name: s for name, s in search.sources.items() if s.check.state.is_usable}
    fresh = {name: s for name, s in usable.items() if s.check.state is SourceState.OK}
    pool = fresh or usable
    news = [name for name, s in pool.items() if s.is_news][:1]
    by_rank = _ranked([s.candidate for s in pool.values() if s.kind == "feed"])
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


def _discovery(search: _Search, key: str, name: str | None) -> Discovery:
    taken, spare = _chosen(search)
    attempts = []
    for canonical, candidate in search.tried.items():
        source = search.sources.get(canonical)
        if source is None:
            says = search.failed.get(canonical, f"no answer within {search.terms.seconds:.0f} s")
            attempts.append(Attempt(candidate.url, candidate.kind, candidate.found, Verdict.UNFIT, says))
            continue
        verdict = Verdict.TAKEN if source in taken else Verdict.SPARE if canonical in spare else Verdict.UNFIT
        says = _described(source) if verdict is not Verdict.UNFIT else source.check.detail
        attempts.append(Attempt(source.url, source.kind, candidate.found, verdict, says))
    languages = Counter(e.claims.language for source in taken for e in source.entries if e.claims.language)
    entry: dict[str, Any] = {
        "name": name or search.front.name,
        "homepage": search.site.homepage,
        "feeds": [source.url for source in taken if source.kind == "feed"],
        "sitemaps": [source.url for source in taken if source.kind == "sitemap"],
        "allowed_hosts": list(search.site.allowed_hosts),
        "language": search.front.language or next(filter(None, map(language_tag, languages)), None),
        "schedule": search.site.schedule,
    }
    return Discovery(
        key,
        {name: value for name, value in entry.items() if value},
        tuple(attempts),
        tuple(search.pages),
        dict(search.other_hosts.most_common(MAX_HOSTS)),
        search.untried,
    )


def _described(source: _Source) -> str:
    check = source.check
    what = "news sitemap" if source.is_news else source.kind
    newest = f", the newest of {check.newest:%Y-%m-%d}" if check.newest else ""
    articles = counted(check.articles, "article")
    return f"{what} with {articles}{newest}"
