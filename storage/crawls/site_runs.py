"""The figures of each crawl at each of its sites: written with every batch, read to judge a site's health.

There are two kinds of figures. Only the writer knows how documents ended, so a `Tally` takes that from each
batch. The crawl counts everything else (`SiteCounts`). Both are sums since the start of the crawl, and are
written in the transaction of the batch, so the rows always agree with what is stored of a run. A killed crawl
has the figures of its last batch.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import Connection, Engine, and_, case, delete, func, insert, select, update

from pipeline.document import Article, Outcome
from storage import schema
from storage.base import storable_name
from storage.database import in_transaction
from storage.schema import SiteRun, view_tables

# An outcome with how it ended: a field of `writer.BatchCounts`.
Ended = tuple[Outcome, str]

# Rows of one insert or delete.
_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class SiteCounts:
    """What a crawl counts of a site beside its documents, since the crawl began; see the view `site_runs`."""

    discovered: int = 0
    fetched: int = 0
    not_modified: int = 0
    revisited: int = 0
    gone: int = 0
    sources: int = 0
    sources_failed: int = 0
    put_off: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SiteState:
    """The state of a site.

    last: its last run. succeeded_at: start of the last that finished and could read a source, or stored
    something; stored_at: of the last that stored a new article. alerts: of the last that was judged.
    """

    last: SiteRun
    succeeded_at: datetime | None
    stored_at: datetime | None
    alerts: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class _Ends:
    """How the documents of one site ended; `words` of those stored or revised."""

    ends: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    words: array[int] = field(default_factory=lambda: array("q"))
    without_date: int = 0
    without_author: int = 0

    def add(self, outcome: Outcome, end: str) -> None:
        self.ends[end] += 1
        if not isinstance(outcome, Article):
            if end == "rejected":
                self.reasons[outcome.reason.value] += 1
        elif end in ("stored", "revised"):
            self.words.append(outcome.word_count)
            self.without_date += outcome.published_at is None
            self.without_author += not outcome.authors and not outcome.byline

    def columns(self) -> dict[str, Any]:
        return {
            **{end: self.ends[end] for end in ("stored", "revised", "updated", "unchanged", "rejected")},
            "reasons": dict(sorted(self.reasons.items())),
            "words": float(median(self.words)) if self.words else None,
            "without_date": self.without_date,
            "without_author": self.without_author,
        }


class Tally:
    """Counts by site how the documents of a crawl ended, and which of it is written. For one thread."""

    def __init__(self) -> None:
        self._sites: dict[str, _Ends] = {}
        self._written: dict[str, dict[str, Any]] = {}

    def put(
        self,
        connection: Connection,
        run_id: int,
        counts: Mapping[str, SiteCounts],
        batch: Iterable[tuple[str, Ended]] = (),
    ) -> _Put:
        """Writes the rows of the sites whose figures changed, in the caller's transaction.

        counts: of every site so far. batch: documents with their sites. Only `keep` changes this tally: call
        it with the result once the transaction is committed. So the transaction may be tried again.
        """
        changed: dict[str, _Ends] = {}
        for site, (outcome, end) in batch:
            if site not in changed:
                changed[site] = _copied(self._sites.get(site, _Ends()))
            changed[site].add(outcome, end)
        rows = {}
        for site in {*counts, *changed}:
            ends = changed.get(site) or self._sites.get(site) or _Ends()
            row = {**_columns(counts.get(site, SiteCounts())), **ends.columns()}
            if row != self._written.get(site):
                rows[site] = row
        table = schema.site_run
        for part in _parts(sorted(rows)):
            names = [storable_name(site) for site in part]
            connection.execute(delete(table).where(table.c.run_id == run_id, table.c.site.in_(names)))
            connection.execute(
                insert(table),
                [
                    {"run_id": run_id, "site": name, **rows[site]}
                    for name, site in zip(names, part, strict=True)
                ],
            )
        return _Put(changed, rows)

    def keep(self, put: _Put) -> None:
        """Remembers what `put` wrote, once it is committed."""
        self._sites.update(put.ends)
        self._written.update(put.rows)


@dataclass(frozen=True, slots=True)
class _Put:
    ends: Mapping[str, _Ends]
    rows: Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CrawledBatch:
    """What `writer.write_batch` needs to write the figures with a batch.

    sites: the site of each outcome, in their order. counts: of every site so far.
    """

    tally: Tally
    sites: Sequence[str]
    counts: Mapping[str, SiteCounts]


def put_counts(engine: Engine, run_id: int, tally: Tally, counts: Mapping[str, SiteCounts]) -> None:
    """Writes what was counted since the last batch."""
    tally.keep(in_transaction(engine, lambda connection: tally.put(connection, run_id, counts)))


def end(engine: Engine, run_id: int, ended: str) -> None:
    """Records how the crawl ended, at all of its sites."""
    table = schema.site_run
    change = update(table).where(table.c.run_id == run_id).values(ended=ended)
    in_transaction(engine, lambda connection: connection.execute(change))


def put_alerts(engine: Engine, run_id: int, alerts: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Records what was found of the run's sites when they were judged."""
    table = schema.site_run

    def put(connection: Connection) -> None:
        for site, found in alerts.items():
            row = update(table).where(table.c.run_id == run_id, table.c.site == site)
            connection.execute(row.values(alerts=list(found)))

    in_transaction(engine, put)


def history(
    engine: Engine, *, since: datetime, site: str | None = None, job_of: int | None = None
) -> dict[str, list[SiteRun]]:
    """The figures of each site from runs that began since then, the oldest first; killed ones among them.

    site: of this one only. job_of: of runs of the same job as that run's, up to it; the sites are
    those of that run.
    """
    view, run = view_tables["site_runs"], schema.run
    with engine.connect() as connection:
        # Ids grow with time, and the rows are found by them.
        first = connection.scalar(select(func.min(run.c.id)).where(run.c.started_at >= since))
        query = select(view).where(view.c.run_id >= (first or 0)).order_by(view.c.run_id)
        if first is None:
            return {}
        if site is not None:
            query = query.where(view.c.site == storable_name(site))
        if job_of is not None:
            table = schema.site_run
            job = select(run.c.job).where(run.c.id == job_of).scalar_subquery()
            query = query.where(
                view.c.run_id <= job_of,
                view.c.run_id.in_(select(run.c.id).where(run.c.id >= first, run.c.job == job)),
                view.c.site.in_(select(table.c.site).where(table.c.run_id == job_of)),
            )
        found: dict[str, list[SiteRun]] = {}
        for row in connection.execute(query):
            made = SiteRun(*row)
            found.setdefault(made.site, []).append(made)
    return found


def runs_of(engine: Engine, site: str, *, after: int | None = None, limit: int) -> list[SiteRun]:
    """The crawls of a site, the latest first. after: the id of the run to go on behind."""
    view = view_tables["site_runs"]
    query = select(view).where(view.c.site == storable_name(site))
    if after is not None:
        query = query.where(view.c.run_id < after)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(view.c.run_id.desc()).limit(limit))
        return [SiteRun(*row) for row in rows]


def last_starts(engine: Engine) -> dict[str, datetime]:
    """When the last crawl of each site began, however it ended."""
    run, table = schema.run, schema.site_run
    last = select(table.c.site, func.max(table.c.run_id).label("run_id")).group_by(table.c.site).subquery()
    query = select(last.c.site, run.c.started_at).join(run, run.c.id == last.c.run_id)
    with engine.connect() as connection:
        return {row.site: row.started_at for row in connection.execute(query)}


def states(engine: Engine, *, since: datetime) -> list[SiteState]:
    """How each site stands that was crawled since then, by name; reads the runs since then once."""
    view, run, table = view_tables["site_runs"], schema.run, schema.site_run
    is_success = and_(
        table.c.ended == "finished", table.c.sources + table.c.not_modified + table.c.stored > 0
    )
    with engine.connect() as connection:
        first = connection.scalar(select(func.min(run.c.id)).where(run.c.started_at >= since))
        if first is None:
            return []
        query = (
            select(
                table.c.site,
                func.max(table.c.run_id).label("last"),
                func.max(case((is_success, table.c.run_id))).label("succeeded"),
                func.max(case((table.c.stored > 0, table.c.run_id))).label("stored"),
                func.max(case((table.c.alerts.is_not(None), table.c.run_id))).label("judged"),
            )
            .where(table.c.run_id >= first)
            .group_by(table.c.site)
        )
        found = {row.site: row for row in connection.execute(query)}
        wanted = {(id, site) for site, row in found.items() for id in row[1:] if id is not None}
        rows: dict[tuple[int, str], SiteRun] = {}
        for part in _parts(sorted({id for id, _ in wanted})):
            for row in connection.execute(select(view).where(view.c.run_id.in_(part))):
                if (row.run_id, row.site) in wanted:
                    rows[row.run_id, row.site] = SiteRun(*row)
    states = []
    for site, row in sorted(found.items()):
        succeeded, stored, judged = (rows.get((id, site)) for id in (row.succeeded, row.stored, row.judged))
        states.append(
            SiteState(
                rows[row.last, site],
                succeeded.started_at if succeeded else None,
                stored.started_at if stored else None,
                (judged.alerts or ()) if judged else (),
            )
        )
    return states


def _columns(counts: SiteCounts) -> dict[str, Any]:
    return {f.name: getattr(counts, f.name) for f in fields(counts)}


def _copied(ends: _Ends) -> _Ends:
    return _Ends(
        Counter(ends.ends),
        Counter(ends.reasons),
        ends.words[:],
        ends.without_date,
        ends.without_author,
    )


def _parts(values: Sequence[Any]) -> Iterable[Any]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
