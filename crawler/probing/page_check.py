"""Checks whether a page is an article for the pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, zip_longest

from crawler.discovery import SourceEntry
from crawler.probing.client import Client, NoPage
from crawler.probing.reserved import in_words, read_refused
from crawler.sites import Site
from crawler.workers import PoolBroken
from pipeline.document import Article
from pipeline.urls import canonical_url


@dataclass(frozen=True, slots=True)
class PageCheck:
    """The result for one page: title and number of words of its article, or the problem.

    reserves: what the page, its server or its site says to reserve the text, or a use of it by machines; and
    which crawlers for training robots.txt refuses it.
    """

    url: str
    title: str | None = None
    words: int | None = None
    problem: str | None = None
    reserves: tuple[str, ...] = ()


async def check_page(client: Client, site: Site, entry: SourceEntry) -> PageCheck:
    """Fetch an article's page and take it through the pipeline."""
    limit = client.settings.getint("DOWNLOAD_MAXSIZE")
    try:
        response = await client.get(entry.url, site, site.hosts, maxsize=limit)
    except NoPage as error:
        return PageCheck(entry.url, problem=str(error))
    try:
        outcome = await client.judge(response, site, entry.claims)
    except PoolBroken as error:
        return PageCheck(entry.url, problem=f"not processed: {error}")
    if isinstance(outcome, Article):
        reserves = in_words(outcome.rights or ())
        refused: tuple[str, ...] = ()
        if robots := client.robots_of(response.url):
            with suppress(NoPage):  # the page was fetched by it, so it can be read
                refused = await client.run(read_refused, robots, response.url)
        return PageCheck(entry.url, outcome.title, outcome.word_count, reserves=reserves + refused)
    return PageCheck(
        entry.url, problem=f"{outcome.reason.value}{': ' if outcome.detail else ''}{outcome.detail}"
    )


def alternately(lists: Iterable[Sequence[SourceEntry]]) -> Iterable[SourceEntry]:
    """The first of each list, then the second of each, …; no URL twice."""
    seen = set()
    for entry in chain.from_iterable(zip_longest(*lists)):
        if entry is not None and canonical_url(entry.url) not in seen:
            seen.add(canonical_url(entry.url))
            yield entry
