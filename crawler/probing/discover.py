"""Finds the sources of a new site, its name, language and hosts: `copydesk sites add`.

Candidates are the feeds that the front page links to (`link rel=alternate`), the sitemaps that robots.txt
names, and, if these bring too little, the usual places of feeds and sitemaps. A source is usable if it can be
fetched and read, and names articles on the site's hosts. A news sitemap and the main feed are preferred to
feeds of single sections. The number of requests that a site can cause is limited.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from scrapy.http import Response

from crawler.discovery import language_tag, read_front_page, recognise_source, site_key
from crawler.fetched import as_download
from crawler.probing.candidates import (
    FEED_PLACES,
    NEWS_PLACES,
    SITEMAP_PLACES,
    FoundKind,
    ranked,
    usual_places,
)
from crawler.probing.client import Client, NoPage, probe
from crawler.probing.limits import Limits
from crawler.probing.page_check import PageCheck, alternately, check_page
from crawler.probing.search import (
    MAX_ENTRIES,
    MAX_HOSTS,
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


def discover(
    url: str,
    *,
    key: str | None = None,
    name: str | None = None,
    schedule: str | None = None,
    allow_hosts: Sequence[str] = (),
    limits: Limits | None = None,
    require: Callable[[str, str], None] | None = None,
    held: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Discovery:
    """Search a site from the address of its front page; only once in a process.

    key, name: replace those that are inferred. schedule: is written into the entry unchanged. allow_hosts:
    further hosts whose articles are the site's. require: is called with key and homepage before anything but
    the front page is fetched; may raise OperatorError. held: URLs in quarantine, which are not requested,
    each with the reason. settings: Scrapy settings that override crawler.settings.
    Raises OperatorError if the front page cannot be fetched. If nothing is found, the entry has neither
    feeds nor sitemaps.
    """
    homepage = url if "://" in url else f"https://{url}"
    with suppress(ValueError):  # it is reported below
        parts = urlsplit(homepage)
        homepage = parts._replace(path=parts.path or "/").geturl()
    entry = {"homepage": homepage, "sections": (homepage,), "allowed_hosts": tuple(allow_hosts)}
    given = {"name": name, "schedule": schedule}
    site = site_record("sites add", key or "new", {**entry, **{k: v for k, v in given.items() if v}})
    chosen = limits or Limits()
    found: list[Discovery] = []

    async def work(client: Client) -> None:
        found.append(await discover_site(client, site, chosen, key=key, name=name, require=require))

    probe(work, [site], held=held, settings=settings)
    return found[0]


async def discover_site(
    client: Client,
    site: Site,
    limits: Limits,
    *,
    key: str | None = None,
    name: str | None = None,
    require: Callable[[str, str], None] | None = None,
) -> Discovery:
    """Search the site of a record, which has its front page, further hosts and politeness; see `discover`."""
    search = Search(site, limits)
    front = await _front_page(client, search)
    own_key = key or site_key(search.site.homepage)
    if require is not None:
        require(own_key, search.site.homepage)
    with suppress(NoPage, TimeoutError):
        async with asyncio.timeout(limits.seconds):
            search.front = await client.run(read_front_page, as_download(front))
    with suppress(TimeoutError):  # what was found until then is kept
        async with asyncio.timeout(limits.seconds):
            await _search(client, search)
    return _discovery(search, own_key, name)


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
    articles = [
        articles_of(source.entries[:MAX_ENTRIES], search.site) for source in choose_sources(search)[0]
    ]
    for entry in islice(alternately(articles), search.limits.pages):
        search.pages.append(await check_page(client, search.site, entry))


def _discovery(search: Search, key: str, name: str | None) -> Discovery:
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


def _description(source: FoundSource) -> str:
    check = source.check
    what = "news sitemap" if source.is_news else source.kind
    newest = f", the newest of {check.newest:%Y-%m-%d}" if check.newest else ""
    articles = counted(check.articles, "article")
    return f"{what} with {articles}{newest}"
