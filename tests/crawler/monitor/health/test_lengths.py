"""Articles that become shorter or longer."""

from __future__ import annotations

from datetime import timedelta

from crawler.monitor.health import Figure, judge
from tests.crawler.monitor.health.histories import BREAK, busy, changed, like


def test_after_a_recovery_the_alerts_end() -> None:
    cut = changed(busy(28), BREAK, lambda run: like(run, words=60.0 if run.stored else None))
    mended = BREAK + timedelta(days=1)
    runs = [
        like(run, words=original.words) if run.started_at >= mended else run
        for run, original in zip(cut, busy(28), strict=True)
    ]
    assert Figure.WORDS in {alert.figure for alert in judge([r for r in runs if r.started_at < mended])}
    assert judge(runs) == ()
