"""Measures how much a desk that is read slows down a crawl that writes.

    python -m benchmarks.desk_and_writer --db URL

The database, which `benchmarks.growth --keep` makes, gets new articles in batches of a crawl. A second
process asks the desk for its pages and lists, one after another with a pause between them, during every other
block of batches. Given is the cost of an article in both kinds of blocks and the ratio, with the least and
the greatest of single rounds. Where others want the cores of the machine as well, the clock measures that,
and processor time what the database itself does more. Waiting for a lock would show by the clock alone.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

from benchmarks.growth import CRAWL_BATCH, SETTINGS, News
from benchmarks.write_costs import Cost, cost
from pipeline.document import Article
from storage.database import open_database
from storage.writer import start_run, write_batch

# Batches of a block, and seconds between two pages.
BATCHES = 15
PAUSE = 0.2


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--db", required=True)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--pause", type=float, default=PAUSE)
    options = parser.parse_args(arguments)
    rounds = measure(options.db, options.rounds, options.pause)
    print("|  | desk read | not read | ratio | least | greatest |\n|---|---|---|---|---|---|")
    for name, of in (("processor time, ms", "cpu_ms"), ("clock, ms", "wall_ms"), ("log, KB", "written_kb")):
        pairs = [(getattr(read, of), getattr(alone, of)) for read, alone in rounds]
        read, alone = (statistics.mean(values) for values in zip(*pairs, strict=True))
        ratios = [one / other for one, other in pairs]
        figures = read, alone, read / alone, min(ratios), max(ratios)
        print(f"| {name} | {' | '.join(f'{figure:.3f}' for figure in figures)} |")


def measure(url: str, rounds: int, pause: float) -> list[tuple[Cost, Cost]]:
    """The cost of an article while the desk is read, and while it is not, of each round."""
    context = multiprocessing.get_context("spawn")
    is_read, pages = context.Event(), context.Value("q", 0)
    reader = context.Process(target=_read, args=(url, is_read, pages, pause), daemon=True)
    reader.start()
    engine = open_database(url)
    run = start_run(engine, "desk and writer", datetime.now(UTC))
    articles = new_articles()

    def block() -> Cost:
        spent = Cost()
        for _ in range(BATCHES):
            batch = list(islice(articles, CRAWL_BATCH))
            spent += cost(engine, partial(write_batch, engine, run, batch, SETTINGS))
        return spent / (BATCHES * CRAWL_BATCH)

    block()
    found = []
    for number in range(rounds):
        costs = {}
        for reads in (True, False) if number % 2 else (False, True):
            (is_read.set if reads else is_read.clear)()
            costs[reads] = block()
        found.append((costs[True], costs[False]))
    print(f"{pages.value} pages were read", flush=True)
    reader.terminate()
    engine.dispose()
    return found


def new_articles() -> Iterator[Article]:
    """Articles at addresses that no database of `benchmarks.growth` has."""
    here = f".example/{time.time_ns()}/"
    for article in News(time.time_ns() % 1000 + 2).articles():
        url = article.url.replace(".example/", here, 1)
        assert article.page is not None
        yield replace(article, url=url, location=url, page=replace(article.page, url=url))


def _read(url: str, is_read: Any, pages: Any, pause: float) -> None:
    from fastapi.testclient import TestClient

    from benchmarks.desk import addresses
    from copydesk.web import DeskSettings, make_app

    app = make_app(DeskSettings(url))
    asked = addresses(app.state.engine)
    with TestClient(app, base_url="http://127.0.0.1:8017") as desk:
        while True:
            for address in asked:
                is_read.wait()
                desk.get(address)
                pages.value += 1
                time.sleep(pause)


if __name__ == "__main__":
    main()
