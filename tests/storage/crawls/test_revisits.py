"""Revisits of young articles, and articles that are gone from their site."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from pipeline.document import Claims, Origin, Outcome, Reason, Rejection, Stage
from storage import reader, schema, writer
from storage.base.keys import storable_name
from storage.crawls import revisits
from storage.crawls.revisits import DueRevisit, Validators, Visit, VisitsAndStates
from storage.schema import to_second
from storage.upkeep import (
    ForgetTarget,
    check_integrity,
    forget_targets,
    plan_prune,
    prune_pages,
    repair_faults,
)
from tests.storage.news import SETTINGS, START, article, page, rejection, store, story

HOURS = (1.0, 3.0, 12.0, 48.0)
URL = "https://gazette.example/1"


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def visit(at: datetime, location: str = URL, site: str = "gazette", **fields: Any) -> Visit:
    return Visit(location, site, at, **{"hours": HOURS, **fields})


def write(engine: Engine, outcomes: list[Outcome], *visits: Visit) -> None:
    run = writer.start_run(engine, "scrapy crawl news", START)
    writer.write_batch(engine, run, outcomes, SETTINGS, beside=VisitsAndStates(START, visits))


def gone(at: datetime, location: str = URL) -> Rejection:
    """The outcome of a request that is answered with 404."""
    made = rejection(location, at, stage=Stage.SOURCE, reason=Reason.ERROR_PAGE, detail="HTTP 404", page=None)
    return replace(made, is_gone=True)


def due(engine: Engine, at: datetime, site: str = "gazette") -> list[str]:
    return [one.location for one in revisits.due(engine, site, at, 100)]


def due_at(engine: Engine) -> datetime | None:
    with engine.connect() as connection:
        return connection.scalar(select(schema.revisit.c.due_at))


def gone_at(engine: Engine, url: str = URL) -> datetime | None:
    found = reader.article_by_url(engine, url)
    assert found is not None
    return found.gone_at


def test_an_article_is_due_on_a_widening_schedule(engine: Engine) -> None:
    write(engine, [article(URL, story(1))], visit(START, etag='"1"', last_modified="Sun, 01 Mar 2026"))
    assert due(engine, after(0.99)) == []
    assert due(engine, after(1)) == due(engine, after(1000)) == [URL]
    assert due(engine, after(1), "observer") == []

    asked = []
    for at in (1.1, 3.0, 13.0, 50.0):
        (found,) = revisits.due(engine, "gazette", after(at), 100)
        asked.append((found.etag, found.last_modified))
        write(engine, [], visit(after(at), etag=f'"{at}"'))
        assert due(engine, after(at)) == []
    assert asked == [('"1"', "Sun, 01 Mar 2026"), ('"1.1"', None), ('"3.0"', None), ('"13.0"', None)]
    assert due_at(engine) is None, "there is no fifth time"


def test_missed_revisits_are_skipped(engine: Engine) -> None:
    write(engine, [article(URL, story(1))], visit(START))
    write(engine, [], visit(after(11)))
    assert due_at(engine) == to_second(START) + timedelta(hours=12)
    write(engine, [], visit(after(500)))
    assert due_at(engine) is None


def test_an_article_that_was_first_seen_long_ago_is_not_revisited(engine: Engine) -> None:
    store(engine, [article(URL, story(1))])
    assert due(engine, after(1000)) == [], "it came out of a file"
    write(engine, [article(URL, story(2), after(100))], visit(after(100)))
    assert due(engine, after(1000)) == []
    write(engine, [article(f"{URL}/2", story(3))], visit(START, f"{URL}/2", hours=()))
    assert due(engine, after(1000)) == []


def test_revisits_that_are_longest_overdue_come_first_up_to_the_limit(engine: Engine) -> None:
    urls = [f"{URL}{n}" for n in range(5)]
    made = [article(url, story(n), after(-n / 10)) for n, url in enumerate(urls)]
    write(engine, [*made], *(visit(after(-n / 10), url) for n, url in enumerate(urls)))
    found = revisits.due(engine, "gazette", after(2), 3)
    assert [one.location for one in found] == urls[:1:-1]
    revisits.drop(engine, [found[0].article_id])
    assert due(engine, after(2)) == urls[3::-1]


def test_a_revisit_has_the_statements_of_its_source(engine: Engine) -> None:
    claims = Claims(title="Ferry", published_at="Sun, 01 Mar 2026 09:00:00 GMT", authors=("Ada Lind",))
    made = article(URL, story(1), page=page("<p>1", url=URL, origin=Origin.CRAWL, claims=claims))
    write(engine, [made], visit(START))
    (found,) = revisits.due(engine, "gazette", after(1), 100)
    assert found == DueRevisit(1, URL, URL, None, None, claims)

    prune_pages(engine, plan_prune(engine, older_than=after(1)))
    (found,) = revisits.due(engine, "gazette", after(1), 100)
    assert found == DueRevisit(1, URL, URL, None, None, Claims())


def test_a_page_that_fails_is_tried_three_times(engine: Engine) -> None:
    write(engine, [rejection(URL, page=None)], visit(START, has_failed=True))
    assert due_at(engine) is None, "there is no article yet"
    write(engine, [article(URL, story(1), after(0.1))], visit(after(0.1), etag='"1"'))
    first, second = to_second(after(1.1)), to_second(after(3.1))
    for at, expected in ((1.2, first), (1.3, first), (1.4, second), (3.2, second)):
        write(engine, [], visit(after(at), has_failed=True))
        assert due_at(engine) == expected, at
    write(engine, [], visit(after(3.3)))
    write(engine, [], visit(after(12.2), has_failed=True))
    assert due_at(engine) == to_second(after(12.1)), "it is three in a row"


def test_removed_articles_are_not_revisited(engine: Engine) -> None:
    write(engine, [article(URL, story(1))], visit(START))
    what = ForgetTarget(urls=(URL,))
    forget_targets(engine, what, settings=SETTINGS, now=after(1))
    assert due(engine, after(2)) == []
    write(engine, [], visit(after(2)))
    assert due(engine, after(100)) == []


def test_odd_urls_and_headers_are_kept_as_far_as_possible(engine: Engine) -> None:
    odd = "https://gazette.example/\udcff\0"
    write(engine, [article(URL, story(1), location=odd)], visit(START, odd, site="a\0b", etag='"\0\udcff"'))
    (found,) = revisits.due(engine, "a\0b", after(1), 100)
    assert (found.location, found.etag) == (storable_name(odd), '"\ufffd\ufffd"')


def test_further_sources_of_a_source_are_stored_with_it(engine: Engine) -> None:
    children = (("https://gazette.example/a.xml", "sitemap"), ("https://gazette.example/ü\0", "section"))
    served = Validators('"1"', None, children, "rules")
    writer.put_fetch_states(engine, {URL: served}, START)
    state = reader.fetch_state(engine, URL)
    assert state is not None
    assert (state.etag, state.read_as) == ('"1"', "rules")
    assert state.children == tuple((storable_name(url), kind) for url, kind in children)


# --- gone ---------------------------------------------------------------------------------------------


def test_an_article_is_gone_with_its_page_and_comes_back(engine: Engine) -> None:
    write(engine, [article(URL, story(1)), article(f"{URL}/2", story(2))], visit(START))
    before = reader.last_change(engine)
    write(engine, [gone(after(1))], visit(after(1)))
    assert gone_at(engine) == to_second(after(1))
    assert gone_at(engine, f"{URL}/2") is None
    assert [change.article_id for change in reader.changes(engine, before)] == [1]
    assert reader.known_urls(engine, [URL, f"{URL}/2"]) == {f"{URL}/2"}
    assert due(engine, after(3)) == [URL], "it may come back"

    write(engine, [gone(after(3))], visit(after(3)))
    assert gone_at(engine) == to_second(after(1)), "since then"
    before = reader.last_change(engine)
    # The bytes are known, so nothing else of the article changes.
    write(engine, [article(URL, story(1), after(12))], visit(after(12)))
    assert gone_at(engine) is None
    assert [change.article_id for change in reader.changes(engine, before)] == [1]
    assert reader.known_urls(engine, [URL]) == {URL}
    assert list(reader.rejections(engine)) == []


def test_a_text_that_was_fetched_before_the_end_does_not_bring_the_article_back(engine: Engine) -> None:
    write(engine, [article(URL, story(1))])
    write(engine, [gone(after(2))])
    write(engine, [article(URL, story(2), after(1))])
    assert gone_at(engine) == to_second(after(2))
    write(engine, [gone(after(3)), article(URL, story(3), after(4))])
    assert gone_at(engine) is None
    write(engine, [gone(after(3))])
    assert gone_at(engine) is None, "it was there since"


def test_a_page_that_has_moved_is_not_gone(engine: Engine) -> None:
    old, new = "https://gazette.example/go/1", "https://gazette.example/go/2"
    write(engine, [article(URL, story(1), location=old)])
    write(engine, [article(URL, story(1), after(1), location=new)])
    write(engine, [gone(after(2), old)])
    assert gone_at(engine) is None
    write(engine, [gone(after(3), new)])
    assert gone_at(engine) == to_second(after(3))
    assert reader.known_urls(engine, [URL, old, new]) == set()


def test_pages_that_never_gave_an_article_are_not_gone(engine: Engine) -> None:
    write(engine, [gone(START)])
    (found,) = reader.rejections(engine)
    assert (found.location, found.detail) == (URL, "HTTP 404")
    assert reader.counts(engine).articles == 0


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_check_finds_articles_that_are_gone_before_they_were_fetched(engine: Engine, shift: int) -> None:
    write(engine, [article(URL, story(1)), article(f"{URL}/2", story(2))])
    write(engine, [gone(after(2))])
    assert [finding.check for finding in check_integrity(engine) if finding.count] == []
    with engine.begin() as connection:
        table = schema.article
        connection.execute(table.update().where(table.c.id == 1).values(gone_at=after(shift)))
    found = check_integrity(engine, only=["gone articles"])
    assert [finding.count for finding in found] == [1 if shift < 0 else 0]
    assert [finding.count for finding in repair_faults(engine, found)] == [0]
    with engine.connect() as connection:
        left = connection.scalar(select(func.count()).select_from(table).where(table.c.gone_at.is_not(None)))
    assert left == (0 if shift < 0 else 1)
