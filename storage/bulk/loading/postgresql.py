"""Fills an empty PostgreSQL database on several connections, without its indexes, which are made last.

A load is many transactions. The first one notes in the table `unfinished_load` what it takes off the tables,
and gives the schema the version LOADING, with which no other program opens the database. Each file is copied
in a transaction that also notes that it was. So a load that was killed goes on with what is missing when it
is started again. The last transaction gives the schema its version back.

Meanwhile other writers find the lock of writers taken. If a load was killed, a trigger stops those that had
opened the database before it began.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg import sql
from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from pipeline.document import SearchWords
from storage import schema, search
from storage.bulk.loading.bare_tables import (
    EXCLUSIONS,
    INDEXES,
    KEYS,
    LOADED,
    REFERENCES,
    Taken,
    strip_postgresql,
    wake_triggers,
)
from storage.bulk.loading.filling import Load, Watch
from storage.bulk.loading.folder import batches_of
from storage.bulk.loading.rows import (
    PAGE,
    SEARCH_ENTRY,
    SOURCES,
    Context,
    Row,
    Source,
    page_parts,
    pages_between,
    parts_of,
    rows_of_part,
    sequence_ranges,
    words_of_part,
)
from storage.database import LOADING, WRITER_LOCK, DatabaseError, explain, newest_version, shown_url

_STATE = "unfinished_load"

# For the connections that copy and make indexes. The last transaction makes what they wrote last as well.
_SETTINGS = """
    SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false),
           set_config('synchronous_commit', 'off', false),
           (SELECT set_config('maintenance_work_mem', '262144', false) FROM pg_settings
            WHERE name = 'maintenance_work_mem' AND setting::bigint < 262144)
"""

# 57P03: the writer waits for a while, and then says so in one line.
_REFUSE = (
    """
    CREATE FUNCTION refuse_unfinished_load() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'an unfinished load is in this database: run the same copydesk load again'
        USING ERRCODE = '57P03';
    END $$
    """,
    *(
        f"CREATE TRIGGER refuse_unfinished_load BEFORE INSERT OR UPDATE OR DELETE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_unfinished_load()"
        for table in ("counter", "run")
    ),
)

_Driver = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of the load, in a transaction of its own. name: unique."""

    name: str
    work: Callable[[_Driver], None]


@dataclass(frozen=True, slots=True)
class _State:
    """What is noted of an unfinished load. done: names of steps."""

    run_id: int
    taken: tuple[Taken, ...]
    done: frozenset[str]


def fill_postgresql(engine: Engine, load: Load, watch: Watch, connections: int) -> int:
    """Fills the database, or goes on with it; returns the id of the run.

    Raises DatabaseError, and Stopped; the same load then goes on where it ended.
    """
    try:
        with _as_only_writer(engine) as guard:
            state = _begun(guard, load)
            context = Context(engine.dialect, state.run_id, load.sketches)
            lock = threading.Lock()

            def advance(rows: int) -> None:
                with lock:
                    watch.advance(rows)

            shared = Watch(advance, watch.is_stopped)
            run = partial(_run, engine, state.done, shared)
            with page_parts(load.folder) as page_rows:
                run(_copies(load, page_rows, context, shared), connections)
            run([_Step("changes", partial(_note_changes, load))], 1)
            restore = {stage: [one for one in state.taken if one.stage == stage] for stage in range(4)}
            run(map(_restoring, restore[INDEXES]), connections)
            run(map(_restoring, restore[EXCLUSIONS]), connections)
            run(map(_restoring, (*restore[KEYS], *restore[REFERENCES])), 1)
            run((_Step(f"analyze {table}", partial(_analyze, table)) for table in LOADED), connections)
            _finish(guard, load, state.run_id)
    except psycopg.Error as error:
        raise DatabaseError(explain(error, engine)) from error
    except DBAPIError as error:
        raise DatabaseError(explain(error, engine)) from error
    return state.run_id


@contextmanager
def _as_only_writer(engine: Engine) -> Iterator[Connection]:
    """A connection that has the lock of writers until it ends. Raises DatabaseError if another one has it."""
    with engine.connect() as guard:
        guard.detach()  # closed at the end, which frees the lock whatever happened
        guard.exec_driver_sql(_SETTINGS)
        guard.exec_driver_sql("SET synchronous_commit = on")
        is_free = guard.scalar(select(func.pg_try_advisory_lock(WRITER_LOCK)))
        guard.commit()
        if not is_free:
            raise DatabaseError(f"{shown_url(engine)} is held by another program: wait for it, or stop it")
        yield guard


def unfinished_load(connection: Connection) -> str | None:
    """The digest of the folder whose load into this database is not finished; None if there is none."""
    if connection.dialect.name != "postgresql" or not inspect(connection).has_table(_STATE):
        return None
    found: str | None = connection.scalar(text("SELECT said FROM unfinished_load WHERE name = 'folder'"))
    return found


def _begun(guard: Connection, load: Load) -> _State:
    with guard.begin():
        if unfinished_load(guard) is None:
            _begin(guard, load)
    with guard.begin():
        rows = list(
            guard.execute(text("SELECT name, said, stage, owner FROM unfinished_load ORDER BY number"))
        )
    said = {row.name: row.said for row in rows}
    if said["schema"] != newest_version():
        raise DatabaseError(
            f"{shown_url(guard.engine)} has an unfinished load by a Copydesk of schema {said['schema']},"
            f" and this one has {newest_version()}: finish it with that Copydesk"
        )
    return _State(
        int(said["run"]),
        tuple(Taken(row.stage, row.owner, row.name, row.said) for row in rows if row.stage is not None),
        frozenset(row.name for row in rows if row.said is None),
    )


def _begin(guard: Connection, load: Load) -> None:
    run_id = load.begin(guard)
    guard.exec_driver_sql(
        "CREATE TABLE unfinished_load ("
        " number bigint GENERATED ALWAYS AS IDENTITY, name text NOT NULL, said text, stage int, owner text)"
    )
    note = text(
        "INSERT INTO unfinished_load (name, said, stage, owner) VALUES (:name, :said, :stage, :owner)"
    )
    for one in strip_postgresql(guard):
        guard.execute(note, {"name": one.name, "said": one.restore, "stage": one.stage, "owner": one.table})
    facts = {"folder": load.folder.digest, "run": str(run_id), "schema": newest_version()}
    for name, said in facts.items():
        guard.execute(note, {"name": name, "said": said, "stage": None, "owner": None})
    for version, id in load.sketches.items():
        guard.execute(schema.sketch.insert(), {"id": id, "version": version})
    for statement in _REFUSE:
        guard.exec_driver_sql(statement)
    _set_version(guard, LOADING)


def _finish(guard: Connection, load: Load, run_id: int) -> None:
    with guard.begin():
        guard.exec_driver_sql("DROP FUNCTION refuse_unfinished_load() CASCADE")
        load.finish(guard, run_id)
        wake_triggers(guard)
        guard.exec_driver_sql(f"DROP TABLE {_STATE}")
        _set_version(guard, newest_version())


def _set_version(guard: Connection, version: str) -> None:
    guard.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})


def _run(
    engine: Engine, done: frozenset[str], watch: Watch, steps: Iterable[_Step], connections: int
) -> None:
    """Does the steps that are not done, on so many connections. Raises the first error of one."""
    waiting = iter([step for step in steps if step.name not in done])
    lock = threading.Lock()
    failed = threading.Event()

    def work() -> None:
        raw = engine.raw_connection()
        driver = raw.driver_connection
        raw.detach()  # its settings are of no use to anybody else
        assert isinstance(driver, psycopg.Connection)
        try:
            driver.execute(_SETTINGS)
            driver.commit()
            while not failed.is_set():
                with lock:
                    step = next(waiting, None)
                if step is None:
                    return
                watch.loaded(0)
                with driver.transaction():
                    step.work(driver)
                    driver.execute("INSERT INTO unfinished_load (name) VALUES (%s)", (step.name,))
        except BaseException:
            failed.set()
            raise
        finally:
            raw.close()

    with ThreadPoolExecutor(connections) as pool:
        futures = [pool.submit(work) for _ in range(connections)]
    for future in futures:
        future.result()


def _restoring(one: Taken) -> _Step:
    def restore(driver: _Driver) -> None:
        driver.execute(one.restore.encode())

    return _Step(f"restore {one.stage} {one.name}", restore)


def _analyze(table: str, driver: _Driver) -> None:
    driver.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


# --- copies -------------------------------------------------------------------------------------------


def _copies(load: Load, page_rows: Sequence[Path], context: Context, watch: Watch) -> list[_Step]:
    """The steps that copy files, the largest first. page_rows: of `page_parts`."""
    folder = load.folder
    steps: list[tuple[int, _Step]] = []

    def add(dataset: str, part: Path, work: Callable[[_Driver], None]) -> None:
        steps.append((part.stat().st_size, _Step(f"copy {dataset} {part.relative_to(folder.path)}", work)))

    for found in sequence_ranges(folder.parts("pages")):
        add("page", found[0], partial(_copy_pages, page_rows, found, context, watch))
    for part in folder.parts(SEARCH_ENTRY.datasets[0]):
        add("words", part, partial(_copy_words, part, watch))
    for source in SOURCES:
        for files in parts_of(folder, source):
            copy = _copy_bands if source.table == "band" else _copy_part
            add(source.table, files[0], partial(copy, source, files, context, watch))
    return [step for _, step in sorted(steps, key=lambda one: -one[0])]


def _copy_part(
    source: Source, files: Sequence[Path], context: Context, watch: Watch, driver: _Driver
) -> None:
    _copy(driver, source.table, source.columns, rows_of_part(source, files, context), context, watch)


def _copy_pages(
    rows: Sequence[Path], found: tuple[Path, int, int], context: Context, watch: Watch, driver: _Driver
) -> None:
    _copy(driver, "page", PAGE.columns, pages_between(rows, [found], context), context, watch)


def _copy(
    driver: _Driver,
    table: str,
    columns: Sequence[str],
    parts: Iterable[Sequence[Row]],
    context: Context,
    watch: Watch,
) -> None:
    of = schema.metadata.tables[table]
    types = [of.c[name].type.compile(context.dialect).lower() for name in columns]
    with driver.cursor() as cursor, cursor.copy(_statement(table, columns, "(FORMAT BINARY)")) as copy:
        copy.set_types(types)
        for rows in parts:
            for row in rows:
                copy.write_row(row)
            watch.loaded(len(rows))


# A row of `band` in PostgreSQL's binary format: the number of its fields, and the length of each.
_BAND = np.dtype(
    [("fields", ">i2")]
    + [one for name in ("key", "position", "article_id") for one in ((f"{name} size", ">i4"), (name, ">i8"))]
)
_HEAD, _TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def _copy_bands(
    source: Source, files: Sequence[Path], context: Context, watch: Watch, driver: _Driver
) -> None:
    """As `_copy_part`. An article has some thirty rows here, so they are not made one by one."""
    statement = _statement(source.table, source.columns, "(FORMAT BINARY)")
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD)
        for batch in batches_of(files[0], source.at_once):
            rows = np.zeros(len(batch), dtype=_BAND)
            rows["fields"] = len(source.columns)
            for name in source.columns:
                rows[f"{name} size"] = 8
                rows[name] = batch.column(name).to_numpy()
            copy.write(rows.tobytes())
            watch.loaded(len(batch))
        copy.write(_TAIL)


def _copy_words(part: Path, watch: Watch, driver: _Driver) -> None:
    statements = (
        _statement("search_entry", SEARCH_ENTRY.columns, ""),
        _statement("search_words", ("article_id", "words"), ""),
    )
    with driver.cursor() as cursor:
        for rows in words_of_part(part):
            with cursor.copy(statements[0]) as copy:
                for id, digest, _, _ in rows:
                    copy.write_row((id, digest))
            with cursor.copy(statements[1]) as copy:
                for id, _, title, words in rows:
                    copy.write_row((id, search.tsvector(SearchWords(title, words))))
            watch.loaded(len(rows))


def _statement(table: str, columns: Sequence[str], how: str) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN {}").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(how)
    )


def _note_changes(load: Load, driver: _Driver) -> None:
    driver.execute(
        "INSERT INTO change (article_id, number, gone, at) SELECT id, id, false, %s FROM article ORDER BY id",
        (schema.to_second(load.at),),
    )
