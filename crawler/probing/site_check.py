"""Checks whether sites still work: `copydesk sites check`.

Sources are fetched and read as in a crawl, by the same functions, and some of their articles are fetched and
taken through the pipeline. Nothing is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any

from crawler.discovery import SourceEntry, SourceKind, read_source
from crawler.fetched import as_download
from crawler.log import one_line
from crawler.probing.client import Client, NoPage, probe, some_at_a_time
from crawler.probing.limits import Limits
from crawler.probing.page_check import PageCheck, alternately, check_page
from crawler.probing.source_check import SourceCheck, SourceState, articles_of, check_entries
from crawler.sites import Site

# Sitemaps of one index that are read, and how deep, to find one with articles.
MAX_FURTHER = 4
MAX_DEPTH = 2
# Replaces a site's max_age_days, so that old entries are found and reported.
_ANY_AGE = 36500


class SiteState(StrEnum):
    """The state of a site. FLAWED: there are articles, but something that its entry names does not work."""

    OK = "ok"
    FLAWED = "flawed"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class SiteCheck:
    """The result for a site. is_complete: everything was checked within the time limit."""

    key: str
    state: SiteState
    sources: tuple[SourceCheck, ...]
    pages: tuple[PageCheck, ...]
    is_complete: bool


@dataclass(slots=True)
class _Progress:
    """What has been found out about one site so far."""

    site: Site
    limits: Limits
    sources: list[SourceCheck] = field(default_factory=list)
    articles: list[Sequence[SourceEntry]] = field(default_factory=list)
    pages: list[PageCheck] = field(default_factory=list)


def check_sites(
    sites: Sequence[Site],
    limits: Limits,
    *,
    held: Mapping[str, str] | None = None,
    done: Callable[[SiteCheck], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[SiteCheck]:
    """Check the sites and return the results in their order; only once in a process, like every crawl.

    held: URLs in quarantine, which are not requested, each with the reason. done: is called with each result.
    settings: Scrapy settings that override crawler.settings. Raises OperatorError for a missing contact
    address.
    """
    found: dict[str, SiteCheck] = {}

    async def work(client: Client) -> None:
        async def check(site: Site) -> None:
            found[site.key] = await check_site(client, site, limits)
            if done is not None:
                done(found[site.key])

        await some_at_a_time(sites, check)

    if sites:
        probe(work, sites, held=held, settings=settings)
    return [found[site.key] for site in sites]


async def check_site(client: Client, site: Site, limits: Limits) -> SiteCheck:
    """Check one site, for no longer than the limits say."""
    progress = _Progress(site, limits)
    is_complete = True
    try:
        async with asyncio.timeout(limits.seconds):
            await _check(client, progress)
    except TimeoutError:
        is_complete = False
    sources = (*progress.sources, *_unread_sources(progress))
    return SiteCheck(
        site.key, _verdict(sources, progress.pages, is_complete), sources, tuple(progress.pages), is_complete
    )


def sources_of(site: Site) -> list[tuple[str, SourceKind]]:
    """Return the URL and kind of each source of the site's entry."""
    return [
        *((url, "feed") for url in site.feeds),
        *((url, "sitemap") for url in site.sitemaps),
        *((url, "section") for url in site.sections),
    ]


async def _check(client: Client, progress: _Progress) -> None:
    for url, kind in sources_of(progress.site):
        source, articles = await _check_source(client, progress, url, kind)
        progress.sources.append(source)
        progress.articles.append(articles)
    for entry in islice(alternately(progress.articles), progress.limits.pages):
        progress.pages.append(await check_page(client, progress.site, entry))


async def _check_source(
    client: Client, progress: _Progress, url: str, kind: SourceKind
) -> tuple[SourceCheck, Sequence[SourceEntry]]:
    try:
        entries = await _entries(client, progress.site, url, kind)
    except (NoPage, ValueError) as error:
        return SourceCheck(url, kind, SourceState.FAILED, str(error)), ()
    except Exception as error:  # whatever a source contains, it costs this source only
        why = f"cannot be read ({type(error).__name__}: {error})"
        return SourceCheck(url, kind, SourceState.FAILED, one_line(why)), ()
    return check_entries(url, kind, progress.site, entries, progress.limits.stale_after)


async def _entries(
    client: Client, site: Site, url: str, kind: SourceKind, depth: int = 0
) -> Sequence[SourceEntry]:
    """Return the entries of a source; of an index, those of the first of its sitemaps that names articles.

    Raises NoPage, and ValueError if the source is not what it should be.
    """
    name = "COPYDESK_SITEMAP_MAXSIZE" if kind == "sitemap" else "COPYDESK_FEED_MAXSIZE"
    limit = client.settings.getint(name)
    response = await client.get(url, site, site.hosts | site.source_hosts, maxsize=limit)
    any_age = site.model_copy(update={"max_age_days": _ANY_AGE})
    listing = await client.run(read_source, as_download(response), kind, any_age, limit)
    if kind != "sitemap" or not listing.further:
        return listing.entries
    if depth == MAX_DEPTH:
        raise ValueError("sitemap indexes that name sitemap indexes")
    problem: Exception | None = None
    entries: Sequence[SourceEntry] = ()
    for further, _ in listing.further[:MAX_FURTHER]:
        try:
            entries = await _entries(client, site, further, kind, depth + 1)
        except (NoPage, ValueError) as error:
            problem = ValueError(f"{further}: {error}")
            continue
        if articles_of(entries, site):
            return entries
    if not entries and problem is not None:
        raise problem
    return entries


def _unread_sources(progress: _Progress) -> list[SourceCheck]:
    left = sources_of(progress.site)[len(progress.sources) :]
    detail = f"not read within {progress.limits.seconds:.0f} s"
    return [SourceCheck(url, kind, SourceState.FAILED, detail) for url, kind in left]


def _verdict(sources: Sequence[SourceCheck], pages: Sequence[PageCheck], is_complete: bool) -> SiteState:
    """BROKEN if no source is fresh, or none of the fetched pages is an article."""
    if not any(source.state is SourceState.OK for source in sources):
        return SiteState.BROKEN
    if pages and all(page.problem for page in pages):
        return SiteState.BROKEN
    is_well = all(source.state is SourceState.OK for source in sources) and is_complete
    return SiteState.OK if is_well and not any(page.problem for page in pages) else SiteState.FLAWED
