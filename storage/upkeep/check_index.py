"""Checks of the near-duplicate index and of the versions of fingerprints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, text, type_coerce

from pipeline.settings import Settings
from storage import schema
from storage.base import chunks
from storage.database import in_transaction
from storage.upkeep.checks import STREAMED
from storage.writing import unpack_keys

_SIGNATURES = 200

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

_IndexRow = tuple[int, int, int]


def find_wrong_bands(connection: Connection) -> Iterator[str]:
    expected = missing = 0
    for signatures in _signatures(connection):
        for signature in signatures:
            if signature.is_damaged:
                yield f"article {signature.article_id}: the keys of its signature cannot be read"
        places = _index_rows(signatures)
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


# A check also reads keys that are damaged.
_TABLE = schema.signature
_ROWS = select(_TABLE.c.article_id, _TABLE.c.position, type_coerce(_TABLE.c["keys"], schema.Blob()))


def _signatures_after(connection: Connection, last: int) -> list[_Signature]:
    query = _ROWS.where(_TABLE.c.article_id > last).order_by(_TABLE.c.article_id).limit(_SIGNATURES)
    return [_Signature(*row) for row in connection.execute(query)]


def _signatures_of(connection: Connection, ids: Iterable[int]) -> Iterator[_Signature]:
    for part in chunks(ids):
        for row in connection.execute(_ROWS.where(_TABLE.c.article_id.in_(part))).all():
            yield _Signature(*row)


def _index_rows(signatures: Iterable[_Signature]) -> list[_IndexRow]:
    """The rows that these signatures have in the index, as (key, position, article id)."""
    return sorted((key, s.position, s.article_id) for s in signatures for key in s.keys)


def _missing(connection: Connection, places: Sequence[_IndexRow]) -> list[_IndexRow]:
    """Those of the places that have no row in the index."""
    if not places:
        return []
    if connection.dialect.name == "postgresql":
        keys, positions, ids = map(list, zip(*places, strict=True))
        rows = connection.execute(_MISSING_POSTGRESQL, {"keys": keys, "positions": positions, "ids": ids})
    else:
        rows = connection.execute(_MISSING_SQLITE, {"wanted": json.dumps(places)})
    return [places[n] for (n,) in rows]


def _dangling(connection: Connection) -> Iterator[_IndexRow]:
    """Rows of the index whose signature does not have them."""
    band = schema.band
    query = select(band.c.key, band.c.position, band.c.article_id)
    for rows in connection.execute(query, execution_options=STREAMED).partitions():
        places = [(row.key, row.position, row.article_id) for row in rows]
        theirs = set(_index_rows(_signatures_of(connection, {id for _, _, id in places})))
        yield from (place for place in places if place not in theirs)


def mend_bands(engine: Engine) -> int:
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


def _drop_bands(places: Sequence[_IndexRow], connection: Connection) -> int:
    """Deletes those rows that still belong to no signature: a writer may have stored the article again."""
    table = schema.band
    theirs = set(_index_rows(_signatures_of(connection, {id for _, _, id in places})))
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
    missing = _missing(connection, _index_rows(signatures))
    if missing:
        connection.execute(
            insert(schema.band),
            [{"key": key, "position": position, "article_id": id} for key, position, id in missing],
        )
    return len(missing), signatures[-1].article_id


def find_unused_versions(connection: Connection) -> Iterator[str]:
    for version in _unused_versions(connection):
        yield f"fingerprint version {version}: nothing has it"


def _unused_versions(connection: Connection) -> list[str]:
    """Unused versions of different settings than today's: today's will be used by new articles."""
    sketch, table = schema.sketch, schema.signature
    used = select(table.c.sketch_id).where(table.c.sketch_id == sketch.c.id)
    others = sketch.c.version != Settings().index_version
    return list(connection.execute(select(sketch.c.version).where(others, ~used.exists())).scalars())


def drop_unused_versions(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        unused = _unused_versions(connection)
        connection.execute(delete(schema.sketch).where(schema.sketch.c.version.in_(unused)))
        return len(unused)

    return in_transaction(engine, work)
