"""Measures what full-text search costs: writing the index with every article, its size, and queries.

    python -m benchmarks.search --articles 200000 --database sqlite|postgresql --out FOLDER

Three measurements, on the news that `growth` makes:

1. `write_batch` of the same batches of 50 to two databases in turn, one of which has no search index: ms and
   bytes an article, and the ratio.
2. The index alone, batches of 50 to a database of --articles and to one of 10,000: how its cost grows.
3. Queries of that database: median and slowest of several words each, for the first 20 hits.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import Connection, Engine, insert, text

from benchmarks import growth
from pipeline.document import Article, SearchWords
from pipeline.settings import Settings
from storage import reader, schema, search
from storage.database import begin_write
from storage.schema import to_second
from storage.writer import start_run, write_batch

SMALL, BATCH, BATCHES, FILL = 10_000, 50, 60, 1000
SETTINGS = Settings()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=200_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--only", choices=["writing", "growth"], help="only this part; queries belong to growth"
    )
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    with growth.databases(options.database, options.out / f"search-{options.database}") as made:
        if options.only != "growth":
            measure_writing(made)
        if options.only != "writing":
            # Articles without fingerprints, because the index of words does not need them.
            with patch.object(growth, "fingerprint", _nothing):
                measure_growth(made, options.articles)


def measure_writing(made: growth.Databases) -> None:
    """Write the same batches with and without the index, in turn."""
    news = growth.News(1).articles()
    engines = {"with": made.fresh("with"), "without": made.fresh("without")}
    run = {name: start_run(engine, "search", growth.BEGINNING) for name, engine in engines.items()}
    spent: dict[str, list[float]] = {name: [] for name in engines}
    total = 2000 + BATCH * BATCHES
    for n in range(2000 // BATCH + BATCHES):
        batch = list(islice(news, BATCH))
        for name in list(engines)[:: 1 if n % 2 else -1]:
            left_out = nullcontext() if name == "with" else patch.object(search, "put", _nothing)
            with left_out:
                began = time.perf_counter()
                write_batch(engines[name], run[name], batch, SETTINGS)
                spent[name].append((time.perf_counter() - began) * 1000 / BATCH)
    size = {name: _bytes(engine) / total for name, engine in engines.items()}
    ms = {name: statistics.mean(times[2000 // BATCH :]) for name, times in spent.items()}
    for name in engines:
        print(f"{name:>8} index: {ms[name]:6.2f} ms, {size[name]:8.0f} bytes an article", flush=True)
    print(
        f"   ratio: {ms['with'] / ms['without']:.2f} in time, {size['with'] / size['without']:.2f} in size;"
        f" the index {_index_bytes(engines['with']) / total:.0f} bytes an article"
    )
    for engine in engines.values():
        engine.dispose()


def measure_growth(made: growth.Databases, articles: int) -> None:
    """Write the index alone, in a large and a small database in turn; then query the large one."""
    news = growth.News(2)
    stream = news.articles()
    large, small = made.fresh("large"), made.fresh("small")
    number = 0

    def fill(engine: Engine, count: int) -> None:
        nonlocal number
        for _ in range(count // FILL):
            batch = list(islice(stream, FILL))
            with begin_write(engine) as connection:
                _insert(connection, batch, number)
            number += FILL

    began = time.perf_counter()
    fill(small, SMALL)
    fill(large, articles)
    print(f"inserted in {time.perf_counter() - began:.0f} s", flush=True)
    spent: dict[Engine, list[float]] = {large: [], small: []}
    for n in range(BATCHES * 2):
        batch = list(islice(stream, BATCH))
        for engine in (large, small)[:: 1 if n % 2 else -1]:
            with begin_write(engine) as connection:
                _insert(connection, batch, number, with_words=False)
            began = time.perf_counter()
            with begin_write(engine) as connection:
                search.add_to_index(connection, _texts(batch, number))
            spent[engine].append((time.perf_counter() - began) * 1000 / BATCH)
        number += BATCH
    of_large, of_small = statistics.mean(spent[large]), statistics.mean(spent[small])
    print(
        f"{articles:,} articles: {of_large:.3f} ms an article, slowest batch {max(spent[large]) * BATCH:.0f}"
        f" ms; {SMALL:,}: {of_small:.3f} ms, {max(spent[small]) * BATCH:.0f} ms;"
        f" ratio {of_large / of_small:.2f};"
        f" index {_index_bytes(large) / articles:.0f} bytes an article",
        flush=True,
    )
    words = [str(word) for word in news.words]
    for name, queries in {
        "in nearly every article": words[:5],
        "in one of 20": words[100:105],
        "in one of 1,000": words[8000:8005],
        "two of the former": [f"{a} {b}" for a, b in zip(words[100:105], words[200:205], strict=True)],
        "quotation of common words": [f'"{a} {b}"' for a, b in zip(words[:5], words[5:10], strict=True)],
        "beginning": [f"{word[:4]}*" for word in words[100:105]],
        "common, of one site": words[:5],
    }.items():
        where = reader.ArticleFilter(sites=("outlet7.example",) if "site" in name else ())
        times, hits = [], []
        for query in queries:
            began = time.perf_counter()
            hits.append(len(reader.search(large, query, where)))
            times.append((time.perf_counter() - began) * 1000)
        print(f"{name:>28}: median {statistics.median(times):7.1f} ms, slowest {max(times):7.1f} ms", hits)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    large.dispose()
    small.dispose()


def _nothing(*_: object) -> None:
    pass


def _texts(batch: Sequence[Article], number: int) -> list[tuple[int, SearchWords]]:
    return [(number + n, article.search_words) for n, article in enumerate(batch, 1)]


def _insert(
    connection: Connection, batch: Sequence[Article], number: int, *, with_words: bool = True
) -> None:
    """Insert articles directly, with only the columns that search needs."""
    connection.execute(
        insert(schema.article),
        [
            {
                "id": id,
                "url": article.url,
                "site": article.site,
                "group_id": id,
                "is_canonical": True,
                "first_seen_at": to_second(article.page.fetched_at),
                "updated_at": to_second(article.page.fetched_at),
                "revision": 1,
                "text_hash": b"",
                "fetched_us": 0,
                "seen_at": to_second(article.page.fetched_at),
                "location": article.url,
                "title": article.title,
                "authors": [],
                "published_at": article.published_at,
                "language": "en",
                "access": "free",
                "word_count": article.word_count,
                "rules_version": "1",
                "text": article.text,
            }
            for id, article in enumerate(batch, number + 1)
        ],
    )
    if with_words:
        search.add_to_index(connection, _texts(batch, number))


def _bytes(engine: Engine) -> int:
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
        return int(connection.scalar(text("SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1")) or 0)


def _index_bytes(engine: Engine) -> int:
    """The size of both tables."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            relations = "pg_total_relation_size('search_words') + pg_total_relation_size('search_entry')"
            return int(connection.scalar(text(f"SELECT {relations}")) or 0)
        pages = "SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1 AND name LIKE 'search_%'"
        return int(connection.scalar(text(pages)) or 0)


if __name__ == "__main__":
    main()
