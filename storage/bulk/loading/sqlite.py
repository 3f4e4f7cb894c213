"""Fills an empty SQLite database in one transaction: what is not complete is not there.

While it is filled the file has a rollback journal in place of the log. The journal keeps pages as they were
before, and an empty database has few; so every page is written once. If a load is killed, SQLite takes its
pages back when the file is next opened. Where another process has the file open, the log stays, and grows to
the size of the database.

Rows come in the order of the primary keys, so that each page of a table is filled before the next; rows of
many parts are sorted by way of a temporary table. Indexes and triggers are made last. Sorting uses files in
SQLite's temporary folder ($SQLITE_TMPDIR).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain, islice

from sqlalchemy import Column, Engine, MetaData, Table, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from storage import schema
from storage.bulk.loading.bare_tables import strip_sqlite
from storage.bulk.loading.filling import Load, Watch
from storage.bulk.loading.rows import (
    SOURCES,
    Context,
    Row,
    is_merged,
    merged_rows,
    merged_words,
    page_parts,
    pages_between,
    sequence_ranges,
)
from storage.database import DatabaseError, explain

# Rows between two looks for a signal.
_AT_ONCE = 1000


def fill_sqlite(engine: Engine, load: Load, watch: Watch) -> int:
    """Fills the database; returns the id of the run.

    Raises DatabaseError, and Stopped; the database is then as before.
    """
    try:
        with engine.connect().execution_options(copydesk_writes=True) as connection:
            driver = connection.connection.driver_connection
            connection.detach()  # its settings are of no use to anybody else
            assert isinstance(driver, sqlite3.Connection)
            with _for_loading(driver), connection.begin():
                run_id = load.begin(connection)
                restore = strip_sqlite(driver)
                _fill(driver, load, watch, Context(engine.dialect, run_id, load.sketches))
                for statement in restore:
                    driver.execute(statement)
                    watch.loaded(0)
                load.finish(connection, run_id)
    except sqlite3.Error as error:
        raise DatabaseError(explain(error, engine)) from error
    except DBAPIError as error:
        raise DatabaseError(explain(error, engine)) from error
    return run_id


@contextmanager
def _for_loading(connection: sqlite3.Connection) -> Iterator[None]:
    """Settings of a load, outside a transaction."""
    for name, value in (
        # What refers to nothing is found by `copydesk db check`; looking it up row by row takes longer.
        ("foreign_keys", "OFF"),
        ("temp_store", "FILE"),
        ("synchronous", "FULL"),
        ("busy_timeout", 0),
    ):
        connection.execute(f"PRAGMA {name} = {value}")
    with suppress(sqlite3.OperationalError):  # somebody else has it open
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA busy_timeout = 30000")
    try:
        yield
    finally:
        with suppress(sqlite3.OperationalError):  # whoever opens it next does so
            connection.execute("PRAGMA journal_mode = WAL")


def _fill(connection: sqlite3.Connection, load: Load, watch: Watch, context: Context) -> None:
    sketches = [(id, version) for version, id in load.sketches.items()]
    connection.executemany("INSERT INTO sketch (id, version) VALUES (?, ?)", sketches)
    for source in SOURCES:
        rows = merged_rows(load.folder, source, context)
        fill = _insert if is_merged(load.folder, source) else _insert_sorted
        fill(connection, schema.metadata.tables[source.table], rows, watch)
    ranges = sequence_ranges(load.folder.parts("pages"))
    with page_parts(load.folder) as parts:
        pages = chain.from_iterable(pages_between(parts, ranges, context))
        _insert(connection, schema.page, pages, watch)
    _insert_words(connection, load, watch)
    connection.execute(
        "INSERT INTO change (article_id, number, gone, at) SELECT id, id, 0, ? FROM article ORDER BY id",
        (schema.utc_text(load.at),),
    )


def _insert(connection: sqlite3.Connection, table: Table, rows: Iterator[Row], watch: Watch) -> None:
    statement = str(insert(table).compile(dialect=sqlite.dialect()))
    while some := list(islice(rows, _AT_ONCE)):
        connection.executemany(statement, some)
        watch.loaded(len(some))


def _insert_sorted(connection: sqlite3.Connection, table: Table, rows: Iterator[Row], watch: Watch) -> None:
    """By way of a temporary table, for rows that come in no order."""
    names = [column.name for column in table.columns]
    unsorted = Table("unsorted", MetaData(), *(Column(name) for name in names))
    connection.execute(f"CREATE TEMP TABLE unsorted ({', '.join(names)})")
    _insert(connection, unsorted, rows, watch)
    in_order = select(*unsorted.columns).order_by(*(unsorted.c[key.name] for key in table.primary_key))
    connection.execute(str(insert(table).from_select(names, in_order).compile(dialect=sqlite.dialect())))
    connection.execute("DROP TABLE temp.unsorted")


def _insert_words(connection: sqlite3.Connection, load: Load, watch: Watch) -> None:
    words = merged_words(load.folder)
    while some := list(islice(words, _AT_ONCE)):
        connection.executemany(
            "INSERT INTO search_entry (article_id, digest) VALUES (?, ?)",
            [(id, digest) for id, digest, _, _ in some],
        )
        connection.executemany(
            "INSERT INTO search_words (rowid, title, text) VALUES (?, ?, ?)",
            [(id, title, text) for id, _, title, text in some],
        )
        watch.loaded(len(some))
