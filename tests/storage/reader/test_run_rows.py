"""Runs, rejections and totals."""

from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta

from sqlalchemy import Engine

from pipeline.document import Reason
from storage import reader, writer
from storage.crawls import site_runs
from storage.crawls.site_runs import SiteCounts, Tally
from tests.storage.news import SETTINGS, START, article, rejection, store, story, wire


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
    assert reader.totals(engine) == reader.Totals(*astuple(found)[:-2])
    assert found.page_bytes == sum(o.page.size for o in [*made, revised]) + len("<ul>a")


def test_totals_of_an_empty_database_and_of_articles_without_a_site(engine: Engine) -> None:
    assert reader.totals(engine) == reader.Totals(0, 0, 0, None, 0, 0, 0, 0, 0, 0, 0)
    store(engine, [article("file:///tmp/1.html", story(1), site=""), article("https://a.example/", story(2))])
    assert reader.totals(engine).sites == 1


def test_runs_go_on_behind_one(engine: Engine) -> None:
    for n in range(4):
        store(engine, [rejection(f"{n}")])
    assert [run.id for run in reader.runs(engine, after=3, limit=1)] == [2]
    assert [run.id for run in reader.runs(engine, after=3)] == [2, 1]


def test_progress_is_of_what_was_ever_stored(engine: Engine) -> None:
    assert reader.progress(engine) == reader.Progress(0, 0, 0)
    store(engine, [article("https://a.example/1", story(1)), article("https://a.example/2", story(2))])
    assert reader.progress(engine) == reader.Progress(2, 2, reader.last_change(engine))


def test_the_state_also_differs_after_a_batch_of_an_earlier_run_and_after_judging(engine: Engine) -> None:
    """A crawl goes on while later commands have ended, and is judged after its end."""
    store(engine, [article("https://a.example/1", story(1))])
    crawl = writer.start_run(engine, "crawl", START)
    tally = Tally()
    site_runs.put_counts(engine, crawl, tally, {"gazette": SiteCounts(bytes=1)})
    store(engine, [article("https://a.example/2", story(2))])
    states = [reader.last_state(engine)]
    writer.write_batch(engine, crawl, [rejection("late.html")], SETTINGS)
    states.append(reader.last_state(engine))
    site_runs.put_counts(engine, crawl, tally, {"gazette": SiteCounts(bytes=2)})
    states.append(reader.last_state(engine))
    site_runs.end(engine, crawl, "finished")
    states.append(reader.last_state(engine))
    site_runs.put_alerts(engine, crawl, {"gazette": []})
    states.append(reader.last_state(engine))
    assert len(set(states)) == len(states)
    assert reader.last_state(engine) == states[-1]
