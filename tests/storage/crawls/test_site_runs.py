"""The figures of a crawl's sites, on both databases: written with their batch, and read by health checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from pipeline.document import Outcome, Reason
from storage import writer
from storage.crawls import site_runs
from storage.crawls.site_runs import CrawledBatch, SiteCounts, Tally
from storage.schema import SiteRun
from storage.writer import BatchCounts
from tests.storage.news import SETTINGS, START, article, rejection, story, view
from tests.storage.past import remember


def write(
    engine: Engine,
    run: int,
    tally: Tally,
    batch: Sequence[tuple[str, Outcome]],
    counts: dict[str, SiteCounts],
) -> BatchCounts:
    sites, outcomes = [site for site, _ in batch], [outcome for _, outcome in batch]
    return writer.write_batch(engine, run, outcomes, SETTINGS, CrawledBatch(tally, sites, counts))


def figures(engine: Engine, since: datetime = START) -> dict[str, list[SiteRun]]:
    return site_runs.history(engine, since=since)


def test_batches_add_up_by_site_with_the_median_of_all_of_them(engine: Engine) -> None:
    run, tally = writer.start_run(engine, "scrapy crawl news", START), Tally()
    lengths = (100, 300, 220)
    texts = [
        article(f"https://a.example/{n}", story(n, words), title=f"T{n}") for n, words in enumerate(lengths)
    ]
    bare = article("https://b.example/1", story(9), authors=(), published_at=None)
    byline = article("https://b.example/2", story(10), authors=(), byline="Ada Lind")
    write(engine, run, tally, [("a", texts[0]), ("b", bare), ("a", rejection("https://a.example/x"))], {})
    write(
        engine,
        run,
        tally,
        [("a", texts[1]), ("a", texts[2]), ("b", byline), ("a", texts[0])],
        {"a": SiteCounts(discovered=7, bytes=1000, seconds=1.5), "c": SiteCounts(sources_failed=1)},
    )
    found = {site: rows[0] for site, rows in figures(engine).items()}
    a, b, c = found["a"], found["b"], found["c"]
    assert (a.stored, a.unchanged, a.rejected, a.reasons) == (3, 1, 1, {"no article": 1})
    assert a.words == sorted(one.word_count for one in texts)[1]
    assert (a.discovered, a.bytes, a.seconds, a.without_date, a.without_author) == (7, 1000, 1.5, 0, 0)
    assert (b.stored, b.without_date, b.without_author) == (2, 1, 1)
    assert b.words == (bare.word_count + byline.word_count) / 2
    assert (c.sources_failed, c.words, c.reasons, c.ended, c.alerts) == (1, None, {}, None, None)
    (row,) = view(engine, "runs")
    assert (row["stored"], row["unchanged"], row["rejected"]) == (5, 1, 1)

    # A new text of a known article is a revision, whatever site it is counted for.
    later = article("https://a.example/0", story(50, 90), START + timedelta(hours=1), title="T0")
    next_run = writer.start_run(engine, "scrapy crawl news", START + timedelta(hours=1))
    write(engine, next_run, Tally(), [("a", later)], {})
    assert [(row.run_id, row.revised, row.words) for row in figures(engine)["a"]][-1] == (
        next_run,
        1,
        later.word_count,
    )


def test_a_batch_that_is_not_stored_leaves_no_figures_and_can_be_tried_again(engine: Engine) -> None:
    run, tally = writer.start_run(engine, "scrapy crawl news", START), Tally()
    batch = [("a", article("https://a.example/1", story(1)))]
    with engine.connect() as connection:
        open_ = connection.begin()
        put = tally.put(connection, run, {"a": SiteCounts(discovered=1)}, [("a", (batch[0][1], "stored"))])
        assert put.rows
        open_.rollback()
    assert figures(engine) == {}
    write(engine, run, tally, batch, {"a": SiteCounts(discovered=1)})
    assert [(row.stored, row.discovered) for row in figures(engine)["a"]] == [(1, 1)]


def test_unstorable_and_forgotten_articles_are_counted_by_their_outcome(engine: Engine) -> None:
    run, tally = writer.start_run(engine, "scrapy crawl news", START), Tally()
    broken = article("https://a.example/broken", story(1), word_count=10**40)
    good = [article(f"https://a.example/{n}", story(n + 2)) for n in range(3)]
    counts = write(engine, run, tally, [("a", one) for one in (good[0], broken, *good[1:])], {})
    (row,) = figures(engine)["a"]
    assert counts.reasons == {Reason.STORAGE_ERROR: 1}
    assert (row.stored, row.rejected, row.reasons) == (3, 1, {"storage error": 1})
    assert row.words == sorted(one.word_count for one in good)[1]


def test_counts_after_the_last_batch_are_added_to_its_figures(engine: Engine) -> None:
    run, tally = writer.start_run(engine, "scrapy crawl news", START), Tally()
    write(engine, run, tally, [("a", article("https://a.example/1", story(1)))], {"a": SiteCounts(fetched=1)})
    site_runs.put_counts(engine, run, tally, {"a": SiteCounts(fetched=3, seconds=2.5)})
    site_runs.end(engine, run, "finished")
    alert = {"figure": "words", "was": 1.0, "now": 2.0, "message": "„“"}
    site_runs.put_alerts(engine, run, {"a": [alert]})
    (row,) = figures(engine)["a"]
    assert (row.stored, row.fetched, row.seconds, row.ended, row.alerts) == (1, 3, 2.5, "finished", [alert])
    assert row.started_at == START.replace(microsecond=0)


def test_a_site_may_have_a_name_that_databases_refuse(engine: Engine) -> None:
    run, tally = writer.start_run(engine, "scrapy crawl news", START), Tally()
    site_runs.put_counts(engine, run, tally, {"a\0b": SiteCounts(bytes=1)})
    site_runs.put_counts(engine, run, tally, {"a\0b": SiteCounts(bytes=2)})
    ((_, (row,)),) = figures(engine).items()
    assert row.bytes == 2


def test_a_history_has_the_same_command_and_the_sites_of_the_run(engine: Engine) -> None:
    day = timedelta(days=1)
    for number in range(4):
        remember(engine, START + number * day, "a", stored=number)
        remember(engine, START + number * day, "b", stored=10 + number)
        remember(engine, START + number * day, "a", command="scrapy crawl sections", stored=99)
    last = remember(engine, START + 4 * day, "a", stored=4)
    remember(engine, START + 5 * day, "a", stored=5)

    found = site_runs.history(engine, since=START + 2 * day, job_of=last)
    assert {site: [row.stored for row in rows] for site, rows in found.items()} == {"a": [2, 3, 4]}
    every = site_runs.history(engine, since=START, site="b")
    assert [row.stored for row in every["b"]] == [10, 11, 12, 13]
    assert site_runs.history(engine, since=START + 6 * day) == {}


def test_the_state_of_each_site_is_that_of_its_last_run(engine: Engine) -> None:
    hour = timedelta(hours=1)
    remember(engine, START - 99 * hour, "old", stored=1)
    alert = {"figure": "words", "was": 400.0, "now": 60.0, "message": "short"}
    remember(engine, START, "a", stored=2, sources=1, alerts=[alert])
    remember(engine, START + hour, "a", not_modified=1)
    last = remember(engine, START + 2 * hour, "a", sources_failed=1)
    remember(engine, START + 3 * hour, "b", sources=1, stored=1, ended=None)
    a, b = site_runs.states(engine, since=START)
    at = START.replace(microsecond=0)
    assert (a.last.run_id, a.succeeded_at, a.stored_at) == (last, at + hour, at)
    assert a.alerts == [alert]
    assert (b.last.site, b.succeeded_at, b.stored_at, b.alerts) == ("b", None, at + 3 * hour, ())
    assert site_runs.states(engine, since=START + 4 * hour) == []


def test_a_site_that_was_not_judged_has_no_alerts_in_the_view(engine: Engine) -> None:
    remember(engine, START, "a")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM site_runs WHERE alerts IS NULL")) == 1


def test_many_sites_are_written_in_one_batch(engine: Engine) -> None:
    run, tally = writer.start_run(engine, "scrapy crawl news", START), Tally()
    counts = {f"site{number}": SiteCounts(bytes=number) for number in range(1001)}
    site_runs.put_counts(engine, run, tally, counts)
    counts["site1000"] = replace(counts["site1000"], bytes=5)
    site_runs.put_counts(engine, run, tally, counts)
    found = figures(engine)
    assert (len(found), found["site1000"][0].bytes, found["site999"][0].bytes) == (1001, 5, 999)


def test_the_last_start_of_each_site_is_known_however_its_crawl_ended(engine: Engine) -> None:
    assert site_runs.last_starts(engine) == {}
    for days, sites in ((0, ("a", "b")), (1, ("a",))):
        run = writer.start_run(engine, "scrapy crawl news", START + timedelta(days=days))
        site_runs.put_counts(engine, run, Tally(), {site: SiteCounts(discovered=1) for site in sites})
    second = START.replace(microsecond=0)
    assert site_runs.last_starts(engine) == {"a": second + timedelta(days=1), "b": second}


def test_the_crawls_of_a_site_are_the_latest_first(engine: Engine) -> None:
    for n in range(4):
        run = writer.start_run(engine, "crawl", START + timedelta(days=n))
        counts = {"post" if n == 2 else "gazette": SiteCounts(seconds=1.0)}
        site_runs.put_counts(engine, run, Tally(), counts)
    assert [run.run_id for run in site_runs.runs_of(engine, "gazette", limit=9)] == [4, 2, 1]
    assert [run.run_id for run in site_runs.runs_of(engine, "gazette", after=4, limit=1)] == [2]
    assert site_runs.runs_of(engine, "none", limit=9) == []
