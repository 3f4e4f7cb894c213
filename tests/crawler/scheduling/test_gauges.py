"""The scheduler's own metrics."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from crawler.monitor.metrics import Server
from crawler.scheduling.gauges import Gauges

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class _Unserved(Server):
    """Metrics that no port serves."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()


@pytest.fixture
def server() -> Server:
    return _Unserved()


def _value(server: Server, name: str, **labels: str) -> float | None:
    return server.registry.get_sample_value(f"copydesk_schedule_{name}", labels)


def test_running_crawls_are_counted_when_they_are_read(server: Server) -> None:
    running: list[str] = []
    Gauges(server, running)
    assert _value(server, "crawls_running") == 0
    running += ["gazette", "herald"]
    assert _value(server, "crawls_running") == 2


def test_a_site_has_its_next_time_and_failures_until_it_is_removed(server: Server) -> None:
    gauges = Gauges(server, ())
    gauges.show("gazette", NOON, 3)
    gauges.show("herald", NOON, 0)
    assert _value(server, "next_timestamp_seconds", site="gazette") == NOON.timestamp()
    assert _value(server, "failures", site="gazette") == 3
    gauges.remove("gazette")
    gauges.remove("never shown")
    assert _value(server, "next_timestamp_seconds", site="gazette") is None
    assert _value(server, "failures", site="gazette") is None
    assert _value(server, "failures", site="herald") == 0
