"""Looks whether sites still work: whether their feeds answer and are fresh, and yield articles.

What `copydesk sites check` tells. Sources are read as a crawl reads them, by the same functions, and some of
the articles that they name are fetched and taken through the pipeline. Nothing is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import chain, islice, zip_longest
from typing import Any

from crawler.discovery import SourceEntry, SourceKind, read_source
from crawler.fetched import as_download
from crawler.probing.probe import Asker, NoAnswer, probe
from crawler.runs import PoolBroken
from crawler.sites import Site, is_article_url
from pipeline.counts import counted
from pipeline.document import Article
from pipeline.urls import canonical_url

# Sites that are looked at side by side; each is asked for one thing at a time.
SITES_AT_A_TIME = 16
# Sitemaps that are read of one index, and how deep, to find one with articles.
MAX_FURTHER = 4
MAX_DEPTH = 2
# Entries that are dated later than this from now are dated wrongly.
_AHEAD = timedelta(days=1)
# In place of a site's own max_age_days: what is older is to be seen here, and told.
_ANY_AGE = 36500


class SourceState(StrEnum):
    """How a source is. `is_usable`: a crawl gets articles from it."""

    OK = "ok"
    STALE = "stale"  # its newest entry is old
    EMPTY = "empty"  # it can be read, but names no article of the site
    FAILED = "failed"  # no answer, or none that can be read

    @property
    def is_usable(self) -> bool:
        return self in (SourceState.OK, SourceState.STALE)


class SiteState(StrEnum):
    """How a site is. FLAWED: news comes, but something of what its entry names does not work."""

    OK = "ok"
    FLAWED = "flawed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """What came of one feed, sitemap or section page.

    entries: what it names; articles: how many of these are articles of the site, by their addresses.
    newest: aware, UTC; None where no entry has a date. detail: a line on what is wrong; "" for nothing.
    """

    url: str
    kind: SourceKind
    state: SourceState
    detail: str = ""
    entries: int = 0
    articles: int = 0
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class PageCheck:
    """What the pipeline made of one of the pages: an article with its title and words, or why it is none."""

    url: str
    title: str | None = None
    words: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SiteCheck:
    """What came of a site. is_complete: everything was looked at in the time allowed."""

    key: str
    state: SiteState
    sources: tuple[SourceCheck, ...]
    pages: tuple[PageCheck, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of a site.

    stale_after: since the newest entry. pages: most articles that are fetched. seconds: most that it takes.
    """

    stale_after: timedelta = timedelta(days=14)
    pages: int = 2
    seconds: float = 120.0


@dataclass(slots=True)
class _Look:
    """A look at one site under way: what was found so far."""

    site: Site
    terms: Terms
    sources: list[SourceCheck] = field(default_factory=list)
    articles: list[Sequence[SourceEntry]] = field(default_factory=list)
    pages: list[PageCheck] = field(default_factory=list)


def check_sites(
    sites: Sequence[Site],
    terms: Terms,
    *,
    done: Callable[[SiteCheck], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[SiteCheck]:
    """Look at the sites and return what was found, in their order; once a process.

    done: told of each site as soon as it was looked at. settings: Scrapy settings that override
    crawler.settings. Raises OperatorError for a missing contact address.
    """
    found: dict[str, SiteCheck] = {}

    async def work(asker: Asker) -> None:
        waiting = iter(sites)

        async def one_after_another() -> None:
            for site in waiting:
                found[site.key] = await check_site(asker, site, terms)
                if done is not None:
                    done(found[site.key])

        async with asyncio.TaskGroup() as group:
            for _ in range(min(SITES_AT_A_TIME, len(sites))):
                group.create_task(one_after_another())

    if sites:
        probe(work, sites, settings=settings)
    return [found[site.key] for site in sites]


async def check_site(asker: Asker, site: Site, terms: Terms) -> SiteCheck:
    """Look at one site, for no longer than the terms say."""
    look = _Look(site, terms)
    is_complete = True
    try:
        async with asyncio.timeout(terms.seconds):
            await _look_at(asker, look)
    except TimeoutError:
        is_complete = False
    sources = (*look.sources, *_not_reached(look))
    return SiteCheck(
        site.key, _verdict(sources, look.pages, is_complete), sources, tuple(look.pages), is_complete
    )


def sources_of(site: Site) -> list[tuple[str, SourceKind]]:
    """Everything that the site's entry names to read, and what each is."""
    return [
        *((url, "feed") for url in site.feeds),
        *((url, "sitemap") for url in site.sitemaps),
        *((url, "section") for url in site.sections),
    ]


async def _look_at(asker: Asker, look: _Look) -> None:
    for url, kind in sources_of(look.site):
        source, articles = await _check_source(asker, look, url, kind)
        look.sources.append(source)
        look.articles.append(articles)
    for entry in islice(in_turn(look.articles), look.terms.pages):
        look.pages.append(await check_page(asker, look.site, entry))


async def _check_source(
    asker: Asker, look: _Look, url: str, kind: SourceKind
) -> tuple[SourceCheck, Sequence[SourceEntry]]:
    try:
        entries = await _entries(asker, look.site, url, kind)
    except (NoAnswer, ValueError) as error:
        return SourceCheck(url, kind, SourceState.FAILED, str(error)), ()
    return judged(url, kind, look.site, entries, look.terms.stale_after)


async def _entries(
    asker: Asker, site: Site, url: str, kind: SourceKind, depth: int = 0
) -> Sequence[SourceEntry]:
    """A source's entries; of an index those of the first of its sitemaps that names articles.

    Raises NoAnswer, and ValueError where the source is not what it should be.
    """
    name = "COPYDESK_SITEMAP_MAXSIZE" if kind == "sitemap" else "COPYDESK_FEED_MAXSIZE"
    limit = asker.settings.getint(name)
    response = await asker.get(url, site, site.hosts | site.source_hosts, maxsize=limit)
    any_age = site.model_copy(update={"max_age_days": _ANY_AGE})
    listing = await asker.run(read_source, as_download(response), kind, any_age, limit)
    if kind != "sitemap" or not listing.further:
        return listing.entries
    if depth == MAX_DEPTH:
        raise ValueError("sitemap indexes that name sitemap indexes")
    problem: Exception | None = None
    entries: Sequence[SourceEntry] = ()
    for further, _ in listing.further[:MAX_FURTHER]:
        try:
            entries = await _entries(asker, site, further, kind, depth + 1)
        except (NoAnswer, ValueError) as error:
            problem = ValueError(f"{further}: {error}")
            continue
        if articles_among(entries, site):
            return entries
    if not entries and problem is not None:
        raise problem
    return entries


def judged(
    url: str, kind: SourceKind, site: Site, entries: Sequence[SourceEntry], stale_after: timedelta
) -> tuple[SourceCheck, Sequence[SourceEntry]]:
    """Judge a source by its entries; with those that are articles, the newest first."""
    articles = articles_among(entries, site)
    newest = newest_of(entries)
    found = SourceCheck(url, kind, SourceState.OK, "", len(entries), len(articles), newest)
    if not entries:
        return replace(found, state=SourceState.EMPTY, detail="names nothing"), ()
    if not articles:
        among = counted(len(entries), "entry", "entries")
        detail = f"no article of the site among {among}, e.g. {entries[0].url}"
        return replace(found, state=SourceState.EMPTY, detail=detail), ()
    if newest is not None and datetime.now(UTC) - newest > stale_after:
        detail = f"its newest entry is of {newest:%Y-%m-%d}"
        return replace(found, state=SourceState.STALE, detail=detail), articles
    return found, articles


def articles_among(entries: Iterable[SourceEntry], site: Site) -> list[SourceEntry]:
    """The entries that are articles by their addresses, each once; the newest first, undated ones last."""
    own = {canonical_url(entry.url): entry for entry in reversed(list(entries))}
    found = [entry for url, entry in reversed(own.items()) if is_article_url(url, site)]
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda entry: _dated(entry) or oldest, reverse=True)


def newest_of(entries: Iterable[SourceEntry]) -> datetime | None:
    """When the newest of the entries was published or changed; None where none says."""
    return max((at for entry in entries if (at := _dated(entry)) is not None), default=None)


async def check_page(asker: Asker, site: Site, entry: SourceEntry) -> PageCheck:
    """Fetch an article's page and say what the pipeline makes of it."""
    limit = asker.settings.getint("DOWNLOAD_MAXSIZE")
    try:
        response = await asker.get(entry.url, site, site.hosts, maxsize=limit)
    except NoAnswer as error:
        return PageCheck(entry.url, problem=str(error))
    try:
        outcome = await asker.judge(response, site, entry.claims)
    except PoolBroken as error:
        return PageCheck(entry.url, problem=f"not processed: {error}")
    if isinstance(outcome, Article):
        return PageCheck(entry.url, outcome.title, outcome.word_count)
    return PageCheck(
        entry.url, problem=f"{outcome.reason.value}{': ' if outcome.detail else ''}{outcome.detail}"
    )


def _dated(entry: SourceEntry) -> datetime | None:
    return entry.at if entry.at is not None and entry.at <= datetime.now(UTC) + _AHEAD else None


def in_turn(lists: Iterable[Sequence[SourceEntry]]) -> Iterable[SourceEntry]:
    """The first of each list, then the second of each, …; no address twice."""
    seen = set()
    for entry in chain.from_iterable(zip_longest(*lists)):
        if entry is not None and canonical_url(entry.url) not in seen:
            seen.add(canonical_url(entry.url))
            yield entry


def _not_reached(look: _Look) -> list[SourceCheck]:
    left = sources_of(look.site)[len(look.sources) :]
    detail = f"not read within {look.terms.seconds:.0f} s"
    return [SourceCheck(url, kind, SourceState.FAILED, detail) for url, kind in left]


def _verdict(sources: Sequence[SourceCheck], pages: Sequence[PageCheck], is_complete: bool) -> SiteState:
    """Broken where no source is up to date, or none of the pages that were fetched is an article."""
    if not any(source.state is SourceState.OK for source in sources):
        return SiteState.BROKEN
    if pages and all(page.problem for page in pages):
        return SiteState.BROKEN
    is_well = all(source.state is SourceState.OK for source in sources) and is_complete
    return SiteState.OK if is_well and not any(page.problem for page in pages) else SiteState.FLAWED
