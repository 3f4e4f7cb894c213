"""When a story was published."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.metadata.dates import date_in_line, parse_date
from tests.pipeline.metadata.pages import FETCHED, ld, read


@pytest.mark.parametrize(
    ("head", "body", "stamp", "source"),
    [
        (
            ld(**{"@type": "NewsArticle", "datePublished": "2026-03-01T23:30:00-05:00"}),
            "",
            "2026-03-02T04:30",
            "json-ld",
        ),
        (
            '<meta property="article:published_time" content="2026-03-01T08:00:00Z">',
            "",
            "2026-03-01T08:00",
            "meta",
        ),
        (
            "",
            '<time itemprop="datePublished" datetime="2026-03-01T09:00+02:00">x</time>',
            "2026-03-01T07:00",
            "time",
        ),
        ("", "", "2026-02-27T00:00", "url"),
    ],
)
def test_date(head: str, body: str, stamp: str, source: str) -> None:
    found = read(head, body, "https://lindenpost.example/2026/02/27/harbour")
    assert found.published_at == datetime.fromisoformat(f"{stamp}:00+00:00")
    assert found.published_source == source


@pytest.mark.parametrize(
    ("stated", "stamp", "offset"),
    [
        ("2026-03-01T23:30:00-05:00", "2026-03-02T04:30", -300),
        ("2026-03-01T10:00:00+0530", "2026-03-01T04:30", 330),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00", 0),
        ("2026-03-01T10:00:00", "2026-03-01T10:00", None),
        ("2026-03-01", "2026-03-01T00:00", None),
        ("Sun, 01 Mar 2026 10:00:00 EST", "2026-03-01T15:00", -300),
        ("Sun Mar 01 2026 10:00:00 GMT+0100 (Central European Standard Time)", "2026-03-01T09:00", 60),
        ("March 1, 2026 10:15 p.m. JST", "2026-03-01T13:15", 540),
        ("2026-03-01T10:00:00+99:00", "2026-03-01T10:00", None),
    ],
)
def test_the_zone_that_a_page_states_is_kept(stated: str, stamp: str, offset: int | None) -> None:
    found = read(f'<meta property="article:published_time" content="{stated}">')
    assert found.published_at == datetime.fromisoformat(f"{stamp}:00+00:00")
    assert found.published_offset == offset


@pytest.mark.parametrize(
    ("stated", "other", "stamp", "offset"),
    [
        ("2026-03-01T09:00:00Z", "2026-03-01T10:00:00+01:00", "2026-03-01T09:00", 60),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:00+01:00", "2026-03-01T09:00", 60),
        ("2026-03-01", "2026-03-01T10:00:00+01:00", "2026-03-01T09:00", 60),
        ("2026-03-01T09:00:00Z", "2026-03-01T11:00:00+01:00", "2026-03-01T09:00", 0),
        ("2026-03-01", "2026-03-02T10:00:00+01:00", "2026-03-01T00:00", None),
    ],
)
def test_statements_of_one_time_complete_each_other(
    stated: str, other: str, stamp: str, offset: int | None
) -> None:
    head = ld(**{"@type": "NewsArticle", "datePublished": stated})
    found = read(f'{head}<meta property="article:published_time" content="{other}">')
    assert found.published_at == datetime.fromisoformat(f"{stamp}:00+00:00")
    assert found.published_offset == offset
    assert found.published_source == "json-ld"


def test_a_time_without_a_zone_may_be_ahead_of_utc() -> None:
    """Ten in the evening in Tokyo is the afternoon in UTC, and the page is fetched a minute later."""
    head = ld(**{"@type": "NewsArticle", "datePublished": "2026-03-04T21:00:00"})
    assert read(head).published_at == FETCHED
    assert read(head.replace("T21:00:00", "T21:00:00Z")).published_at is None


@pytest.mark.parametrize(
    ("body", "day"),
    [
        ("<ul><li><strong>Datum</strong> 01.03.2026</li></ul>", "2026-03-01"),
        ("<div><span>Published</span><span>March 1, 2026</span></div><p>March 3, 2026</p>", "2026-03-01"),
        ("<div>So 01.03.26 | 14:07 Uhr | Von <b>Ida Brandt</b></div>", "2026-03-01"),
        ("<p>It rained.</p><p class='post-date'>1 mars 2026</p>", "2026-03-01"),
        ("<p>It rained.</p><p>Mar 1, 2026</p>", "2026-03-01"),
        ('<script>var page = {"publishedAt": "2026-03-01T10:00:00"}</script>', "2026-03-01"),
        ("<p>© 2026 Linden Post</p>", None),
        ("<script>var a = '1 March 2026'</script>", None),
    ],
)
def test_dates_that_readers_see(body: str, day: str | None) -> None:
    found = read(body=f"<h1>Harbour chain found</h1>{body}").published_at
    assert (found.date().isoformat() if found else None) == day


def test_a_date_line_counts_before_a_caption() -> None:
    lines = ("The harbour as it was on Tuesday, the 24 February 2026",)
    head = "<title>Chain found | Linden Post | 01.03.2026</title>"
    assert read(head, lines=lines).published_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert read(head, lines=(*lines, "28 February 2026")).published_at == datetime(2026, 2, 28, tzinfo=UTC)
    assert read(lines=lines).published_at == datetime(2026, 2, 24, tzinfo=UTC)


def test_a_day_in_json_ld_written_for_readers_counts_after_the_line_by_the_headline() -> None:
    head = ld(**{"@type": "NewsArticle", "datePublished": "Mar 3, 2026"})
    assert read(head, lines=("March 1, 2026",)).published_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert read(head).published_at == datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "url", ["https://lindenpost.example/2026/mar/01/chain", "https://lindenpost.example/A2026030114320005196"]
)
def test_dates_in_addresses(url: str) -> None:
    found = read(url=url)
    assert (found.published_at, found.published_source) == (datetime(2026, 3, 1, tzinfo=UTC), "url")


def test_a_line_that_says_published_counts_before_one_that_says_updated() -> None:
    lines = ("Updated 3 March 2026", "1 March 2026")
    assert read(lines=lines).published_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert read(lines=lines[:1]).published_at == datetime(2026, 3, 3, tzinfo=UTC)


def test_nothing_is_published_after_it_was_fetched() -> None:
    head = ld(**{"@type": "NewsArticle", "datePublished": "2027-01-01T00:00:00Z"})
    found = read(head + '<meta name="date" content="2026-03-02">')
    assert found.published_at == datetime(2026, 3, 2, tzinfo=UTC)
    assert read(head).published_at is None


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("Published 3 March 2026, 10:15", "2026-03-03"),
        ("March 3, 2026", "2026-03-03"),
        ("3. März 2026", "2026-03-03"),
        ("3 de marzo de 2026", "2026-03-03"),
        ("3 марта 2026", "2026-03-03"),
        ("3 березня 2026", "2026-03-03"),
        ("2026年3月3日", "2026-03-03"),
        ("Stand: 03.03.2026 - 08:00 Uhr", "2026-03-03"),
        ("Version 3.3.2026.1 of 14 pages", "2026-03-03"),
        (
            "On 3 March 2026 "
            + "the harbour was closed for the third time this winter, and nobody knew why. " * 2,
            None,
        ),
        ("12 people 2026", None),
    ],
)
def test_dates_in_lines(line: str, day: str | None) -> None:
    assert date_in_line(line) == day


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01 10:00:00", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01T10:00:00+0530", "2026-03-01T04:30:00+00:00"),
        ("Sun, 01 Mar 2026 10:00:00 GMT", "2026-03-01T10:00:00+00:00"),
        ("1772359200", "2026-03-01T10:00:00+00:00"),
        ("2026-03-04T12:03:00Z", "2026-03-04T12:00:00+00:00"),
        ("2026-03-05", None),
        ("2026-13-45", None),
        ("soon", None),
        ("", None),
    ],
)
def test_parse_date(text: str, expected: str | None) -> None:
    found = parse_date(text, FETCHED)
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("head", "body", "stamp", "source"),
    [
        # Elements that do not say what their date is, far from the day in the URL.
        ('<meta name="date" content="2026-03-03T01:00:00Z">', "", "2026-02-27T00:00", "url"),
        ("", '<time datetime="2026-03-03T01:00:00Z">Live</time>', "2026-02-27T00:00", "url"),
        # On that day, they add the time.
        ('<meta name="date" content="2026-02-27T09:00:00Z">', "", "2026-02-27T09:00", "meta"),
        ("", '<time datetime="2026-02-28T01:00:00Z">x</time>', "2026-02-28T01:00", "time"),
        # Elements that say it.
        ('<meta name="pubdate" content="2026-03-03T01:00:00Z">', "", "2026-03-03T01:00", "meta"),
        ("", '<time pubdate datetime="2026-03-03T01:00:00Z">x</time>', "2026-03-03T01:00", "time"),
    ],
)
def test_a_full_date_in_the_url_beats_a_stray_date(head: str, body: str, stamp: str, source: str) -> None:
    for path in ("2026/02/27/harbour", "harbour-2026-02-27", "2026/feb/27/harbour"):
        found = read(head, body, f"https://lindenpost.example/{path}")
        assert (found.published_at, found.published_source) == (
            datetime.fromisoformat(f"{stamp}:00+00:00"),
            source,
        )


def test_figures_in_the_url_that_may_be_a_number_beat_nothing() -> None:
    head = '<meta name="date" content="2026-03-03T01:00:00Z">'
    assert read(head, url="https://lindenpost.example/20260227").published_source == "meta"
