"""Alerts are new, as before, or over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crawler.monitor.alerts import SiteAlerts, alert_lines, compare_with_last
from crawler.monitor.health import Alert, Figure
from storage.schema import SiteRun
from tests.crawler.monitor.health.histories import run_at


def test_an_alert_is_new_if_the_last_judged_crawl_did_not_have_it() -> None:
    words = Alert(Figure.WORDS, 400.0, 60.0, "short")
    dates = Alert(Figure.WITHOUT_DATE, 0.1, 1.0, "undated")
    at = datetime(2026, 3, 2, tzinfo=UTC)

    def runs(*alerts: list[Alert] | None) -> list[SiteRun]:
        made = [None if found is None else [alert.as_json() for alert in found] for found in alerts]
        return [run_at(at + timedelta(days=n), 5, alerts=found) for n, found in enumerate([*made, None])]

    assert compare_with_last("a", (words,), runs([], None)) == SiteAlerts("a", (words,), ("words",), ())
    assert compare_with_last("a", (words,), runs([words], None)) == SiteAlerts("a", (words,), (), ())
    changed = compare_with_last("a", (dates,), runs([], [words]))
    assert changed == SiteAlerts("a", (dates,), ("without date",), ("words",))
    assert compare_with_last("a", (), runs()) == SiteAlerts("a", (), (), ())
    assert alert_lines([changed]) == [
        ("Site a: without date: undated", True),
        ("Site a: words: as usual again", False),
    ]
