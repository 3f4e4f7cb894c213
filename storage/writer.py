"""The only write path: `write_batch` puts the outcomes of a batch into the base in one transaction.

Whatever happens, a batch is either committed whole or leaves no trace, so a killed run is made good by
running it again: what was committed is recognised, the rest is done. Writers of one base take turns
(`database.begin_write`), which is what lets ids, revisions and groups be worked out from what is stored.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from pipeline.copies import fingerprint
from pipeline.document import Outcome, Reason, Rejection
from pipeline.settings import Settings
from storage import schema, search
from storage.base import as_rejection, storable, storable_name
from storage.crawls import Beside, CrawledBatch, Ended, Validators, revisits
from storage.database import DatabaseError, in_transaction, is_exhausted, is_transient, shown_url
from storage.writing import groups, learning, tombstones
from storage.writing import revisions as ledger

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """How the documents of a batch, or of a run, ended; every one of them in exactly one way.

    seen = stored + revised + updated + unchanged + rejected.
    stored: new articles. revised: other texts of known articles. updated: known bytes that other rules
    or other source data made another article of. unchanged: nothing new in them. rejected: not an article;
    `reasons` has them by reason. grouped: of those stored, revised or updated, how many have a copy.
    """

    seen: int = 0
    stored: int = 0
    revised: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    grouped: int = 0
    reasons: Mapping[Reason, int] = field(default_factory=dict)

    def __add__(self, other: BatchCounts) -> BatchCounts:
        sums = {
            f.name: getattr(self, f.name) + getattr(other, f.name)
            for f in fields(self)
            if f.name != "reasons"
        }
        reasons = {
            reason: self.reasons.get(reason, 0) + other.reasons.get(reason, 0)
            for reason in (*self.reasons, *other.reasons)
        }
        return BatchCounts(**sums, reasons=reasons)

    @property
    def faults(self) -> int:
        """Rejections that no document should be able to cause; a run with one exits with 1."""
        return sum(count for reason, count in self.reasons.items() if reason.is_fault)


def start_run(engine: Engine, command: str, now: datetime) -> int:
    """Records that a run began; returns its id."""

    def start(connection: Connection) -> int:
        id = (connection.scalar(select(func.max(schema.run.c.id))) or 0) + 1
        zero = {f.name: 0 for f in fields(BatchCounts) if f.name != "reasons"}
        values: dict[str, Any] = {
            "id": id,
            "command": storable_name(command),
            "started_at": now,
            "reasons": {},
            **zero,
        }
        connection.execute(insert(schema.run), [values])
        return id

    return in_transaction(engine, start)


def finish_run(engine: Engine, run_id: int, counts: BatchCounts | None, now: datetime) -> None:
    """Records that a run ended. counts: the whole run's, with what it skipped as known counted as unchanged;
    None leaves what its batches added up to.
    """

    def finish(connection: Connection) -> None:
        values: dict[str, Any] = {"finished_at": now, **(_columns(counts) if counts else {})}
        connection.execute(update(schema.run).where(schema.run.c.id == run_id).values(values))

    in_transaction(engine, finish)


def write_batch(
    engine: Engine,
    run_id: int,
    outcomes: Sequence[Outcome],
    settings: Settings,
    crawled: CrawledBatch | None = None,
    beside: Beside | None = None,
) -> BatchCounts:
    """Stores articles and rejections, regroups what they touch, and adds to the run's counts: all or nothing.

    crawled: of a crawl, what is written with it of its sites. beside: visits and states of addresses, which
    may be all there is.

    An outcome that cannot be stored becomes a rejection (STORAGE_ERROR) and costs the others nothing. A busy
    base or a restarted server is waited for, about a minute; then, and where the disk is full or the base
    is damaged, DatabaseError is raised and nothing of the batch is stored.
    """
    if not outcomes:
        if beside is not None:
            in_transaction(engine, lambda connection: _put_beside(connection, beside))
        return BatchCounts()

    tried: tuple[int, BatchCounts] | None = None
    put = None
    is_refused = False

    def write(connection: Connection) -> BatchCounts:
        nonlocal tried, put
        if tried is not None:
            seen, counts = tried
            if connection.scalar(select(schema.run.c.seen).where(schema.run.c.id == run_id)) == seen:
                return counts  # it was committed, only the answer was lost with the connection
        store = _apply if is_refused else _store_unparted
        counts, ended = store(connection, run_id, outcomes, settings)
        if crawled is not None:
            of_sites = zip(crawled.sites, ended, strict=True)
            put = crawled.tally.put(connection, run_id, crawled.counts, of_sites)
        if beside is not None:
            _put_beside(connection, beside)
        tried = _add_to_run(connection, run_id, counts), counts
        return counts

    try:
        written = in_transaction(engine, write)
    except _RefusedError:
        is_refused = True
        written = in_transaction(engine, write)
    if crawled is not None and put is not None:
        crawled.tally.keep(put)
    return written


def remove_articles(engine: Engine, ids: Iterable[int], settings: Settings) -> int:
    """Takes articles out of the base, pages and index and all, and regroups; returns how many there were.

    Nothing keeps them from being stored again.
    """
    wanted = sorted(set(ids))
    return in_transaction(engine, lambda connection: remove(connection, wanted, settings))


def remove(connection: Connection, ids: Sequence[int], settings: Settings) -> int:
    """`remove_articles` within a transaction of the caller's, which `in_transaction` has to have begun."""
    gone: list[int] = []
    pages: set[int] = set()
    for part in ledger.chunks(ids):
        for table, key in (
            (schema.article, schema.article.c.id),
            (schema.revision, schema.revision.c.article_id),
        ):
            for id, page_id in connection.execute(select(key, table.c.page_id).where(key.in_(part))):
                if table is schema.article:
                    gone.append(id)
                if page_id is not None:
                    pages.add(page_id)
    left = groups.leave(connection, gone, settings)
    search.remove_from_index(connection, gone)
    for part in ledger.chunks(gone):
        connection.execute(delete(schema.article).where(schema.article.c.id.in_(part)))
    for part in ledger.chunks(pages):
        connection.execute(delete(schema.page).where(schema.page.c.id.in_(part)))
    groups.enter(connection, (), left, settings)
    learning.forget(connection, gone)
    return len(gone)


def require_one_fingerprint(engine: Engine, settings: Settings) -> None:
    """Raises DatabaseError where the base's fingerprints were made by other settings or another Copydesk.

    Fingerprints of two versions never meet in the index: copies among articles of both would not be found.
    So who is going to add articles asks first. Reads a table of one row.
    """
    versions = other_fingerprints(engine, settings)
    if versions:
        raise DatabaseError(
            f"{shown_url(engine)} has fingerprints of version {', '.join(versions)}, these settings make"
            f" {settings.index_version}: run copydesk reprocess --fingerprints"
        )


def other_fingerprints(engine: Engine, settings: Settings) -> list[str]:
    """The fingerprint versions in the base that are not the settings' own."""
    table = schema.sketch
    with engine.connect() as connection:
        query = select(table.c.version).where(table.c.version != settings.index_version)
        return list(connection.execute(query.order_by(table.c.version)).scalars())


def count_refingerprint(engine: Engine, settings: Settings) -> int:
    """How many articles have fingerprints of another version than the settings'."""
    table, sketch = schema.signature, schema.sketch
    query = select(func.count()).select_from(table).join(sketch, sketch.c.id == table.c.sketch_id)
    with engine.connect() as connection:
        return connection.scalar(query.where(sketch.c.version != settings.index_version)) or 0


def refingerprint_batch(engine: Engine, settings: Settings, after: int) -> tuple[int, int | None]:
    """Makes fingerprints of another version anew from the stored texts, in place, in one transaction.

    after: the group to go on after, 0 for the first. Returns how many were made, and the last group of
    them; None where there was none left after that one. Whole groups are done at once, so that readers
    never see one taken apart in between (but for groups of more than a thousand).
    """

    def renew(connection: Connection) -> tuple[int, int | None]:
        ids, last = _group_with_others(connection, settings, after)
        if not ids:
            return 0, None
        stories = ledger.load_stories(connection, ids)
        entered = [
            replace(indexed, fingerprint=fingerprint(indexed.story.text, settings.fingerprint))
            for indexed in stories
        ]
        left = groups.leave(connection, ids, settings)
        groups.enter(connection, entered, left, settings)
        return len(ids), last

    return in_transaction(engine, renew)


def refingerprint_revisions(engine: Engine, settings: Settings) -> None:
    """Makes the fingerprints of older revisions anew, and forgets the versions that nothing has any more."""
    table, version = schema.revision, settings.fingerprint.version

    def renew(connection: Connection) -> int:
        query = select(table.c.article_id, table.c.text_hash, table.c.text)
        rows = connection.execute(query.where(table.c.sketch != version).limit(_REVISIONS)).all()
        for row in rows:
            made = fingerprint(row.text, settings.fingerprint)
            connection.execute(
                update(table)
                .where(table.c.article_id == row.article_id, table.c.text_hash == row.text_hash)
                .values(
                    sketch=made.version if made else None,
                    signature=made.signature if made else None,
                    bands=ledger.pack_keys(made.bands) if made else None,
                )
            )
        return len(rows)

    while in_transaction(engine, renew):
        pass

    def forget(connection: Connection) -> None:
        sketch = schema.sketch
        used = select(schema.signature.c.sketch_id).where(schema.signature.c.sketch_id == sketch.c.id)
        connection.execute(delete(sketch).where(sketch.c.version != settings.index_version, ~used.exists()))

    in_transaction(engine, forget)


# Articles and revisions that are fingerprinted anew in one transaction; a group is finished up to the most.
_RENEWED, _RENEWED_MOST, _REVISIONS = 64, 1024, 500


def _group_with_others(
    connection: Connection, settings: Settings, after: int
) -> tuple[list[int], int | None]:
    """Ids of articles with fingerprints of another version, whole groups after `after`; the last group."""
    table, signature, sketch = schema.article, schema.signature, schema.sketch
    query = (
        select(table.c.id, table.c.group_id)
        .join(signature, signature.c.article_id == table.c.id)
        .join(sketch, sketch.c.id == signature.c.sketch_id)
        .where(sketch.c.version != settings.index_version, table.c.group_id > after)
        .order_by(table.c.group_id, table.c.id)
    )
    rows = list(connection.execute(query.limit(_RENEWED)))
    if not rows:
        return [], None
    last = rows[-1].group_id
    rest = query.where(table.c.group_id == last, table.c.id > rows[-1].id).limit(_RENEWED_MOST)
    rows += connection.execute(rest)
    # Of a group that is larger still, the rest is next.
    is_whole = len(rows) < _RENEWED + _RENEWED_MOST
    return [row.id for row in rows], last if is_whole else last - 1


def put_fetch_state(
    engine: Engine, url: str, *, etag: str | None, last_modified: str | None, fetched_at: datetime
) -> None:
    """Keeps the validators that a feed or sitemap was last served with, as the server wrote them."""
    put_fetch_states(engine, {url: Validators(etag, last_modified)}, fetched_at)


def put_fetch_states(engine: Engine, states: Mapping[str, Validators], fetched_at: datetime) -> None:
    """Keeps that URLs were fetched then, each with what it was served with."""
    if states:
        in_transaction(engine, lambda connection: _put_states(connection, states, fetched_at))


def _put_beside(connection: Connection, beside: Beside) -> None:
    revisits.note(connection, beside.visits)
    _put_states(connection, beside.states, beside.at)


def _put_states(connection: Connection, states: Mapping[str, Validators], fetched_at: datetime) -> None:
    table = schema.fetch_state
    rows = {
        storable_name(url): {
            "url": storable_name(url),
            "etag": revisits.storable_header(state.etag),
            "last_modified": revisits.storable_header(state.last_modified),
            "fetched_at": fetched_at,
            "children": [[storable_name(child), kind] for child, kind in state.children] or None,
            "read_as": state.read_as,
        }
        for url, state in states.items()
    }
    for part in ledger.chunks(sorted(rows)):
        connection.execute(delete(table).where(table.c.url.in_(part)))
        connection.execute(insert(table), [rows[url] for url in part])


class _RefusedError(Exception):
    """Something in a batch was refused, and what it was is not known yet."""


def _store_unparted(
    connection: Connection, run_id: int, outcomes: Sequence[Outcome], settings: Settings
) -> tuple[BatchCounts, list[Ended]]:
    """Stores outcomes, most likely all right; where one is not, all is begun anew with `_apply`.

    For a savepoint SQLite copies every page that it writes to, a twentieth of what storing takes.
    """
    try:
        return _store(connection, run_id, outcomes, settings)
    except Exception as error:
        if is_transient(error) or is_exhausted(error):
            raise
        raise _RefusedError from error


def _apply(
    connection: Connection, run_id: int, outcomes: Sequence[Outcome], settings: Settings
) -> tuple[BatchCounts, list[Ended]]:
    """Stores outcomes within a savepoint; on an error halves them until its cause stands alone.

    Returns their counts, and each as it was stored with the end that it came to.
    """
    savepoint = connection.begin_nested()
    try:
        stored = _store(connection, run_id, outcomes, settings)
        savepoint.commit()
        return stored
    except Exception as error:
        if is_transient(error) or is_exhausted(error):
            raise
        savepoint.rollback()
        if len(outcomes) > 1:
            middle = len(outcomes) // 2
            counts, ended = _apply(connection, run_id, outcomes[:middle], settings)
            more, ended_more = _apply(connection, run_id, outcomes[middle:], settings)
            return counts + more, ended + ended_more
        outcome = outcomes[0]
        if isinstance(outcome, Rejection) and outcome.reason is Reason.STORAGE_ERROR:
            raise  # there is nothing in it to refuse: the fault is ours
        why = f"{type(error).__name__}: {_said(error)}"
        logger.error("%s cannot be stored: %s", outcome.location, why)
        return _apply(connection, run_id, [as_rejection(storable(outcome), why)], settings)


def _said(error: Exception) -> str:
    return " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())


def _store(
    connection: Connection, run_id: int, outcomes: Sequence[Outcome], settings: Settings
) -> tuple[BatchCounts, list[Ended]]:
    stored = tombstones.withhold(connection, [storable(outcome) for outcome in outcomes])
    desk = ledger.load(connection, stored)
    ended = [(outcome, ledger.settle(desk, outcome, run_id)) for outcome in stored]
    changes = ledger.changes(desk)
    left = groups.leave(connection, changes.left, settings) if changes.left else groups.Left()
    ledger.flush(connection, desk)
    copied: set[int] = set()
    if changes.entered or left.ids:
        copied = groups.enter(connection, changes.entered, left, settings)
    counts = BatchCounts(
        seen=len(stored),
        stored=desk.counts["stored"],
        revised=desk.counts["revised"],
        updated=desk.counts["updated"],
        unchanged=desk.counts["unchanged"],
        rejected=desk.counts["rejected"],
        grouped=len(copied & desk.touched),
        reasons={Reason(reason): count for reason, count in desk.reasons.items()},
    )
    return counts, ended


def _columns(counts: BatchCounts) -> dict[str, Any]:
    values: dict[str, Any] = {f.name: getattr(counts, f.name) for f in fields(counts)}
    values["reasons"] = {reason.value: count for reason, count in sorted(counts.reasons.items())}
    return values


def _add_to_run(connection: Connection, run_id: int, counts: BatchCounts) -> int:
    """Returns how many documents the run has seen with these."""
    table = schema.run
    row = connection.execute(select(table).where(table.c.id == run_id)).mappings().one()
    values = {f.name: row[f.name] for f in fields(counts) if f.name != "reasons"}
    before = BatchCounts(**values, reasons={Reason(r): n for r, n in row["reasons"].items()})
    after = before + counts
    connection.execute(update(table).where(table.c.id == run_id).values(_columns(after)))
    return after.seen
