"""Whether what is stored agrees with itself (`copydesk db check`), and mending of what follows from the rest.

A check is a function that yields one line a fault, so that a base with a million faults takes no more memory
than one with none; all of them read one snapshot, so a crawl that writes meanwhile is no fault. What is only
derived (index, groups, search, counters, references to what is gone) has a mending; it works from what is
stored when it runs, in transactions of its own, and says how many things it put right. A text that is gone
cannot be made again, and then the finding says what an operator can do.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, delete, exists, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from pipeline import copies
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from storage import schema, search
from storage.base import from_microseconds
from storage.database import DatabaseError, explain, in_transaction
from storage.upkeep.retention import Wanted, stored_of
from storage.writing import URL, chunks, groups, key_of, learning, unpack_keys
from storage.writing import revisions as ledger

Find = Callable[[Connection], Iterator[str]]
Mend = Callable[[Engine], int]


def _nobody(_: str) -> None:
    pass


# Faults of one kind that are shown, and signatures whose bands are looked up together.
SAMPLES = 5
_STREAMED = {"stream_results": True, "yield_per": 2000}
_SIGNATURES = 200
# Groups and rows that are mended in one transaction.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. count: faults. samples: the first of them. can_mend: whether `repair` can do
    something; advice: what an operator can, where it cannot. mended: things that `repair` put right.
    """

    check: str
    says: str
    count: int
    samples: tuple[str, ...]
    can_mend: bool
    advice: str
    mended: int = 0


@dataclass(frozen=True, slots=True)
class _Check:
    """says: what holds where nothing is found."""

    name: str
    says: str
    find: Find
    mend: Mend | None = None
    advice: str = "restore a backup"


def check(
    engine: Engine, *, only: Iterable[str] | None = None, began: Callable[[str], None] = _nobody
) -> list[Finding]:
    """The findings of every check, in order; `count` is 0 where all is well. Changes nothing.

    only: the names of some; OperatorError for one that there is not. began: is told each name in turn.
    """
    wanted = None if only is None else set(only)
    unknown = (wanted or set()) - {one.name for one in _CHECKS}
    if unknown:
        names = ", ".join(one.name for one in _CHECKS)
        raise OperatorError(f"there is no check {', '.join(sorted(unknown))}: the checks are {names}")
    found = []
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # on SQLite a transaction always is
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        for one in _CHECKS:
            if wanted is None or one.name in wanted:
                began(one.name)
                found.append(_found(engine, connection, one))
    return found


def repair(
    engine: Engine, findings: Sequence[Finding], *, began: Callable[[str], None] = _nobody
) -> list[Finding]:
    """Mends what can be, then makes the same checks once more: what is left, and how much was mended.

    findings: as `check` gave them. What is left could not be mended, or came of writing beside it.
    """
    mended: dict[str, int] = {}
    left = list(findings)
    # What is mended first may show what else is wrong: an index entry of a signature that had no article.
    while faulty := {f.check for f in left if f.count and f.can_mend} - mended.keys():
        for one in _CHECKS:
            if one.name in faulty and one.mend is not None:
                began(f"mending: {one.name}")
                try:
                    mended[one.name] = one.mend(engine)
                except (DatabaseError, DBAPIError):  # a damaged file: the next look at it says how
                    mended[one.name] = 0
        left = check(engine, only=[finding.check for finding in findings], began=began)
    return [replace(finding, mended=mended.get(finding.check, 0)) for finding in left]


def _found(engine: Engine, connection: Connection, one: _Check) -> Finding:
    count = 0
    samples: list[str] = []
    savepoint = connection.begin_nested()
    try:
        for line in one.find(connection):
            count += 1
            if len(samples) < SAMPLES:
                samples.append(line)
        savepoint.commit()
    except DBAPIError as error:
        savepoint.rollback()
        count, samples = count + 1, [*samples[: SAMPLES - 1], explain(error, engine)]
    return Finding(one.name, one.says, count, tuple(samples), one.mend is not None, one.advice)


def _rows(connection: Connection, query: Any) -> Iterator[Row[Any]]:
    yield from connection.execute(query, execution_options=_STREAMED)


# --- the file -----------------------------------------------------------------------------------------


def _find_damage(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(1000)"):
            if line != "ok":
                yield line


def _reindex(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        before = list(_find_damage(connection))
        connection.execute(text("REINDEX"))
        return len(before) - len(list(_find_damage(connection)))

    return in_transaction(engine, work)


# --- references ---------------------------------------------------------------------------------------


def _references() -> Iterator[tuple[Any, Any]]:
    """(column, the column that it refers to) of every foreign key."""
    for table in schema.metadata.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda key: str(key.parent)):
            yield key.parent, key.column


def _lost(column: Any, target: Any) -> Any:
    return column.is_not(None) & ~exists(select(target).where(target == column))


def _find_lost_references(connection: Connection) -> Iterator[str]:
    for column, target in _references():
        for (value,) in _rows(connection, select(column).where(_lost(column, target))):
            yield f"{column.table.name}.{column.name} is {value}: no such {target.table.name}"


# Rows that say nothing without what they refer to. A revision is a text, and a rejection is one's end.
_DEPENDENT = {"document", "removal", "signature", "pair", "search_entry", "revisit"}


def _drop_lost_references(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        done = 0
        for column, target in _references():
            table = column.table
            is_lost = _lost(column, target)
            if column.name == "page_id":
                done += connection.execute(update(table).where(is_lost).values(page_id=None)).rowcount
            elif table.name in _DEPENDENT and target.table is schema.article:
                done += connection.execute(delete(table).where(is_lost)).rowcount
        return done

    return in_transaction(engine, work)


# --- texts, documents, pages --------------------------------------------------------------------------

_WRONG_REVISIONS = text(
    """
    SELECT id, revision, 1 + (SELECT count(*) FROM revision WHERE article_id = article.id) AS there
    FROM article WHERE revision <> 1 + (SELECT count(*) FROM revision WHERE article_id = article.id)
    """
)
_CURRENT_TWICE = text(
    """
    SELECT article.id FROM article
    JOIN revision ON revision.article_id = article.id AND revision.text_hash = article.text_hash
    """
)
_TEXTLESS_DOCUMENTS = text(
    """
    SELECT location, article_id FROM document
    WHERE NOT EXISTS (SELECT 1 FROM article WHERE id = article_id AND article.text_hash = document.text_hash)
      AND NOT EXISTS (SELECT 1 FROM revision WHERE revision.article_id = document.article_id
                      AND revision.text_hash = document.text_hash)
    """
)
_UNGIVEN_TEXTS = text(
    """
    SELECT id, 'its text' AS what FROM article
    WHERE NOT EXISTS (SELECT 1 FROM document WHERE article_id = article.id
                      AND document.text_hash = article.text_hash)
    UNION ALL
    SELECT article_id, 'an older text' FROM revision
    WHERE NOT EXISTS (SELECT 1 FROM document WHERE document.article_id = revision.article_id
                      AND document.text_hash = revision.text_hash)
    """
)
_ORPHANED_PAGES = text(
    """
    SELECT id, location FROM page
    WHERE NOT EXISTS (SELECT 1 FROM article WHERE page_id = page.id)
      AND NOT EXISTS (SELECT 1 FROM revision WHERE page_id = page.id)
      AND NOT EXISTS (SELECT 1 FROM rejection WHERE page_id = page.id)
    """
)


def _find_wrong_revisions(connection: Connection) -> Iterator[str]:
    for row in _rows(connection, _WRONG_REVISIONS):
        yield f"article {row.id}: revision says {row.revision}, {row.there} texts are there"
    for row in _rows(connection, _CURRENT_TWICE):
        yield f"article {row.id}: its current text is among the older ones as well"


def _mend_revisions(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        twice = list(connection.execute(_CURRENT_TWICE).scalars())
        older, article = schema.revision, schema.article
        for part in chunks(twice):
            same = select(article.c.id).where(
                article.c.id == older.c.article_id, article.c.text_hash == older.c.text_hash
            )
            connection.execute(delete(older).where(older.c.article_id.in_(part), same.exists()))
        wrong = [{"at_id": row.id, "there": row.there} for row in connection.execute(_WRONG_REVISIONS)]
        if wrong:
            right = update(article).where(article.c.id == bindparam("at_id"))
            connection.execute(right.values(revision=bindparam("there")), wrong)
        return len(twice) + len(wrong)

    return in_transaction(engine, work)


def _find_textless_documents(connection: Connection) -> Iterator[str]:
    for row in _rows(connection, _TEXTLESS_DOCUMENTS):
        yield f"{row.location}: gave a text of article {row.article_id} that is not there"


def _drop_textless_documents(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        given, article, older = schema.document, schema.article, schema.revision
        current = select(article.c.id).where(
            article.c.id == given.c.article_id, article.c.text_hash == given.c.text_hash
        )
        once = select(older.c.article_id).where(
            older.c.article_id == given.c.article_id, older.c.text_hash == given.c.text_hash
        )
        return connection.execute(delete(given).where(~current.exists(), ~once.exists())).rowcount

    return in_transaction(engine, work)


def _find_ungiven_texts(connection: Connection) -> Iterator[str]:
    for row in _rows(connection, _UNGIVEN_TEXTS):
        yield f"article {row.id}: no document gave {row.what}"


def _find_orphaned_pages(connection: Connection) -> Iterator[str]:
    for row in _rows(connection, _ORPHANED_PAGES):
        yield f"page {row.id} ({row.location}) is of nothing"


def _drop_orphaned_pages(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        ids = [row.id for row in connection.execute(_ORPHANED_PAGES)]
        for part in chunks(ids):
            connection.execute(delete(schema.page).where(schema.page.c.id.in_(part)))
        return len(ids)

    return in_transaction(engine, work)


def _find_gone_too_early(connection: Connection) -> Iterator[str]:
    for id in _gone_too_early(connection):
        yield f"article {id}: it was fetched after it was found to be gone"


def _gone_too_early(connection: Connection) -> Iterator[int]:
    table = schema.article
    query = select(table.c.id, table.c.gone_at, table.c.fetched_us).where(table.c.gone_at.is_not(None))
    for row in _rows(connection, query):
        if row.gone_at < schema.to_second(from_microseconds(row.fetched_us)):
            yield row.id


def _bring_back(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        ids = list(_gone_too_early(connection))
        for part in chunks(ids):
            connection.execute(
                update(schema.article).where(schema.article.c.id.in_(part)).values(gone_at=None)
            )
        return len(ids)

    return in_transaction(engine, work)


# --- groups -------------------------------------------------------------------------------------------

_CANONICAL_COPIES = text(
    """
    SELECT group_id, count(CASE WHEN is_canonical THEN 1 END) AS canonical FROM article
    GROUP BY group_id HAVING count(CASE WHEN is_canonical THEN 1 END) <> 1 ORDER BY group_id
    """
)
_MISNAMED_GROUPS = text(
    """
    SELECT id, group_id FROM article
    WHERE id < group_id OR (id <> group_id AND NOT EXISTS (
        SELECT 1 FROM article AS first WHERE first.id = article.group_id AND first.group_id = first.id))
    """
)
_MEMBERS = text("SELECT group_id, id FROM article WHERE group_id <> id ORDER BY group_id, id")
_PAIRED = text(
    """
    SELECT one.group_id AS one_group, other.group_id AS other_group, pair.a, pair.b
    FROM pair JOIN article AS one ON one.id = pair.a JOIN article AS other ON other.id = pair.b
    ORDER BY one.group_id
    """
)
_WRONG_PAIRS = text(
    """
    SELECT a, b FROM pair WHERE a >= b OR kind NOT IN ('exact', 'near', 'partial')
    OR NOT (jaccard BETWEEN 0 AND 1 AND containment BETWEEN 0 AND 1)
    """
)


def _find_wrong_pairs(connection: Connection) -> Iterator[str]:
    for row in _rows(connection, _WRONG_PAIRS):
        yield f"pair {row.a}, {row.b}: not in order, or of no known kind or measure"


def _drop_wrong_pairs(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        wrong = [{"at_a": row.a, "at_b": row.b} for row in connection.execute(_WRONG_PAIRS)]
        if wrong:
            table = schema.pair
            these = delete(table).where(table.c.a == bindparam("at_a"), table.c.b == bindparam("at_b"))
            connection.execute(these, wrong)
        return len(wrong)

    return in_transaction(engine, work)


def _find_wrong_canonical(connection: Connection) -> Iterator[str]:
    for row in _rows(connection, _CANONICAL_COPIES):
        yield f"group {row.group_id}: {row.canonical} canonical copies"


def _find_wrong_groups(connection: Connection) -> Iterator[str]:
    for _, line in _wrong_groups(connection):
        yield line


def _wrong_groups(connection: Connection) -> Iterator[tuple[set[int], str]]:
    """Groups that are not what the pairs make of them: the ids of those concerned, and what is wrong.

    Members and pairs come side by side in the order of their groups, so one group is in memory at a time.
    """
    for row in _rows(connection, _MISNAMED_GROUPS):
        yield (
            {row.group_id, row.id},
            f"article {row.id}: its group {row.group_id} is not that of a smallest id",
        )
    members = groupby(_rows(connection, _MEMBERS), key=itemgetter(0))
    pairs = groupby(_rows(connection, _PAIRED), key=itemgetter(0))
    group_id, others = next(members, (None, iter(())))
    paired_id, paired = next(pairs, (None, iter(())))
    while group_id is not None or paired_id is not None:
        here = min(id for id in (group_id, paired_id) if id is not None)
        nodes, edges = {here}, []
        if group_id == here:
            nodes.update(row.id for row in others)
            group_id, others = next(members, (None, iter(())))
        if paired_id == here:
            for row in paired:
                if row.other_group == here:
                    edges.append((row.a, row.b))
                else:
                    which = {here, row.other_group}
                    yield which, f"pair {row.a}, {row.b}: of two groups, {here} and {row.other_group}"
            paired_id, paired = next(pairs, (None, iter(())))
        inside = [edge for edge in edges if nodes.issuperset(edge)]
        parts = sum(1 for _ in copies.components(nodes, inside))
        if parts > 1:
            yield {here}, f"group {here}: its pairs hold it together in {parts} parts"


def _mend_groups(engine: Engine) -> int:
    """From the pairs, wherever an id, a part or a canonical copy is wrong."""
    with engine.connect() as connection:
        dirty = {id for ids, _ in _wrong_groups(connection) for id in ids}
        dirty.update(row.group_id for row in _rows(connection, _CANONICAL_COPIES))
    done = 0
    for part in chunks(sorted(dirty), _AT_ONCE):
        done += in_transaction(engine, partial(groups.rebuild, ids=part))
    return done


# --- the near-duplicate index -------------------------------------------------------------------------

_MISSING_SQLITE = text(
    """
    SELECT wanted.key AS n FROM json_each(:wanted) AS wanted
    WHERE NOT EXISTS (
        SELECT 1 FROM band WHERE key = json_extract(wanted.value, '$[0]')
        AND position = json_extract(wanted.value, '$[1]') AND article_id = json_extract(wanted.value, '$[2]'))
    """
)
_MISSING_POSTGRESQL = text(
    """
    SELECT wanted.n - 1 AS n
    FROM unnest(CAST(:keys AS bigint[]), CAST(:positions AS bigint[]), CAST(:ids AS bigint[]))
             WITH ORDINALITY AS wanted (key, position, article_id, n)
    WHERE NOT EXISTS (
        SELECT 1 FROM band WHERE band.key = wanted.key
        AND band.position = wanted.position AND band.article_id = wanted.article_id)
    """
)

_Place = tuple[int, int, int]


def _find_wrong_bands(connection: Connection) -> Iterator[str]:
    expected = missing = 0
    for signatures in _signatures(connection):
        for signature in signatures:
            if signature.is_damaged:
                yield f"article {signature.article_id}: the keys of its signature cannot be read"
        places = _places(signatures)
        expected += len(places)
        for key, _, id in _missing(connection, places):
            missing += 1
            yield f"article {id}: no row {key} in the index"
    there = connection.scalar(select(func.count()).select_from(schema.band)) or 0
    if there > expected - missing:
        for key, _, id in _dangling(connection):
            yield f"row {key} of article {id} in the index: its signature has no such key"


@dataclass(frozen=True, slots=True)
class _Signature:
    article_id: int
    position: int
    packed: bytes

    @property
    def is_damaged(self) -> bool:
        return len(self.packed) % 8 != 0

    @property
    def keys(self) -> tuple[int, ...]:
        return () if self.is_damaged else unpack_keys(self.packed)


def _signatures(connection: Connection) -> Iterator[list[_Signature]]:
    """Every signature, some at a time, by article."""
    last = -1
    while found := _signatures_after(connection, last):
        yield found
        last = found[-1].article_id


def _signatures_after(connection: Connection, last: int) -> list[_Signature]:
    table = schema.signature
    query = select(table.c.article_id, table.c.position, table.c["keys"]).where(table.c.article_id > last)
    rows = connection.execute(query.order_by(table.c.article_id).limit(_SIGNATURES))
    return [_Signature(*row) for row in rows]


def _signatures_of(connection: Connection, ids: Iterable[int]) -> Iterator[_Signature]:
    table = schema.signature
    query = select(table.c.article_id, table.c.position, table.c["keys"])
    for part in chunks(ids):
        for row in connection.execute(query.where(table.c.article_id.in_(part))).all():
            yield _Signature(*row)


def _places(signatures: Iterable[_Signature]) -> list[_Place]:
    """The rows that these signatures have in the index, as (key, position, article id)."""
    return sorted((key, s.position, s.article_id) for s in signatures for key in s.keys)


def _missing(connection: Connection, places: Sequence[_Place]) -> list[_Place]:
    """Those of the places that have no row in the index."""
    if not places:
        return []
    if connection.dialect.name == "postgresql":
        keys, positions, ids = map(list, zip(*places, strict=True))
        rows = connection.execute(_MISSING_POSTGRESQL, {"keys": keys, "positions": positions, "ids": ids})
    else:
        rows = connection.execute(_MISSING_SQLITE, {"wanted": json.dumps(places)})
    return [places[n] for (n,) in rows]


def _dangling(connection: Connection) -> Iterator[_Place]:
    """Rows of the index whose signature does not have them."""
    band = schema.band
    query = select(band.c.key, band.c.position, band.c.article_id)
    for rows in connection.execute(query, execution_options=_STREAMED).partitions():
        places = [(row.key, row.position, row.article_id) for row in rows]
        theirs = set(_places(_signatures_of(connection, {id for _, _, id in places})))
        yield from (place for place in places if place not in theirs)


def _mend_bands(engine: Engine) -> int:
    done = 0
    with engine.connect() as connection:
        dangling = list(_dangling(connection))
    for part in chunks(dangling, 10_000):
        done += in_transaction(engine, partial(_drop_bands, part))
    last: int | None = -1
    while last is not None:
        added, last = in_transaction(engine, partial(_add_bands, last))
        done += added
    return done


def _drop_bands(places: Sequence[_Place], connection: Connection) -> int:
    """Those of the rows that still dangle: a writer may have put the article back meanwhile."""
    table = schema.band
    theirs = set(_places(_signatures_of(connection, {id for _, _, id in places})))
    gone = [place for place in places if place not in theirs]
    if gone:
        connection.execute(
            delete(table).where(
                table.c.key == bindparam("at_key"),
                table.c.position == bindparam("at_position"),
                table.c.article_id == bindparam("at_id"),
            ),
            [{"at_key": key, "at_position": position, "at_id": id} for key, position, id in gone],
        )
    return len(gone)


def _add_bands(last: int, connection: Connection) -> tuple[int, int | None]:
    """Writes the missing rows of the next signatures after that article; how many, and the last article."""
    signatures = _signatures_after(connection, last)
    if not signatures:
        return 0, None
    missing = _missing(connection, _places(signatures))
    if missing:
        connection.execute(
            insert(schema.band),
            [{"key": key, "position": position, "article_id": id} for key, position, id in missing],
        )
    return len(missing), signatures[-1].article_id


def _find_unused_versions(connection: Connection) -> Iterator[str]:
    for version in _unused_versions(connection):
        yield f"fingerprint version {version}: nothing has it"


def _unused_versions(connection: Connection) -> list[str]:
    """Of other settings than today's: those of today will be used by what comes."""
    sketch, table = schema.sketch, schema.signature
    used = select(table.c.sketch_id).where(table.c.sketch_id == sketch.c.id)
    others = sketch.c.version != Settings().index_version
    return list(connection.execute(select(sketch.c.version).where(others, ~used.exists())).scalars())


def _drop_unused_versions(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        unused = _unused_versions(connection)
        connection.execute(delete(schema.sketch).where(schema.sketch.c.version.in_(unused)))
        return len(unused)

    return in_transaction(engine, work)


# --- search, changes, counters, runs, tombstones ------------------------------------------------------


def _find_wrong_search(connection: Connection) -> Iterator[str]:
    for id in search.find_index_faults(connection):
        yield f"article {id}: full-text search has it otherwise, or has it though it is gone"


def _mend_search(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        wrong = len(search.find_index_faults(connection))
        search.rebuild_index(connection)
        return wrong

    return in_transaction(engine, work)


_UNTOLD = text(
    "SELECT id FROM article"
    " WHERE NOT EXISTS (SELECT 1 FROM change WHERE article_id = article.id AND NOT gone) ORDER BY id"
)
_STALE = text(
    "SELECT article_id FROM change"
    " WHERE NOT gone AND NOT EXISTS (SELECT 1 FROM article WHERE id = article_id) ORDER BY article_id"
)


def _find_wrong_changes(connection: Connection) -> Iterator[str]:
    for (id,) in _rows(connection, _UNTOLD):
        yield f"article {id}: no change tells that it is stored"
    for (id,) in _rows(connection, _STALE):
        yield f"article {id}: no change tells that it is gone"


def _mend_changes(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        table = schema.change
        number = connection.scalar(select(func.max(table.c.number))) or 0
        now = datetime.now(UTC)
        untold = list(connection.execute(_UNTOLD).scalars())
        stale = list(connection.execute(_STALE).scalars())
        for part in chunks((*untold, *stale)):
            connection.execute(delete(table).where(table.c.article_id.in_(part)))
        rows = [
            {"article_id": id, "number": number + n, "gone": is_gone, "at": now, "url": None}
            for n, (id, is_gone) in enumerate((*((i, False) for i in untold), *((i, True) for i in stale)), 1)
        ]
        if rows:
            connection.execute(insert(table), rows)
        return len(rows)

    return in_transaction(engine, work)


def _find_late_counters(connection: Connection) -> Iterator[str]:
    for name, value, least in _counters(connection):
        if name == schema.DATABASE_ID:
            yield "the base has no number of its own"
        else:
            yield f"counter {name} is at {value}, and {least} was given out"


def _counters(connection: Connection) -> Iterator[tuple[str, int, int]]:
    """(name, value, what it must be at least) of those that are behind, and of a missing DATABASE_ID."""
    there: dict[str, int] = {row.name: row.value for row in connection.execute(select(schema.counter))}
    ids = {
        "article": (schema.article.c.id, schema.change.c.article_id),
        "page": (schema.page.c.id,),
    }
    for name, columns in ids.items():
        least = max(connection.scalar(select(func.max(column))) or 0 for column in columns)
        if there.get(name, 0) < least:
            yield name, there.get(name, 0), least
    if schema.DATABASE_ID not in there:
        yield schema.DATABASE_ID, 0, 0


def _mend_counters(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        wrong = list(_counters(connection))
        for name, _, least in wrong:
            value = secrets.randbits(53) if name == schema.DATABASE_ID else least
            ledger.set_counter(connection, name, value)
        return len(wrong)

    return in_transaction(engine, work)


def _find_wrong_runs(connection: Connection) -> Iterator[str]:
    for row in _rows(connection, select(schema.run)):
        ends = row.stored + row.revised + row.updated + row.unchanged + row.rejected
        reasons = sum(row.reasons.values())
        if row.seen != ends:
            yield f"run {row.id}: seen {row.seen}, but {ends} came to an end"
        if row.rejected != reasons:
            yield f"run {row.id}: rejected {row.rejected}, but {reasons} for a reason"


def _find_forgotten(connection: Connection) -> Iterator[str]:
    for row in connection.execute(select(schema.tombstone)).all():
        of = Wanted(urls=(row.value,)) if row.kind == URL else Wanted(sites=(row.value,))
        for id in sorted(stored_of(connection, of)):
            yield f"article {id} is stored, though {row.kind} {row.value} was forgotten"
        if row.key != key_of(row.kind, row.value):
            yield f"tombstone of {row.kind} {row.value}: not under its key"


# In this order they are mended: what refers to nothing goes before what is derived from what is left.
_CHECKS = (
    _Check(
        "file",
        "SQLite's own check of the file finds nothing",
        _find_damage,
        _reindex,
        "restore a backup, or try sqlite3 FILE .recover",
    ),
    _Check(
        "references",
        "what a row refers to is there",
        _find_lost_references,
        _drop_lost_references,
        "a text without its article, or a rejection without its run, is not made again: restore a backup",
    ),
    _Check(
        "revisions",
        "an article has as many texts as it says",
        _find_wrong_revisions,
        _mend_revisions,
    ),
    _Check(
        "documents",
        "the text that a document gave is there",
        _find_textless_documents,
        _drop_textless_documents,
    ),
    _Check(
        "texts",
        "every text was given by a document",
        _find_ungiven_texts,
        advice="they stay as they are, and are matched to their documents when these are ingested again",
    ),
    _Check(
        "gone articles", "an article that is gone was not fetched since", _find_gone_too_early, _bring_back
    ),
    _Check(
        "pages", "every page is that of a text or a rejection", _find_orphaned_pages, _drop_orphaned_pages
    ),
    _Check(
        "fingerprint versions",
        "every version of fingerprints but today's is some article's",
        _find_unused_versions,
        _drop_unused_versions,
    ),
    _Check(
        "bands",
        "the index has the rows that the signatures say, and no others",
        _find_wrong_bands,
        _mend_bands,
        "run copydesk reprocess --fingerprints after restoring the signatures from a backup",
    ),
    _Check("pairs", "pairs are in order, of a known kind and measure", _find_wrong_pairs, _drop_wrong_pairs),
    _Check(
        "groups",
        "groups are what the pairs hold together, each named by its smallest id",
        _find_wrong_groups,
        _mend_groups,
    ),
    _Check("canonical copies", "every group has exactly one", _find_wrong_canonical, _mend_groups),
    _Check("search", "full-text search has every article as it is", _find_wrong_search, _mend_search),
    _Check("changes", "every article's last change is told", _find_wrong_changes, _mend_changes),
    _Check("counters", "no id is given out twice", _find_late_counters, _mend_counters),
    _Check(
        "learning",
        "what was learned of sites is what their articles show",
        learning.check,
        learning.start_anew,
    ),
    _Check(
        "runs",
        "the counts of every run add up",
        _find_wrong_runs,
        advice="what a run counted is not known any more: take its figures as lost",
    ),
    _Check(
        "tombstones",
        "nothing that was forgotten is stored",
        _find_forgotten,
        advice="run copydesk forget for it again",
    ),
)
