"""Loads the folder of a backfill into a database: in bulk if that is empty, else by merging."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from pipeline.settings import Settings
from storage.bulk.loading.filling import Stopped, Watch, is_empty, make_load, row_count
from storage.bulk.loading.folder import (
    BackfillFolder,
    open_folder,
    require_same_site_rules,
    require_same_versions,
)
from storage.bulk.loading.merging import merge, outcome_count
from storage.bulk.loading.postgresql import fill_postgresql, unfinished_load
from storage.bulk.loading.sqlite import fill_sqlite
from storage.database import DatabaseError, shown_url
from storage.writer import BatchCounts, require_one_fingerprint
from storage.writing import Lesson

# Connections of a load into an empty PostgreSQL database, if nobody says how many.
CONNECTIONS = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What a load is going to do. total: rows, or documents if it merges."""

    folder: BackfillFolder
    merges: bool
    total: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a load ended. run_id: its row in `runs`, 0 if it has none.

    is_interrupted: by a signal; the same command does the rest. lesson: what was learned about sites at the
    end of a merge; else None, because the folder knows what its articles teach.
    """

    run_id: int
    counts: BatchCounts
    merged: bool
    is_interrupted: bool
    lesson: Lesson | None


def plan_load(engine: Engine, path: Path, settings: Settings) -> LoadPlan:
    """What `load` would do. engine: may be of an unfinished load.

    Raises OperatorError for a folder that is none of a backfill, is not complete, or was made by other
    versions or other rules of sites than the settings have; and DatabaseError for a database with
    fingerprints of other versions, or with an unfinished load of another folder.
    """
    folder = open_folder(path)
    require_same_versions(folder, settings)
    with engine.connect() as connection:
        unfinished = unfinished_load(connection)
        if unfinished not in (None, folder.digest):
            raise DatabaseError(
                f"{shown_url(engine)} has an unfinished load of another folder: load that one again, it goes"
                " on, or give this one a database of its own"
            )
        merges = unfinished is None and not is_empty(connection)
    if merges:
        require_same_site_rules(folder, settings)
        require_one_fingerprint(engine, settings)
    return LoadPlan(folder, merges, outcome_count(folder) if merges else row_count(folder))


def load(
    engine: Engine,
    plan: LoadPlan,
    settings: Settings,
    *,
    connections: int = CONNECTIONS,
    command: str = "load",
    job: str = "load",
    advance: Callable[[int], None] = lambda _: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Loaded:
    """Brings the articles of a folder into the database, as `ingest` of its inputs would.

    An empty database is filled in bulk. On PostgreSQL a load that was killed goes on when it is started
    again, and until then nothing else opens the database; on SQLite it leaves nothing. Others get the
    outcomes of the folder one after another, which takes as long as `ingest` without its reading.

    connections: to an empty PostgreSQL database. advance: called with how many more rows or documents are
    done, of `LoadPlan.total`. is_stopped: whether a signal has come. Raises DatabaseError.
    """
    watch = Watch(advance, is_stopped)
    if plan.merges:
        done = merge(engine, plan.folder, settings, command, job, watch)
        return Loaded(done.run_id, done.counts, True, done.lesson is None, done.lesson)
    into = make_load(plan.folder, command, job, datetime.now(UTC))
    try:
        if engine.dialect.name == "postgresql":
            run_id = fill_postgresql(engine, into, watch, connections)
        else:
            run_id = fill_sqlite(engine, into, watch)
    except Stopped:
        return Loaded(0, BatchCounts(), False, True, None)
    return Loaded(run_id, into.counts, False, False, None)
