"""Runs, rejections and totals."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from pipeline.document import Reason
from storage import reader
from tests.storage.news import article, rejection, store, story, wire


def test_rejections_of_one_run_or_all(engine: Engine) -> None:
    store(engine, [rejection("a"), rejection("b")])
    store(engine, [rejection("c", reason=Reason.EMPTY)])

    assert [row.location for row in reader.rejections(engine)] == ["a", "b", "c"]
    assert [row.reason for row in reader.rejections(engine, run_id=2)] == ["empty"]
    assert [run.id for run in reader.runs(engine)] == [2, 1]
    assert reader.run(engine, 9) is None


def test_counts_of_a_database(engine: Engine) -> None:
    made = wire(12, stories=3)
    revised = article(made[0].url, story(50), made[0].page.fetched_at + timedelta(days=9))
    store(engine, [*made, revised, rejection("a")])

    found = reader.counts(engine)

    assert (found.articles, found.revisions, found.rejections, found.pages) == (12, 1, 1, 14)
    assert found.groups == len(list(reader.groups(engine, min_size=1)))
    assert found.copied_groups == len(list(reader.groups(engine)))
    largest = max(reader.groups(engine), key=lambda group: (group.size, -group.id))
    assert (found.largest_group, found.largest_size) == (largest.id, largest.size)
    assert found.pairs == len(list(reader.rows(engine, "copies")))
    assert found.sites == len({a.site for a in made})
    assert found.removed_lines == 12
    assert found.page_bytes == sum(o.page.size for o in [*made, revised]) + len("<ul>a")
