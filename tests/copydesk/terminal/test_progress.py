"""Progress of a run without a terminal, and its summary."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from copydesk.terminal import progress
from pipeline.document import Reason
from storage.upkeep import SiteRulesUse
from storage.writer import BatchCounts
from storage.writing import Lesson


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """The output of the message console, which is not a terminal."""
    stream = io.StringIO()
    console = Console(file=stream, highlight=False, soft_wrap=True, force_terminal=False)
    monkeypatch.setattr(progress, "err", console)
    return stream


def test_a_run_writes_a_line_at_intervals(printed: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))
    with progress.watching("ingest") as run:
        run.total(5000)
        now = 109.0
        run.advance(BatchCounts(seen=900, stored=900))
        assert printed.getvalue() == ""
        now = 110.0
        run.advance(BatchCounts(seen=1200, stored=1000, updated=50, rejected=150))
        run.advance(BatchCounts(seen=1300, stored=1100))
        now = 120.0
        run.advance(BatchCounts(seen=1400, updated=2))
        now = 130.0
        run.advance(BatchCounts(seen=1500))
    assert printed.getvalue().splitlines() == [
        "ingest: 1,200 seen, 1,000 stored, 50 updated, 150 rejected",
        "ingest: 1,400 seen, 2 updated",
        "ingest: 1,500 seen, 0 stored",
    ]


def test_counted_work_writes_how_much_is_done(printed: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))
    with progress.counting("prune", 3000) as (more, is_stopped):
        more(500)
        now = 10.0
        more(700)
        more(1)
        now = 20.0
        more(99)
        assert not is_stopped()
    assert printed.getvalue().splitlines() == ["prune: 1,200 of 3,000", "prune: 1,300 of 3,000"]


def test_the_summary_has_the_most_frequent_reason_first(printed: io.StringIO) -> None:
    reasons = {Reason.TOO_LARGE: 1, Reason.EMPTY: 1, Reason.NO_ARTICLE: 1200}
    progress.print_summary(
        BatchCounts(
            seen=1210, stored=4, revised=1, updated=2, unchanged=1, rejected=1202, grouped=3, reasons=reasons
        )
    )
    assert printed.getvalue().splitlines() == [
        "seen 1,210: stored 4, revised 1, updated 2, unchanged 1, rejected 1,202; 3 joined a group",
        "  rejected, no article: 1,200",
        "  rejected, empty: 1",
        "  rejected, too large: 1",
    ]


def test_only_rules_that_did_not_apply_are_reported(printed: io.StringIO) -> None:
    progress.print_site_rules(
        [
            SiteRulesUse("fits", articles=9, take_ignored=0, foreign=0),
            SiteRulesUse("misses", articles=9, take_ignored=2, foreign=0),
            SiteRulesUse("absent", articles=1, take_ignored=0, foreign=1),
        ]
    )
    misses, absent = printed.getvalue().splitlines()
    assert misses.startswith("misses: on 2 of 9 pages the elements that its rules take held too little text")
    assert absent.startswith("absent: 1 article made by its rules did not change: name the sites file")


def test_at_most_three_sites_with_learned_lines_are_named(printed: io.StringIO) -> None:
    progress.print_lesson(None)
    progress.print_lesson(Lesson(articles=70, learned={}, unlearned={}))
    assert printed.getvalue() == ""
    progress.print_lesson(Lesson(articles=70, learned={"a": 1, "b": 2}, unlearned={"b": 4, "c": 1}))
    progress.print_lesson(Lesson(articles=70, learned=dict.fromkeys("abcd", 1), unlearned={}))
    few, many = printed.getvalue().splitlines()
    assert few.startswith("lines of a, b, c: 3 learned as clutter, 5 no longer clutter (")
    assert many.startswith("lines of a, b, c and other sites: 4 learned as clutter (")


def test_alerts_are_shown_as_they_are_written(printed: io.StringIO) -> None:
    progress.print_alerts([("gazette: [bold] titles", True), ("herald: as usual again", False)])
    assert printed.getvalue().splitlines() == ["gazette: [bold] titles", "herald: as usual again"]
