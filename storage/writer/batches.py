"""Stores the outcomes of a batch in one transaction.

Whatever happens, a batch is either committed whole or leaves no trace, so a killed run is completed by
running it again: what was committed is recognised, the rest is done. Writers of one database take turns
(`database.begin_write`), which lets ids, revisions and groups be computed from what is stored.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from pipeline.document import Outcome, Reason, Rejection
from pipeline.settings import Settings
from storage import schema
from storage.base import as_rejection, storable
from storage.crawls import CrawledBatch, Ended, VisitsAndStates, revisits
from storage.database import DatabaseError, in_transaction, is_exhausted, is_transient
from storage.writer.fetch_states import put_states
from storage.writer.runs import BatchCounts, add_to_run
from storage.writing import groups, quarantine, revisions, tombstones

logger = logging.getLogger(__name__)


def write_batch(
    engine: Engine,
    run_id: int,
    outcomes: Sequence[Outcome],
    settings: Settings,
    crawled: CrawledBatch | None = None,
    beside: VisitsAndStates | None = None,
    *,
    is_news: bool = True,
) -> BatchCounts:
    """Stores articles and rejections, regroups what they touch, and adds to the run's counts: all or nothing.

    crawled: the figures of a crawl's sites, written in the same transaction. beside: visits and fetch states,
    also written with it; there may be no outcomes besides. is_news: False if stored pages were processed
    again, of which watchlists tell nothing.

    An outcome that cannot be stored becomes a rejection (STORAGE_ERROR) and costs the others nothing. If the
    database is busy or the server restarts, it waits for about a minute. After that, or if the disk is full
    or the database damaged, it raises DatabaseError and stores nothing of the batch.
    """
    if not outcomes:
        if beside is not None:
            in_transaction(engine, lambda connection: _put_crawl_state(connection, beside))
        return BatchCounts()

    tried: tuple[int, BatchCounts] | None = None
    put = None

    def write(connection: Connection) -> BatchCounts:
        nonlocal tried, put
        if tried is not None:
            seen, counts = tried
            if connection.scalar(select(schema.run.c.seen).where(schema.run.c.id == run_id)) == seen:
                return counts  # it was committed; only the answer was lost with the connection
        counts, ended = _store_halving(connection, run_id, outcomes, settings, is_news)
        if crawled is not None:
            of_sites = zip(crawled.sites, ended, strict=True)
            put = crawled.tally.put(connection, run_id, crawled.counts, of_sites)
        if beside is not None:
            _put_crawl_state(connection, beside)
        tried = add_to_run(connection, run_id, counts), counts
        return counts

    try:
        written = in_transaction(engine, write)
    except schema.DamagedValue as error:
        raise DatabaseError(str(error)) from error
    if crawled is not None and put is not None:
        crawled.tally.keep(put)
    return written


def _put_crawl_state(connection: Connection, beside: VisitsAndStates) -> None:
    revisits.note(connection, beside.visits)
    put_states(connection, beside.states, beside.at)


def _store_halving(
    connection: Connection, run_id: int, outcomes: Sequence[Outcome], settings: Settings, is_news: bool
) -> tuple[BatchCounts, list[Ended]]:
    """Stores outcomes within a savepoint; on an error halves them until its cause is alone.

    Returns their counts, and each as it was stored with the end that it came to.
    """
    savepoint = connection.begin_nested()
    try:
        stored = _store(connection, run_id, outcomes, settings, is_news)
        savepoint.commit()
        return stored
    except Exception as error:
        if is_transient(error) or is_exhausted(error) or isinstance(error, schema.DamagedValue):
            raise
        savepoint.rollback()
        if len(outcomes) > 1:
            middle = len(outcomes) // 2
            counts, ended = _store_halving(connection, run_id, outcomes[:middle], settings, is_news)
            more, ended_more = _store_halving(connection, run_id, outcomes[middle:], settings, is_news)
            return counts + more, ended + ended_more
        outcome = outcomes[0]
        if isinstance(outcome, Rejection) and outcome.reason is Reason.STORAGE_ERROR:
            raise  # it holds nothing that could be refused, so the fault is ours
        why = f"{type(error).__name__}: {_message(error)}"
        logger.error("%s cannot be stored: %s", outcome.location, why)
        return _store_halving(connection, run_id, [as_rejection(storable(outcome), why)], settings, is_news)


def _message(error: Exception) -> str:
    return " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())


def _store(
    connection: Connection, run_id: int, outcomes: Sequence[Outcome], settings: Settings, is_news: bool
) -> tuple[BatchCounts, list[Ended]]:
    stored = tombstones.withhold(connection, [storable(outcome) for outcome in outcomes])
    stored = quarantine.note(connection, stored, settings)
    batch = revisions.load(connection, stored)
    ended = [(outcome, revisions.settle(batch, outcome, run_id)) for outcome in stored]
    changes = revisions.index_changes(batch)
    left = (
        groups.remove_stories(connection, changes.left, settings) if changes.left else groups.RemovedStories()
    )
    revisions.flush(connection, batch, settings.site_rules)
    if is_news:
        revisions.note_news(connection, batch)
    copied: set[int] = set()
    if changes.entered or left.ids:
        copied = groups.add_stories(connection, changes.entered, left, settings)
    counts = BatchCounts(
        seen=len(stored),
        stored=batch.counts["stored"],
        revised=batch.counts["revised"],
        updated=batch.counts["updated"],
        unchanged=batch.counts["unchanged"],
        rejected=batch.counts["rejected"],
        grouped=len(copied & batch.touched),
        reasons={Reason(reason): count for reason, count in batch.reasons.items()},
    )
    return counts, ended
