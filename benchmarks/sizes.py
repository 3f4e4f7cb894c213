"""Measures the size of a database on the disk, table by table, in bytes an article.

    python -m benchmarks.sizes DATABASE-URL                      an existing database
    python -m benchmarks.sizes --articles 10000 --out FOLDER     one of invented news, on both databases

Each table is listed with its indexes. The parts of the full-text index count as one. On SQLite the sizes are
those of the pages in use (`dbstat`), on PostgreSQL `pg_table_size` (with TOAST) and `pg_indexes_size`. There
is no vacuum before, so the sizes are those after a crawl. The invented news is that of `growth`, whose pages
are texts with two tags, so in your own database `page` differs most.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, text

from benchmarks.growth import BEGINNING, SETTINGS, News, server
from storage.database import connect, open_database, shown_url
from storage.writer import start_run, write_batch

BATCH = 500


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of a table and of its indexes."""

    table: str
    rows: int
    own: int
    indexes: int


def sizes(engine: Engine) -> list[Size]:
    """The tables of a database, the largest first."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            pages = connection.execute(text("SELECT name, sum(pgsize) AS size FROM dbstat GROUP BY name"))
            used: dict[str, int] = {row.name: row.size for row in pages}
            named = connection.execute(text("SELECT name, tbl_name FROM sqlite_master"))
            of: dict[str, str] = {row.name: row.tbl_name for row in named}
            own: dict[str, int] = defaultdict(int)
            indexes: dict[str, int] = defaultdict(int)
            for name, size in used.items():
                table = of.get(name, "sqlite_schema")
                (own if table in (name, "sqlite_schema") else indexes)[_whole(table)] += size
        else:
            query = """
                SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            """
            own, indexes = {}, {}
            for name, size, of_indexes in connection.execute(text(query)):
                own[name], indexes[name] = size, of_indexes
        rows = {}
        for name in own:
            is_table = name != "sqlite_schema" and not (
                name == "search_words" and engine.dialect.name == "sqlite"
            )
            count = f'SELECT count(*) FROM "{name}"'  # noqa: S608
            rows[name] = connection.scalar(text(count)) if is_table else 0
    found = [Size(name, rows[name], own[name], indexes.get(name, 0)) for name in own]
    return sorted(found, key=lambda size: -(size.own + size.indexes))


def _whole(table: str) -> str:
    return "search_words" if table.startswith("search_words") else table


def show(engine: Engine) -> None:
    """Prints the table as Markdown."""
    found = sizes(engine)
    whole = sum(size.own + size.indexes for size in found)
    articles = max(1, next(size.rows for size in found if size.table == "article"))
    print(f"\n{shown_url(engine)}: {articles:,} articles\n")
    print("| table | rows an article | bytes an article | of them indexes |\n|---|---|---|---|")
    for size in found:
        total = size.own + size.indexes
        if total >= whole / 500:
            print(
                f"| {size.table} | {size.rows / articles:.2f} | {total / articles:,.0f}"
                f" | {size.indexes / articles:,.0f} |"
            )
    total = sum(size.own + size.indexes for size in found)
    print(
        f"| all | | {total / articles:,.0f} | {sum(s.indexes for s in found) / articles:,.0f} |", flush=True
    )


def fill(engine: Engine, articles: int) -> None:
    run = start_run(engine, "sizes", BEGINNING)
    news = News(1).articles()
    words = 0
    for start in range(0, articles, BATCH):
        batch = list(islice(news, min(BATCH, articles - start)))
        words += sum(article.word_count for article in batch)
        write_batch(engine, run, batch, SETTINGS)
    print(f"{words / articles:.0f} words an article", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", nargs="?", help="an existing database")
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--out", type=Path, help="a folder for databases of invented news; they are removed")
    options = parser.parse_args(arguments)
    if (options.url is None) == (options.out is None):
        parser.error("give either the URL of a database, or --out")
    if options.url is not None:
        show(connect(options.url))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=options.out))
    try:
        with server(folder / "server") as made:
            for url in (f"sqlite:///{folder / 'sizes.db'}", made.database("sizes")):
                engine = open_database(url)
                fill(engine, options.articles)
                show(engine)
                engine.dispose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
