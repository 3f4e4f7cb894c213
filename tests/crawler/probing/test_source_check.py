"""Whether a source is fresh, and names articles of the site."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler.discovery import SourceEntry
from crawler.probing.source_check import SourceState, articles_of, check_entries, newest_of
from tests.crawler.probing.gazette import NOW, SITE, STORIES, entry

FEED = f"{SITE.homepage}feed"
TWO_WEEKS = timedelta(days=14)


def _state(*entries: SourceEntry) -> tuple[SourceState, str]:
    check, _ = check_entries(FEED, "feed", SITE, entries, TWO_WEEKS)
    return check.state, check.detail


def test_a_fresh_source_is_counted_and_its_articles_come_newest_first() -> None:
    entries = [entry(1, days=3), entry(2, days=1), SourceEntry("https://elsewhere.example/ad"), entry(3)]
    check, articles = check_entries(FEED, "feed", SITE, entries, TWO_WEEKS)
    assert (check.state, check.detail) == (SourceState.OK, "")
    assert (check.entries, check.articles) == (4, 3)
    assert check.newest == entries[1].at
    assert list(articles) == [entries[1], entries[0], entries[3]]


def test_a_source_without_entries_is_empty() -> None:
    assert _state() == (SourceState.EMPTY, "names nothing")


def test_a_source_of_another_sites_articles_is_empty_and_the_message_names_one() -> None:
    entries = [SourceEntry("https://elsewhere.example/1"), SourceEntry("https://elsewhere.example/2")]
    detail = "no article of the site among 2 entries, e.g. https://elsewhere.example/1"
    assert _state(*entries) == (SourceState.EMPTY, detail)


def test_a_source_is_stale_when_its_newest_entry_is_old() -> None:
    old = entry(1, days=15)
    assert old.at is not None
    assert _state(old, entry(2, days=30)) == (
        SourceState.STALE,
        f"its newest entry is of {old.at:%Y-%m-%d}",
    )
    assert _state(old, entry(2, days=13))[0] is SourceState.OK


def test_a_source_without_dates_is_not_stale() -> None:
    assert _state(entry(1), entry(2)) == (SourceState.OK, "")


def test_a_date_in_the_future_does_not_hide_that_a_source_is_stale() -> None:
    assert _state(entry(1, days=-400), entry(2, days=30))[0] is SourceState.STALE


def test_the_newest_entry_may_be_some_hours_ahead_as_time_zones_are() -> None:
    soon, later = NOW + timedelta(hours=12), NOW + timedelta(days=2)
    assert newest_of([SourceEntry(STORIES + "1", soon), SourceEntry(STORIES + "2", later)]) == soon
    assert newest_of([SourceEntry(STORIES + "1")]) is None
    assert newest_of([]) is None


def test_an_article_that_is_named_twice_counts_once_and_its_first_entry_holds() -> None:
    first = SourceEntry(f"{STORIES}1?utm_source=feed", datetime(2026, 3, 1, tzinfo=UTC))
    again = SourceEntry(f"{STORIES}1", datetime(2026, 3, 2, tzinfo=UTC))
    assert articles_of([first, entry(2), again], SITE) == [first, entry(2)]


@pytest.mark.parametrize("state", SourceState)
def test_a_crawl_gets_articles_from_fresh_and_stale_sources(state: SourceState) -> None:
    assert state.is_usable == (state in ("ok", "stale"))
