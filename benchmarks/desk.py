"""Measures what a page of the desk, or a list of its API, takes beside its own queries alone.

    python -m benchmarks.desk --db URL

`benchmarks.growth --keep` makes a database of any size. Each address is asked for in the process of the
benchmark, without a socket. The queries that it made are then run again, alone, on a connection of the same
engine, and their rows are read; both take turns. Given are medians by the clock. What a page takes beyond its
queries (transport, the state for its ETag, templates) is a constant of some milliseconds, so a ratio says
something only where the queries take as long.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, func, select

from copydesk.web import DeskSettings, make_app
from copydesk.web.cursors import write_cursor
from storage import schema
from storage.base import microseconds
from storage.reader import StoryOrder
from storage.schema import view_tables

ROUNDS = 9
# How many stories stand behind the cursors near the end.
_FROM_END = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """The time of an address and of its queries alone, in seconds."""

    address: str
    status: int
    page: float
    queries: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--db", required=True)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=120.0, help="longest time of a query")
    options = parser.parse_args(arguments)
    print("| address | page, ms | queries alone, ms | ratio |\n|---|---|---|---|")
    for asked in measure(DeskSettings(options.db, seconds=options.seconds), options.rounds):
        ratio = f"{asked.page / asked.queries:.1f}" if asked.status == 200 else f"status {asked.status}"
        page, queries = asked.page * 1000, asked.queries * 1000
        print(f"| `{asked.address}` | {page:.1f} | {queries:.1f} | {ratio} |", flush=True)


def measure(settings: DeskSettings, rounds: int) -> Iterator[Asked]:
    app = make_app(settings)
    engine: Engine = app.state.engine
    made: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        made.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    with TestClient(app, base_url="http://127.0.0.1:8017") as desk:
        for address in addresses(engine):
            made.clear()
            status = desk.get(address).status_code
            queries = [one for one in made if one[0].lstrip().startswith(("SELECT", "WITH"))]
            turns = [
                (_seconds(lambda: desk.get(address)), _seconds(lambda: _run(engine, queries)))  # noqa: B023
                for _ in range(rounds)
            ]
            page, alone = (statistics.median(times) for times in zip(*turns, strict=True))
            yield Asked(address, status, page, alone)


def _run(engine: Engine, queries: Sequence[tuple[str, Any]]) -> None:
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        for statement, values in queries:
            cursor.execute(statement, values)
            cursor.fetchall()
        raw.rollback()
    finally:
        raw.close()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def addresses(engine: Engine) -> list[str]:
    """Pages and lists of the desk; those with cursors at their beginning and near their end."""
    view = view_tables["unique_articles"]
    at = func.coalesce(view.c.published_at, view.c.first_seen_at, type_=view.c.first_seen_at.type)
    with engine.connect() as connection:
        some = select(view.c.id, view.c.group_id, view.c.site, at).order_by(at).limit(_FROM_END)
        *_, (article, story, site, oldest) = connection.execute(some)
        largest = select(schema.article.c.group_id).group_by(schema.article.c.group_id)
        largest = largest.order_by(func.count().desc()).limit(1)
        story_of_many = connection.execute(largest).scalar_one()
    last_stories = write_cursor(StoryOrder.NEWEST.value, 0, microseconds(oldest), story)
    last_articles = write_cursor("articles", 1, microseconds(oldest), article)
    return [
        "/",
        f"/?cursor={last_stories}",
        f"/?site={site}",
        "/?site=nowhere.example",
        "/?agency=Reuters",
        "/?min_sites=3",
        "/?sort=size",
        f"/stories/{story}",
        f"/stories/{story_of_many}",
        f"/articles/{article}",
        f"/articles/{article}/revisions",
        "/search?q=a",
        "/feeds/stories.atom",
        "/feeds/stories.json?min_sites=3",
        "/feeds/search.atom?q=a",
        f"/feeds/sites/{site}.rss",
        "/sites",
        "/copies",
        "/removed",
        "/rejections",
        "/about",
        "/api/v1/stories",
        f"/api/v1/stories?cursor={last_stories}",
        f"/api/v1/stories/{story_of_many}/timeline",
        "/api/v1/articles",
        f"/api/v1/articles?cursor={last_articles}",
        f"/api/v1/articles?site={site}",
        "/api/v1/changes",
        "/api/v1/counts?by=day",
        "/api/v1/counts?by=site",
        "/api/v1/rejections",
        "/api/v1/runs",
    ]


if __name__ == "__main__":
    main()
