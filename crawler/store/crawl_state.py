"""What the database knows about the URLs of a crawl, and what the crawl learns about them.

Spiders ask here which URLs need a request, and report how sources and articles were served. A report is valid
only if its articles are stored. So it is kept until these are in a batch, and stored in the
transaction of that batch: a crawl that dies in between loses neither and repeats both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from crawler.store.database import CrawlDatabase
from pipeline.document import Article, Outcome, Reason, Rejection
from pipeline.settings import Settings
from pipeline.urls import canonical_url
from storage import reader
from storage.base import TRANSIENT
from storage.crawls import DueRevisit, Validators, Visit, VisitsAndStates, revisits
from storage.database import DatabaseError
from storage.writing import quarantine, tombstones

T = TypeVar("T")


@dataclass(slots=True)
class _Source:
    """A feed, sitemap or section page that was read in this crawl.

    waiting: locations of its articles that have no outcome yet. has_transient_failure: one of its articles
    could not be fetched for now, so that the next crawl must read the source again.
    """

    served: Validators
    waiting: set[str]
    has_transient_failure: bool


class CrawlState:
    """Known URLs, fetch states of sources, and revisits of articles, for the spiders of one crawl.

    settings: with the rules that a page or source in quarantine waits to change. retry_rejected_after:
    rejected pages are requested again after this time. on_error: is called with an error of the database,
    which every further call and batch would meet as well; it ends the crawl.
    """

    def __init__(
        self,
        database: CrawlDatabase,
        settings: Settings,
        retry_rejected_after: timedelta,
        on_error: Callable[[DatabaseError], None],
    ) -> None:
        self.database_failed = on_error
        self._database = database
        self._settings = settings
        self._retry_rejected_after = retry_rejected_after
        self._sources: dict[str, _Source] = {}
        # The outcomes of this crawl, by location: whether it was a transient failure.
        self._outcomes: dict[str, bool] = {}
        self._visits_by_location: dict[str, Visit] = {}
        self._visits: list[Visit] = []

    async def known_urls(self, urls: Sequence[str]) -> set[str]:
        """Return those of the URLs that need no request: stored, rejected not long ago, or in quarantine."""
        if not urls:
            return set()
        since = datetime.now(UTC) - self._retry_rejected_after
        known = await self._call(partial(reader.known_urls, fetched_since=since), urls)
        return known | await self._call(quarantine.held_urls, urls, self._settings)

    async def forgotten_urls(self, urls: Iterable[str]) -> set[str]:
        """Return those of the URLs that must not be stored: they, or their site, have a tombstone."""
        return await self._call(tombstones.withheld_urls, urls)

    async def source_validators(self, url: str, read_as: str) -> Validators:
        """Return the validators that a source had when all of its articles were stored.

        Empty ones if that has not happened yet, or if its entries were selected by different rules
        (`read_as`).
        """
        state = await self._call(reader.fetch_state, url)
        if state is None or state.read_as != read_as:
            return Validators()
        return Validators(state.etag, state.last_modified, state.children, state.read_as)

    async def why_held(self, url: str) -> str | None:
        """Return why a source is in quarantine, and not to be requested; None if it is not."""
        return await self._call(quarantine.why_held, url, self._settings)

    async def source_cost_worker(self, url: str, reason: Reason, detail: str) -> None:
        """Report that a source hung or killed its worker; the second time in a row it is quarantined."""
        await self._call(quarantine.note_source_failure, url, reason, detail, self._settings)

    async def source_cost_nothing(self, url: str) -> None:
        """Report that a worker has read a source, which ends a row of failures."""
        await self._call(quarantine.note_source_success, url)

    def source_read(self, url: str, served: Validators, locations: Iterable[str]) -> None:
        """Report that a source was read. Its validators are stored once all these articles are.

        Nothing is stored if an article has a transient failure: the next crawl reads the source again.
        """
        named = set(locations)
        has_transient_failure = any(self._outcomes.get(location, False) for location in named)
        self._sources[url] = _Source(served, named - self._outcomes.keys(), has_transient_failure)

    async def due_revisits(self, site: str, limit: int) -> list[DueRevisit]:
        """Return the stored articles of a site that are due for a revisit, at most so many."""
        return await self._call(revisits.due, site, datetime.now(UTC), limit)

    async def cancel_revisits(self, article_ids: Iterable[int]) -> None:
        """Do not revisit these articles again."""
        await self._call(revisits.drop, list(article_ids))

    def visit_with_outcome(self, visit: Visit) -> None:
        """Report a visit whose page goes through the pipeline; it is stored with the outcome."""
        self._visits_by_location[visit.location] = visit

    def visit_without_outcome(self, visit: Visit) -> None:
        """Report a visit that brought nothing to store; it is stored with the next batch."""
        self._visits.append(visit)

    def take_for(self, batch: Sequence[Outcome]) -> VisitsAndStates | None:
        """Remove and return what must be stored in the transaction of this batch; None for nothing."""
        states = {**_rejected_states(batch), **self._completed_sources(batch)}
        visits, self._visits = self._visits, []
        for outcome in batch:
            visit = self._visits_by_location.pop(outcome.location, None)
            if visit is not None:
                visits.append(visit if isinstance(outcome, Article) else _rejected_visit(visit, outcome))
        return VisitsAndStates(datetime.now(UTC), visits, states) if visits or states else None

    def _completed_sources(self, batch: Sequence[Outcome]) -> dict[str, Validators]:
        """Remove the sources whose last articles are in the batch; return their validators by URL."""
        outcomes = {outcome.location: _is_transient(outcome) for outcome in batch}
        self._outcomes.update(outcomes)
        completed: dict[str, Validators] = {}
        for url, source in list(self._sources.items()):
            source.has_transient_failure |= any(
                outcomes[location] for location in source.waiting & outcomes.keys()
            )
            source.waiting -= outcomes.keys()
            if not source.waiting:
                del self._sources[url]
                if not source.has_transient_failure:
                    completed[url] = source.served
        return completed

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        try:
            return await self._database.call(function, *arguments)
        except DatabaseError as error:
            self.database_failed(error)
            raise


def _rejected_states(batch: Iterable[Outcome]) -> dict[str, Validators]:
    """Fetch states of the URLs that were rejected for good, so that the next crawls do not fetch them."""
    return {
        canonical_url(outcome.location): Validators()
        for outcome in batch
        if isinstance(outcome, Rejection) and not _is_transient(outcome)
    }


def _rejected_visit(visit: Visit, outcome: Outcome) -> Visit:
    """The visit of a page that was rejected: without validators, so that the next one gets the whole page."""
    return replace(visit, etag=None, last_modified=None, has_failed=_is_transient(outcome))


def _is_transient(outcome: Outcome) -> bool:
    """True if the page could not be fetched, but may well be another time."""
    return isinstance(outcome, Rejection) and outcome.reason in TRANSIENT
