"""The text of an alert."""

from __future__ import annotations

from crawler.monitor.health import Alert, Figure, judge
from tests.crawler.monitor.health.histories import BREAK, changed, daily, like


def test_an_alert_has_the_value_before_and_now() -> None:
    runs = changed(daily(27), BREAK, lambda run: like(run, words=61.0))
    (alert,) = judge(runs)
    assert alert == Alert(Figure.WORDS, 400.0, 61.0, "its new articles have 61 words (median), 400 before")
    assert alert.as_json() == {
        "figure": "words",
        "was": 400.0,
        "now": 61.0,
        "message": "its new articles have 61 words (median), 400 before",
    }
