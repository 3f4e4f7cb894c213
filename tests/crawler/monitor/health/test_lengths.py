"""Articles that become shorter or longer."""

from __future__ import annotations

from datetime import timedelta

from crawler.monitor.health import Alert, Figure, judge
from crawler.monitor.health.lengths import check_words
from storage.schema import SiteRun
from tests.crawler.monitor.health.histories import BREAK, MONDAY, busy, changed, like, run_at


def test_after_a_recovery_the_alerts_end() -> None:
    cut = changed(busy(28), BREAK, lambda run: like(run, words=60.0 if run.stored else None))
    mended = BREAK + timedelta(days=1)
    runs = [
        like(run, words=original.words) if run.started_at >= mended else run
        for run, original in zip(cut, busy(28), strict=True)
    ]
    assert Figure.WORDS in {alert.figure for alert in judge([r for r in runs if r.started_at < mended])}
    assert judge(runs) == ()


def _last_words(words: float, days: int = 20, stored: int = 12) -> Alert | None:
    """The alert of a site whose articles have 400 words, and on the last day that many."""
    runs = [run_at(MONDAY + timedelta(days=day), stored, words=400.0) for day in range(days)]
    return check_words([*runs[:-1], like(runs[-1], words=words)])


def test_much_shorter_and_much_longer_articles_are_reported() -> None:
    for words in (60.0, 3000.0):
        alert = _last_words(words, stored=40)
        assert alert is not None
        assert (alert.figure, alert.was, alert.now) == (Figure.WORDS, 400.0, words)


def test_lengths_that_news_may_have_are_not_reported() -> None:
    for words in (250.0, 400.0, 900.0):
        assert _last_words(words, stored=40) is None


def test_in_a_few_articles_the_same_change_may_be_chance() -> None:
    assert _last_words(150.0, stored=15) is None
    assert _last_words(150.0, stored=100) is not None


def test_lengths_are_not_judged_before_a_week_is_known() -> None:
    assert _last_words(20.0, days=8, stored=40) is None
    assert _last_words(20.0, days=10, stored=40) is not None


def test_a_run_counts_as_many_times_as_it_has_articles() -> None:
    runs: list[SiteRun] = []
    for day in range(20):
        at = MONDAY + timedelta(days=day)
        # A brief of one sentence in a run of its own, and the day's articles in another.
        runs += [run_at(at, 1, words=20.0), run_at(at + timedelta(hours=12), 40, words=400.0)]
    assert check_words(runs) is None
    alert = check_words([*runs[:-1], like(runs[-1], words=50.0)])
    assert alert is not None
    assert (alert.was, alert.now) == (400.0, 50.0)
