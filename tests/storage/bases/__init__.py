"""Databases of older schemas as SQL text. README.md says how one is added."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
from sqlalchemy import make_url

HERE = Path(__file__).parent
PAGES = (HERE / "first.tar.gz", HERE / "second.tar.gz")
SCHEMAS = sorted(path.name for path in HERE.iterdir() if (path / "sqlite.sql.gz").exists())


def load(url: str, schema: str) -> None:
    """Loads the database of that schema into an empty database."""
    parsed = make_url(url)
    kind = parsed.get_backend_name()
    with gzip.open(HERE / schema / f"{kind}.sql.gz", "rt", encoding="utf-8") as file:
        dump = file.read()
    if kind == "sqlite":
        with closing(sqlite3.connect(parsed.database or "")) as connection:
            connection.executescript(dump)
    else:
        with psycopg.connect(url) as connection:
            connection.execute(dump.encode())
