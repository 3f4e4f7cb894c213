"""What a backfill made and what an ingest of the same inputs stored, as rows to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import Engine

from crawler.runs import ingest
from pipeline.settings import Settings
from storage.bulk import PUBLIC
from storage.database import open_database
from storage.export import Selection, export

# What identifies a row of each public table.
KEYS = {
    "articles": ("id",),
    "revisions": ("article_id", "revision"),
    "story_groups": ("id",),
    "copies": ("article_id", "other_id"),
    "removed_text": ("article_id", "position", "text", "rule"),
    "rejections": ("location",),
}

Rows = list[dict[str, Any]]


def ingested(paths: Sequence[str], settings: Settings, at: Path) -> Engine:
    """A database of these files."""
    engine = open_database(f"sqlite:///{at}")
    ingest(engine, paths, workers=2, settings=settings)
    return engine


def stored_rows(engine: Engine, to: Path) -> dict[str, Rows]:
    """The rows of each public view. to: a folder for exports."""
    found = {}
    for name in PUBLIC:
        path = to / f"{name}.parquet"
        export(engine, path, Selection(name))
        found[name] = _sorted(name, pq.read_table(path).to_pylist())
    return found


def made_rows(folder: Path) -> dict[str, Rows]:
    """The rows of each public table of a backfill."""
    return {
        name: _sorted(
            name,
            [
                row
                for path in sorted((folder / name).glob("*.parquet"))
                for row in pq.read_table(path).to_pylist()
            ],
        )
        for name in PUBLIC
    }


def _sorted(name: str, rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: tuple(row[column] for column in KEYS[name]))
