"""Compares two databases row for row: the public views, what is private, and the schema."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Engine, select, text

from storage import schema
from storage.schema import VIEWS
from storage.writing import unpack_keys
from tests.storage.news import view

# What two runs of one ingest may have different, because it depends on when a batch ends.
UNEQUAL = {
    "changes": {"change", "at"},
    "runs": {"id", "command", "started_at", "finished_at", "grouped"},
    "site_runs": set(schema.view_tables["site_runs"].c.keys()),
    "rejections": {"run_id"},
}


ALL = tuple(one.name for one in VIEWS)

Unequal = dict[str, tuple[list[str], list[str]]]


def differences(one: Engine, other: Engine, views: Collection[str] = ALL) -> Unequal:
    """The rows of public views that only one of the databases has, by view; without columns of UNEQUAL."""
    return _unequal(*({name: _rows(engine, name) for name in views} for engine in (one, other)))


def private_differences(one: Engine, other: Engine) -> Unequal:
    """As `differences`, of private tables, with pages by what they hold, blocks by site and quarter."""
    return _unequal(_stored(one), _stored(other))


def _unequal(one: dict[str, list[str]], other: dict[str, list[str]]) -> Unequal:
    found = {}
    for name, rows in one.items():
        if rows != other[name]:
            both = set(rows) & set(other[name])
            found[name] = (
                [row for row in rows if row not in both],
                [row for row in other[name] if row not in both],
            )
    return found


def _rows(engine: Engine, name: str) -> list[str]:
    left_out = UNEQUAL.get(name, set())
    return sorted(
        _shown({key: value for key, value in row.items() if key not in left_out})
        for row in view(engine, name)
    )


def _shown(row: dict[str, Any]) -> str:
    """A row as text; PostgreSQL keeps the keys of JSON objects in an order of its own."""
    return repr({name: _in_order(value) for name, value in row.items()})


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def _stored(engine: Engine) -> dict[str, list[str]]:
    with engine.connect() as connection:

        def rows(table: str) -> list[dict[str, Any]]:
            found = connection.execute(select(schema.metadata.tables[table])).mappings()
            return [dict(row) for row in found]

        pages = {row.pop("id"): _shown(row) for row in rows("page")}
        blocks = {row["id"]: (row["site"], row["quarter"]) for row in rows("sight_block")}
        sketches = {row["id"]: row["version"] for row in rows("sketch")}
        named: dict[str, Callable[[Any], Any]] = {
            "page_id": pages.get,
            "block_id": blocks.get,
            "sketch_id": sketches.get,
            # Their order depends on whether the text was stored before it was not current any more.
            "bands": lambda packed: packed and sorted(unpack_keys(packed)),
        }
        tables = {
            table: [
                {
                    name: named[name](value) if name in named else value
                    for name, value in row.items()
                    if (table, name) not in (("sight_block", "id"), ("rejection", "run_id"))
                }
                for row in rows(table)
            ]
            for table in _TABLES
        }
        tables["page"] = [{"page": page} for page in pages.values()]
        tables["counter"] = [
            row for row in rows("counter") if row["name"] not in (schema.DATABASE_ID, "learned", "page")
        ]
    return {table: sorted(map(_shown, found)) for table, found in tables.items()}


_TABLES = (
    "article",
    "revision",
    "document",
    "rejection",
    "quarantine",
    "removal",
    "signature",
    "band",
    "pair",
    "search_entry",
    "sight_block",
    "sighting",
    "learned_line",
)


def schema_of(engine: Engine) -> list[str]:
    """Everything that the database itself says of its schema."""
    query = "SELECT type || name || tbl_name || coalesce(sql, '') FROM sqlite_master"
    if engine.dialect.name == "postgresql":
        query = _POSTGRESQL
    with engine.connect() as connection:
        return sorted(map(str, connection.execute(text(query)).scalars()))


_POSTGRESQL = """
    SELECT concat_ws(' ', 'table', c.relname, c.relkind, c.reloptions, c.relpersistence)
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'column', a.attrelid::regclass, a.attnum, a.attname, a.attnotnull, a.attstorage,
                     format_type(a.atttypid, a.atttypmod), a.attcompression, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
    WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0
    UNION ALL
    SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisunique, indisprimary, indisvalid)
    FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT concat_ws(' ', 'function', pg_get_functiondef(oid))
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'view', viewname, definition) FROM pg_views WHERE schemaname = 'public'
    UNION ALL
    SELECT concat_ws(' ', 'version', version_num) FROM alembic_version
"""
