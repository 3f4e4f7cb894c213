"""Reads the stored pages with their texts or rejections, for reprocessing.

Pages are read in a stable order, a few in each transaction. So a run of hours blocks neither writers nor the
checkpoints of SQLite's log, and needs little memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
)

from pipeline.document import Document, Reason, Removed
from pipeline.sites import NO_SITE_RULES, SiteRulebook, site_of_version
from pipeline.urls import site_of
from storage import schema
from storage.base import FAILURES, chunks, microseconds, storable_name
from storage.database import persistently
from storage.reader import document_of

# Number of pages that are read at once. So many pages of the largest allowed size must fit into memory.
_AT_ONCE = 16
# Number of rejections that are read at once, without their pages.
_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class TextBefore:
    """The stored text of a page.

    is_current: False for an older revision of the article. columns: the values of `COMPARED_COLUMNS`.
    """

    article_id: int
    is_current: bool
    url: str
    columns: Mapping[str, Any]
    removed: tuple[Removed, ...]


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A document as it was fetched, and what is stored of it: a text of an article, or a rejection."""

    document: Document
    text: TextBefore | None
    reason: Reason | None


# Columns in which a stored text is compared with the new one. The length follows from the text.
COMPARED_COLUMNS = tuple(
    column.name
    for column in schema.ARTICLE_COLUMNS
    if column.of_text and column.name not in ("location", "word_count")
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pages are wanted: those made by different rules than these.

    rules_version: the general rules. site_rules: the rules of sites; pages that were processed with rules of
    a site that is missing here are not wanted. sites: only pages of these, all for none. since: only
    pages fetched from then on. held: ids of pages in quarantine, which are not wanted. only: ids of the only
    pages that are wanted, whichever rules made what is stored of them.
    """

    rules_version: str
    site_rules: SiteRulebook = NO_SITE_RULES
    sites: tuple[str, ...] = ()
    since: datetime | None = None
    held: frozenset[int] = frozenset()
    only: frozenset[int] | None = None


_TABLES = (schema.article, schema.revision, schema.rejection)


def outdated(
    engine: Engine,
    rules_version: str,
    *,
    site_rules: SiteRulebook = NO_SITE_RULES,
    sites: tuple[str, ...] = (),
    since: datetime | None = None,
    held: frozenset[int] = frozenset(),
    only: frozenset[int] | None = None,
) -> Iterator[StoredPage]:
    """Pages whose texts or rejections were made by different rules, in a stable order, texts first.

    For the arguments see `Wanted`. Rejections for a failure count as made by different rules, as in
    `storage.reader.known_documents`. Rows that are written meanwhile are not read again.
    """
    wanted = Wanted(rules_version, site_rules, sites, since, held, only)
    for table in _TABLES:
        column = table.c.page_id
        with engine.connect() as connection:
            last = connection.scalar(select(func.max(column)))
            query = _outdated(connection, table, wanted)
        after = 0
        while last is not None and after < last:
            part = query.where(column > after, column <= last).order_by(column)
            if table is schema.rejection:
                ids, after = persistently(engine, partial(_refused_by_others, engine, part, wanted, last))
                for some in chunks(ids, _AT_ONCE):
                    part = _joined(select().where(column.in_(some)), table).order_by(column)
                    rows, _ = persistently(engine, partial(_read, engine, part, table))
                    for row in rows:
                        yield StoredPage(document_of(row), None, Reason(row["of_reason"]))
            else:
                part = _joined(part, table).limit(_AT_ONCE)
                rows, removed = persistently(engine, partial(_read, engine, part, table))
                for row in rows:
                    yield StoredPage(document_of(row), _text_before(row, removed), None)
                after = rows[-1]["id"] if rows else last


def count_outdated(
    engine: Engine,
    rules_version: str,
    *,
    site_rules: SiteRulebook = NO_SITE_RULES,
    sites: tuple[str, ...] = (),
    since: datetime | None = None,
    held: frozenset[int] = frozenset(),
    only: frozenset[int] | None = None,
) -> int:
    """The number of pages that `outdated` gives."""
    return _count(engine, Wanted(rules_version, site_rules, sites, since, held, only), kept=True)


def count_pruned(
    engine: Engine,
    rules_version: str,
    *,
    site_rules: SiteRulebook = NO_SITE_RULES,
    sites: tuple[str, ...] = (),
    since: datetime | None = None,
) -> int:
    """The number of texts and rejections that `outdated` leaves out because their pages were pruned."""
    return _count(engine, Wanted(rules_version, site_rules, sites, since), kept=False)


def _count(engine: Engine, wanted: Wanted, *, kept: bool) -> int:
    count = 0
    with engine.connect().execution_options(stream_results=True, yield_per=10_000) as connection:
        for table in _TABLES:
            query = _outdated(connection, table, wanted, kept=kept)
            if table is schema.rejection:
                rows = connection.execute(_refused(query))
                count += sum(_is_refused_by_others(row, wanted) for row in rows)
            else:
                columns = query.add_columns(table.c.rules_version).subquery()
                count += connection.scalar(select(func.count()).select_from(columns)) or 0
    return count


@dataclass(frozen=True, slots=True)
class SiteRulesUse:
    """How much the rules of the site `key` were used.

    articles: the number of current texts that were made with them. take_ignored: the number of these whose
    page had too little text in the elements of `take`. foreign: the number of these that cannot be compared,
    because the site is missing in the rules that were given.
    """

    key: str
    articles: int
    take_ignored: int
    foreign: int


def site_rules_use(engine: Engine, site_rules: SiteRulebook) -> list[SiteRulesUse]:
    """How much the rules of each site were used for the stored texts, by the site's key."""
    table = schema.article
    count = func.count().label("articles")
    query = select(table.c.rules_version, table.c.site, count).where(table.c.rules_version.like("%+%"))
    found: dict[str, Counter[str]] = {}
    with engine.connect() as connection:
        for version, site, articles in connection.execute(
            query.group_by(table.c.rules_version, table.c.site)
        ):
            key, is_take_ignored = site_of_version(version)
            counts = found.setdefault(key, Counter())
            counts["articles"] += articles
            counts["take_ignored"] += articles * is_take_ignored
            counts["foreign"] += articles * site_rules.is_foreign(version, site)
    return [
        SiteRulesUse(key, c["articles"], c["take_ignored"], c["foreign"]) for key, c in sorted(found.items())
    ]


def has_page(engine: Engine, article_id: int) -> bool:
    """Whether the page of the article's current text is stored; otherwise it was pruned."""
    table = schema.article
    with engine.connect() as connection:
        return connection.scalar(select(table.c.page_id).where(table.c.id == article_id)) is not None


def partition(engine: Engine) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The id of every article, ascending, and the id of its group; two arrays of shape (articles,)."""
    table = schema.article
    with engine.connect().execution_options(stream_results=True, yield_per=10_000) as connection:
        rows = connection.execute(select(table.c.id, table.c.group_id).order_by(table.c.id))
        found = np.fromiter((value for row in rows for value in row), dtype=np.int64).reshape(-1, 2)
    return found[:, 0].copy(), found[:, 1].copy()


def _read(
    engine: Engine, query: Select[Any], table: Table
) -> tuple[Sequence[RowMapping], dict[int, list[Removed]]]:
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
        return rows, _removed(connection, rows) if table is schema.article else {}


def _outdated(connection: Connection, table: Table, wanted: Wanted, *, kept: bool = True) -> Select[Any]:
    """Articles and revisions that different rules made, or rejections that different rules may have made.

    kept: those whose page is stored; otherwise those whose page was pruned.
    """
    of, since, sites = schema.article, wanted.since, wanted.sites
    query = select().where(table.c.page_id.is_not(None) if kept else table.c.page_id.is_(None))
    if wanted.held:
        query = query.where(~_is_one_of(table.c.page_id, wanted.held) | table.c.page_id.is_(None))
    if wanted.only is not None:
        query = query.where(_is_one_of(table.c.page_id, wanted.only))
    if table is schema.rejection:
        if not wanted.site_rules.sites and wanted.only is None:
            again = table.c.reason.in_([reason.value for reason in FAILURES])
            query = query.where(or_(table.c.rules_version != wanted.rules_version, again))
        if not kept:
            # Only a rejection of bytes has a digest. The bytes of forgotten documents were never stored.
            # Whether a page in quarantine is tried again does not depend on its being stored.
            others = [Reason.FORGOTTEN.value, Reason.QUARANTINED.value]
            query = query.where(table.c.digest.is_not(None), table.c.reason.not_in(others))
        return query if since is None else query.where(table.c.at_us >= microseconds(since))
    if wanted.only is None:
        query = query.where(_is_made_by_others(connection, table, wanted))
    if since is not None:
        query = query.where(table.c.fetched_us >= microseconds(since))
    if not sites:
        return query
    return query.where(_on_site(table, of.c.site.in_([storable_name(site) for site in sites])))


def _is_one_of(column: ColumnElement[Any], ids: Set[int]) -> ColumnElement[bool]:
    """Whether a page's id is one of these; written into the statement, whose parameters are limited."""
    inline: BindParameter[Any] = bindparam(
        None, sorted(ids), unique=True, expanding=True, literal_execute=True
    )
    return column.in_(inline)


def _is_made_by_others(connection: Connection, table: Table, wanted: Wanted) -> ColumnElement[bool]:
    """Whether different rules made the text of a row.

    The rules of a site are found in Python, once for each version on each host. There are few of these.
    """
    version, host = table.c.rules_version, schema.article.c.site
    made = select(version, host if wanted.site_rules.depends_on_site else literal("")).distinct()
    if wanted.site_rules.depends_on_site and table is schema.revision:
        made = made.join(schema.article, schema.article.c.id == table.c.article_id)
    old: dict[str, list[str]] = {}
    other: dict[str, list[str]] = {}
    for made_by, site in connection.execute(made):
        is_old = wanted.site_rules.is_outdated(made_by, wanted.rules_version, site)
        (old if is_old else other).setdefault(made_by, []).append(site)
    conditions: list[ColumnElement[bool]] = [
        version.in_([made_by for made_by in old if made_by not in other])
    ]
    for made_by in old.keys() & other.keys():
        if len(old[made_by]) <= len(other[made_by]):
            on_host = host.in_(old[made_by])
        else:
            on_host = host.not_in(other[made_by])
        conditions.append(and_(version == made_by, _on_site(table, on_host)))
    return or_(*conditions)


def _on_site(table: Table, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Applies a condition on an article's site to rows of articles or of their revisions."""
    if table is schema.article:
        return condition
    return table.c.article_id.in_(select(schema.article.c.id).where(condition))


def _refused(query: Select[Any]) -> Select[Any]:
    """The query of rejections with the columns that `_is_refused_by_others` needs."""
    table = schema.rejection
    return query.add_columns(table.c.page_id, table.c.url, table.c.reason, table.c.rules_version)


def _is_refused_by_others(row: Any, wanted: Wanted) -> bool:
    """Whether different rules, or an internal error, rejected a document of the wanted sites."""
    on = _site(row.url) if wanted.sites or wanted.site_rules.sites else ""
    if wanted.sites and on not in wanted.sites:
        return False
    if wanted.only is not None:
        return True
    return Reason(row.reason) in FAILURES or wanted.site_rules.is_outdated_rejection(
        row.rules_version, wanted.rules_version, on
    )


def _refused_by_others(
    engine: Engine, query: Select[Any], wanted: Wanted, last: int
) -> tuple[list[int], int]:
    """Those of the next pages that different rules rejected, and the last page that was read."""
    with engine.connect() as connection:
        rows = connection.execute(_refused(query).limit(_LOOKED_AT)).all()
    ids = [row.page_id for row in rows if _is_refused_by_others(row, wanted)]
    return ids, rows[-1].page_id if len(rows) == _LOOKED_AT else last


def _joined(query: Select[Any], table: Table) -> Select[Any]:
    """The query with the page's columns, and the columns of the text or rejection with the prefix `of_`."""
    page, article = schema.page, schema.article
    query = query.add_columns(*page.c).where(page.c.id == table.c.page_id)
    if table is schema.rejection:
        return query.add_columns(table.c.url.label("of_url"), table.c.reason.label("of_reason"))
    query = query.add_columns(*(table.c[name].label(f"of_{name}") for name in COMPARED_COLUMNS))
    if table is schema.article:
        return query.add_columns(table.c.id.label("of_id"), table.c.url.label("of_url"))
    return query.where(article.c.id == table.c.article_id).add_columns(
        article.c.id.label("of_id"), article.c.url.label("of_url"), table.c.removed.label("of_removed")
    )


def _text_before(row: Any, removed: dict[int, list[Removed]]) -> TextBefore:
    is_current = "of_removed" not in row
    lines = removed.get(row["of_id"], ()) if is_current else [Removed(*line) for line in row["of_removed"]]
    return TextBefore(
        article_id=row["of_id"],
        is_current=is_current,
        url=row["of_url"],
        columns={name: row[f"of_{name}"] for name in COMPARED_COLUMNS},
        removed=tuple(lines),
    )


def _removed(connection: Connection, rows: Sequence[Any]) -> dict[int, list[Removed]]:
    table = schema.removal
    found: dict[int, list[Removed]] = {}
    query = select(table.c.article_id, table.c.position, table.c.text, table.c.rule).where(
        table.c.article_id.in_([row["of_id"] for row in rows])
    )
    for id, *line in connection.execute(query.order_by(table.c.article_id, table.c.line)):
        found.setdefault(id, []).append(Removed(*line))
    return found


def _site(url: str | None) -> str:
    return site_of(url) if url else ""
