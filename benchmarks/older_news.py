"""Makes a base large in minutes: its own articles once more, as older news of other stories.

Everything that an article has is there again (page, text, signature, index rows, search words, pairs, group),
under other ids and addresses, earlier by a whole number of the index's time buckets and with other keys in
the index. So lookups, inserts and the pages of every table and index are as in a base that was filled article
by article; only that the old texts are the same each time, which nothing looks at again.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, Table, func, select, text

from pipeline.settings import BAND_BITS
from storage import schema, search
from storage.ledger import set_counter

# A bucket of the index is of so many seconds, as `pipeline.group.row_key` makes them.
BUCKET_BITS = 18
_HASH_BITS = 29
# Odd, so that each layer changes the keys otherwise.
_NEAR_MASK, _FAR_MASK = 0x2545F4914F6C % (1 << BAND_BITS), 0x1E3779B97F4A7C15
_TEXTS = 2000


def lay_older(engine: Engine, *, template: int, layer: int, buckets: int) -> None:
    """Adds the articles with ids up to `template` once more, `layer` * `buckets` buckets of time earlier.

    layer: 1, 2, … `buckets`: at least as many as the template covers.
    """
    seconds = (layer * buckets) << BUCKET_BITS
    with engine.begin() as connection:
        offset, page_offset = _last(connection, schema.article), _last(connection, schema.page)
        moved = _Moved(connection, offset, page_offset, seconds, layer)
        pages = f"id IN (SELECT page_id FROM article WHERE id <= {template})"  # noqa: S608 - a number
        moved.copy("page", pages, id=f"id + {page_offset}")
        moved.copy("article", f"id <= {template}", id=f"id + {offset}")
        moved.copy("document", f"article_id <= {template}")
        moved.copy("signature", f"article_id <= {template}", position=f"position - {seconds << _HASH_BITS}")
        moved.copy("pair", f"a <= {template} AND b <= {template}", a=f"a + {offset}", b=f"b + {offset}")
        near = f"{_xor('key', layer * _NEAR_MASK % (1 << BAND_BITS))} - {layer * buckets << BAND_BITS}"
        far = _xor("key", layer * _FAR_MASK % (1 << 62))
        moved.copy(
            "band",
            f"article_id <= {template}",
            "ORDER BY 1, 2, 3",
            key=f"CASE WHEN key < 0 THEN {far} ELSE {near} END",
            position=f"position - {seconds << _HASH_BITS}",
        )
        for low in range(offset + 1, offset + template + 1, _TEXTS):
            rows = connection.execute(
                text("SELECT id, title, text FROM article WHERE id BETWEEN :low AND :high"),
                {"low": low, "high": min(low + _TEXTS - 1, offset + template)},
            )
            search.put(connection, [(row.id, row.title, row.text) for row in rows])
        for table in (schema.article, schema.page):
            set_counter(connection, table.name, _last(connection, table))


def tidy(engine: Engine) -> None:
    """Leaves a base as autovacuum does, which one that grew for months has had time for."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _last(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.max(table.c.id))) or 0


class _Moved:
    """Copies rows of a table within itself, with the columns that tell them apart changed."""

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
    """SQLite has no operator for it."""
    return f"(({name} | {mask}) - ({name} & {mask}))"
