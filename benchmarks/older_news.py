"""Makes a database large in minutes: copies its articles as older news of different stories.

All rows of an article are copied (page, text, signature, index rows, search words, pairs, group), with new
ids and addresses. The copy is earlier by a whole number of the index's time buckets, and has different keys
in the index. So lookups, inserts and the pages of every table and index are as in a database that was filled
article by article. Only the old texts are the same in each copy, but nothing reads them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Table, func, select, text

from pipeline.settings import BAND_BITS, WINNOWED_BIT
from pipeline.text import make_search_words
from storage import schema, search
from storage.base import set_counter

# Seconds of a time bucket of the index, as in `pipeline.copies.candidates.row_key`.
BUCKET_BITS = 18
_HASH_BITS = 29
# Odd, so that each layer changes the keys differently.
_NEAR_MASK, _FAR_MASK = 0x2545F4914F6C % WINNOWED_BIT, 0x1E3779B97F4A7C15
_TEXTS = 2000
# SQLite's cache meanwhile: 1 GB, in KB.
_CACHE = -(1 << 20)


def lay_older(engine: Engine, *, template: int, layer: int, buckets: int) -> None:
    """Adds copies of the articles with ids up to `template`, `layer` * `buckets` time buckets earlier.

    layer: 1, 2, … `buckets`: at least as many as the template covers. The connection in the engine's pool has
    special settings afterwards: dispose of the engine.
    """
    seconds = (layer * buckets) << BUCKET_BITS
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA cache_size = {_CACHE}")
            connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        offset, page_offset = _last(connection, schema.article), _last(connection, schema.page)
        moved = _Moved(connection, offset, page_offset, seconds, layer)
        pages = f"id IN (SELECT page_id FROM article WHERE id <= {template})"  # noqa: S608 - a number
        moved.copy("page", pages, id=f"id + {page_offset}")
        moved.copy("article", f"id <= {template}", id=f"id + {offset}")
        if connection.dialect.name == "postgresql":
            # Foreign keys are not checked: that takes longer than inserting the rows, most of them pairs.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        moved.copy("document", f"article_id <= {template}")
        moved.copy("signature", f"article_id <= {template}", position=f"position - {seconds << _HASH_BITS}")
        moved.copy("pair", f"a <= {template} AND b <= {template}", a=f"a + {offset}", b=f"b + {offset}")
        near = f"{_xor('key', layer * _NEAR_MASK % WINNOWED_BIT)} - {layer * buckets << BAND_BITS}"
        far = _xor("key", layer * _FAR_MASK % (1 << 62))
        moved.copy(
            "band",
            f"article_id <= {template}",
            "ORDER BY 1, 2, 3",
            key=f"CASE WHEN key < 0 THEN {far} ELSE {near} END",
            position=f"position - {seconds << _HASH_BITS}",
        )
        _copy_words(connection, template, offset)
        for table in (schema.article, schema.page):
            set_counter(connection, table.name, _last(connection, table))


def _copy_words(connection: Connection, template: int, offset: int) -> None:
    if connection.dialect.name == "postgresql":
        for table, column in (("search_entry", "digest"), ("search_words", "words")):
            connection.execute(
                text(
                    f"INSERT INTO {table} (article_id, {column})"  # noqa: S608 - our own names
                    f" SELECT article_id + :offset, {column} FROM {table} WHERE article_id <= :template"
                ),
                {"offset": offset, "template": template},
            )
        return
    for low in range(offset + 1, offset + template + 1, _TEXTS):
        rows = connection.execute(
            text("SELECT id, title, text FROM article WHERE id BETWEEN :low AND :high"),
            {"low": low, "high": min(low + _TEXTS - 1, offset + template)},
        )
        search.add_to_index(connection, [(row.id, make_search_words(row.title, row.text)) for row in rows])


@contextmanager
def without_word_index(engine: Engine) -> Iterator[None]:
    """Drops PostgreSQL's index of words meanwhile. Rebuilding takes minutes, and merging would take hours."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.begin() as connection:
        made_by = text("SELECT indexdef FROM pg_indexes WHERE indexname = 'search_words_words'")
        definition = str(connection.scalar(made_by))
        connection.execute(text("DROP INDEX search_words_words"))
    yield
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        connection.execute(text(definition))


def tidy(engine: Engine) -> None:
    """Vacuums, as autovacuum does in a database that grows for months."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _last(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.max(table.c.id))) or 0


class _Moved:
    """Copies rows of a table within the table, with changed values in its key columns."""

    def __init__(
        self, connection: Connection, offset: int, page_offset: int, seconds: int, layer: int
    ) -> None:
        self.connection = connection
        address = "replace({0}, '.example/', '.example/older" + str(layer) + "/')"
        earlier = (
            f"{{0}} - interval '{seconds} seconds'"
            if connection.dialect.name == "postgresql"
            else f"strftime('%Y-%m-%dT%H:%M:%SZ', {{0}}, '-{seconds} seconds')"
        )
        self.changed = {
            **dict.fromkeys(("article_id", "group_id"), f"{{0}} + {offset}"),
            "page_id": f"{{0}} + {page_offset}",
            **dict.fromkeys(("url", "location"), address),
            **dict.fromkeys(("published_at", "first_seen_at", "updated_at", "seen_at"), earlier),
            "fetched_us": f"{{0}} - {seconds * 1_000_000}",
        }

    def copy(self, table: str, condition: str, order: str = "", **changed: str) -> None:
        names = [column.name for column in schema.metadata.tables[table].columns]
        values = (changed.get(name) or self.changed.get(name, "{0}").format(name) for name in names)
        columns, selected = ", ".join(names), ", ".join(values)
        self.connection.execute(
            text(f"INSERT INTO {table} ({columns}) SELECT {selected} FROM {table} WHERE {condition} {order}")  # noqa: S608 - our own names and numbers
        )


def _xor(name: str, mask: int) -> str:
    """The expression for a column XOR a mask; SQLite has no operator for it."""
    return f"(({name} | {mask}) - ({name} & {mask}))"
