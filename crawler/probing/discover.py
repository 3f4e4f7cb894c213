"""Finds the sources of new sites, their names, languages and hosts: `copydesk sites add`.

Where addresses of sources are given, these are tried. Otherwise, or if none of them works, candidates are
the feeds that the front page links to (`link rel=alternate`), the sitemaps that robots.txt names, and, if
these bring too little, the usual places of feeds and sitemaps. A source is usable if it can be fetched and
read, and names articles on the site's hosts. A news sitemap and the main feed are preferred to feeds of
single sections. The number of requests that a site can cause is limited.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, Literal
from urllib.parse import urlsplit

from scrapy.http import Response

from crawler.discovery import language_tag, read_front_page, recognise_source, site_key
from crawler.fetched import as_download
from crawler.probing.candidates import (
    FEED_PLACES,
    NEWS_PLACES,
    SITEMAP_PLACES,
    FoundKind,
    given,
    ranked,
    usual_places,
)
from crawler.probing.client import Client, NoPage, probe, some_at_a_time
from crawler.probing.limits import Limits
from crawler.probing.page_check import PageCheck, alternately, check_page
from crawler.probing.search import (
    MAX_ENTRIES,
    MAX_HOSTS,
    MAX_TRIED,
    FoundSource,
    Search,
    candidates_in_robots,
    choose_sources,
    has_fresh,
    permanent_url,
    try_candidates,
)
from crawler.probing.source_check import articles_of
from crawler.sites import Site, site_record
from pipeline.counts import counted
from pipeline.errors import OperatorError

_COMMENTS = re.compile(r"comments?|kommentare?|comentarios?|commentaires?|reacties", re.IGNORECASE)


class Verdict(StrEnum):
    """The result for an address that was tried."""

    TAKEN = "taken"
    SPARE = "not needed"  # it is usable, but other sources have its articles
    UNFIT = "no use"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An address that was tried, and the result as one line."""

    url: str
    kind: FoundKind
    found: str
    verdict: Verdict
    says: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """The result of a search.

    key: a name for the site. entry: its table for a sites file. attempts: in the order in which they were
    made. pages: the results for some fetched pages of its articles. other_hosts: hosts that feeds lead to but
    that are not known to be the site's, with their numbers of entries. untried: feeds and sitemaps that the
    site also names, but that were not tried.
    """

    key: str
    entry: Mapping[str, Any]
    attempts: tuple[Attempt, ...]
    pages: tuple[PageCheck, ...]
    other_hosts: Mapping[str, int]
    untried: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A site to find the sources of.

    homepage: address of its front page, `https://` may be left out. key, name, language: replace those that
    are inferred. allow_hosts: further hosts whose articles are the site's. feeds, news_sitemaps, sitemaps:
    addresses to try first, without a look at the front page. takes_all: all of these that work are taken, and
    no others are looked for.
    """

    homepage: str
    key: str | None = None
    name: str | None = None
    language: str | None = None
    allow_hosts: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    news_sitemaps: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    takes_all: bool = False

    @property
    def is_given(self) -> bool:
        """Whether addresses of sources are given."""
        return bool(self.feeds or self.news_sitemaps or self.sitemaps)


def discover(
    wanted: Sequence[Wanted],
    *,
    schedule: str | None = None,
    limits: Limits | None = None,
    require: Callable[[str, str], None] | None = None,
    held: Mapping[str, str] | None = None,
    done: Callable[[Wanted], None] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[Discovery | OperatorError]:
    """Search sites, several at a time; only once in a process. Returns what came of each, in their order.

    schedule: is written into the entries unchanged. require: is called with key and homepage of a site whose
    sources are not given, before anything but its front page is fetched; may raise OperatorError. It is
    called in the order of the sites, so that of two with one key the first is searched. held: URLs in
    quarantine, which are not requested, each with the reason. done: is called when a site was searched.
    settings: Scrapy settings that override crawler.settings.
    A site whose front page cannot be fetched, or that `require` refuses, has an OperatorError in its place.
    If nothing is found, the entry has neither feeds nor sitemaps. Raises OperatorError for a site that cannot
    be written into a sites file, before anything is fetched.
    """
    sites = [_site(one, one.key or f"new-{number}", schedule) for number, one in enumerate(wanted, 1)]
    chosen = limits or Limits()
    found: dict[int, Discovery | OperatorError] = {}

    async def work(client: Client) -> None:
        admitted = [asyncio.Event() for _ in wanted]

        async def search(number: int) -> None:
            one = wanted[number]

            async def admit(key: str, homepage: str) -> None:
                for earlier in admitted[:number]:
                    await earlier.wait()
                if require is not None:
                    require(key, homepage)
                admitted[number].set()

            if one.is_given:
                admitted[number].set()
            try:
                found[number] = await discover_site(client, sites[number], chosen, one, admit=admit)
            except OperatorError as error:
                found[number] = error
            finally:
                admitted[number].set()
            if done is not None:
                done(one)

        await some_at_a_time(range(len(wanted)), search)

    probe(work, sites, held=held, settings=settings)
    return [found[number] for number in range(len(wanted))]


def _site(wanted: Wanted, key: str, schedule: str | None) -> Site:
    """The record of a site with its front page. Raises OperatorError."""
    homepage = wanted.homepage if "://" in wanted.homepage else f"https://{wanted.homepage}"
    with suppress(ValueError):  # it is reported by site_record
        parts = urlsplit(homepage)
        homepage = parts._replace(path=parts.path or "/").geturl()
    entry = {"homepage": homepage, "sections": (homepage,), "allowed_hosts": wanted.allow_hosts}
    given = {"name": wanted.name, "schedule": schedule}
    return site_record("sites add", key, {**entry, **{k: v for k, v in given.items() if v}})


async def discover_site(
    client: Client,
    site: Site,
    limits: Limits,
    wanted: Wanted,
    *,
    admit: Callable[[str, str], Awaitable[None]] | None = None,
) -> Discovery:
    """Search the site of a record, which has its front page, further hosts and politeness; see `discover`.

    admit: the `require` of `discover`, waited for.
    """
    search = Search(site, limits, wanted.takes_all)
    if wanted.is_given:
        with suppress(TimeoutError):  # what was found until then is kept
            async with asyncio.timeout(limits.seconds):
                await _try_given(client, search, wanted)
                await _check_pages(client, search)
        if wanted.takes_all or any(source.check.state.is_usable for source in search.sources.values()):
            return _discovery(search, wanted)
    front = await _front_page(client, search)
    if admit is not None and not wanted.is_given:
        await admit(wanted.key or site_key(search.site.homepage), search.site.homepage)
    with suppress(NoPage, TimeoutError):
        async with asyncio.timeout(limits.seconds):
            search.front = await client.run(read_front_page, as_download(front))
    with suppress(TimeoutError):
        async with asyncio.timeout(limits.seconds):
            await _search(client, search)
            await _check_pages(client, search)
    return _discovery(search, wanted)


async def _try_given(client: Client, search: Search, wanted: Wanted) -> None:
    """Try the given addresses: all of them, or until there are a news sitemap and a feed."""
    most = None if wanted.takes_all else MAX_TRIED["feed"]

    def is_enough(*kinds: FoundKind | Literal["news"]) -> bool:
        return not wanted.takes_all and all(has_fresh(search, kind) for kind in kinds)

    await try_candidates(client, search, given(wanted.news_sitemaps, "sitemap"), lambda: is_enough("news"))
    await try_candidates(
        client, search, given(wanted.feeds[:most], "feed"), lambda: is_enough("news", "feed")
    )
    await try_candidates(
        client,
        search,
        given(wanted.sitemaps[:most], "sitemap"),
        lambda: is_enough("news") or is_enough("feed") or is_enough("sitemap"),
    )


async def _front_page(client: Client, search: Search) -> Response:
    """Fetch the front page; after a permanent redirect, its target becomes the site's homepage."""
    home, seconds = search.site.homepage, search.limits.seconds
    limit = client.settings.getint("COPYDESK_FEED_MAXSIZE")
    try:
        async with asyncio.timeout(seconds):
            response = await client.get(home, search.site, search.site.hosts, maxsize=limit)
    except TimeoutError as error:
        raise OperatorError(f"{home}: no answer within {seconds:.0f} s; give it more --seconds") from error
    except NoPage as error:
        raise OperatorError(f"{home}: {error}; is that the address of its front page?") from error
    with suppress(ValueError, NoPage, TimeoutError):
        async with asyncio.timeout(seconds):
            kind, _ = await client.run(recognise_source, as_download(response), None, len(response.body))
        raise OperatorError(f"{home}: is a {kind} itself; give the address of the site's front page")
    search.site = search.site.model_copy(update={"homepage": permanent_url(response)})
    return response


async def _search(client: Client, search: Search) -> None:
    named = [*search.front.candidates, *await candidates_in_robots(client, search)]
    maps = ranked([candidate for candidate in named if candidate.kind == "sitemap"])
    await try_candidates(client, search, maps, lambda: has_fresh(search, "news"))
    linked = ranked([candidate for candidate in named if candidate.kind == "feed"])
    linked = [candidate for candidate in linked if not _COMMENTS.search(urlsplit(candidate.url).path)]
    await try_candidates(
        client, search, linked, lambda: has_fresh(search, "news") and has_fresh(search, "feed")
    )
    home = search.site.homepage
    await try_candidates(
        client, search, usual_places(home, "feed", FEED_PLACES), lambda: has_fresh(search, "feed")
    )
    await try_candidates(
        client, search, usual_places(home, "sitemap", NEWS_PLACES), lambda: has_fresh(search, "news")
    )
    await try_candidates(
        client,
        search,
        usual_places(home, "sitemap", SITEMAP_PLACES),
        lambda: has_fresh(search, "feed") or has_fresh(search, "sitemap"),
    )


async def _check_pages(client: Client, search: Search) -> None:
    """Take some articles of the chosen sources through the pipeline."""
    articles = [
        articles_of(source.entries[:MAX_ENTRIES], search.site) for source in choose_sources(search)[0]
    ]
    for entry in islice(alternately(articles), search.limits.pages):
        search.pages.append(await check_page(client, search.site, entry))


def _discovery(search: Search, wanted: Wanted) -> Discovery:
    taken, spare = choose_sources(search)
    attempts = []
    for canonical, candidate in search.tried.items():
        source = search.sources.get(canonical)
        if source is None:
            says = search.failed.get(canonical, f"no answer within {search.limits.seconds:.0f} s")
            attempts.append(Attempt(candidate.url, candidate.kind, candidate.found, Verdict.UNFIT, says))
            continue
        verdict = Verdict.TAKEN if source in taken else Verdict.SPARE if canonical in spare else Verdict.UNFIT
        says = _description(source) if verdict is not Verdict.UNFIT else source.check.detail
        attempts.append(Attempt(source.url, source.kind, candidate.found, verdict, says))
    languages = Counter(e.claims.language for source in taken for e in source.entries if e.claims.language)
    entry: dict[str, Any] = {
        "name": wanted.name or search.front.name,
        "homepage": search.site.homepage,
        "feeds": [source.url for source in taken if source.kind == "feed"],
        "sitemaps": [source.url for source in taken if source.kind == "sitemap"],
        "allowed_hosts": list(search.site.allowed_hosts),
        "language": wanted.language
        or search.front.language
        or next(filter(None, map(language_tag, languages)), None),
        "schedule": search.site.schedule,
    }
    return Discovery(
        wanted.key or site_key(search.site.homepage),
        {name: value for name, value in entry.items() if value},
        tuple(attempts),
        tuple(search.pages),
        dict(search.other_hosts.most_common(MAX_HOSTS)),
        search.untried,
    )


def _description(source: FoundSource) -> str:
    check = source.check
    what = "news sitemap" if source.is_news else source.kind
    newest = f", the newest of {check.newest:%Y-%m-%d}" if check.newest else ""
    articles = counted(check.articles, "article")
    return f"{what} with {articles}{newest}"
