"""Metrics for Prometheus of a database and of a running crawl. They are served only on request."""

from __future__ import annotations

import logging
import socket
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest
from prometheus_client.parser import text_string_to_metric_families
from scrapy.utils.test import get_crawler
from sqlalchemy import Engine

from crawler.monitor import metrics
from pipeline.errors import OperatorError
from storage.database import open_database
from storage.watching import claim, delivered, failed
from tests import forked
from tests.crawler.crawling import ROOT, Desk
from tests.crawler.notifications.outbox import put
from tests.crawler.web import Page, article, rss, serve
from tests.storage.past import remember
from tests.waiting import PATIENCE, wait_until

NOW = datetime.now(UTC).replace(microsecond=0)

Samples = dict[tuple[str, tuple[str, ...]], float]


def scrape(port: int, host: str = "127.0.0.1") -> Samples:
    """The samples that are served, by name and the values of their labels, the site's first."""
    with build_opener(ProxyHandler({})).open(f"http://{host}:{port}/metrics", timeout=PATIENCE) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            (sample.name, tuple(v for _, v in sorted(sample.labels.items(), key=_site_first))): sample.value
            for family in families
            for sample in family.samples
        }


def _site_first(label: tuple[str, str]) -> bool:
    return label[0] != "site"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_deliveries_that_wait_and_that_were_given_up_are_counted(engine: Engine) -> None:
    for number in range(4):
        put(engine, f"n{number}", "webhook:$HOOK")
    first, second, third, _ = claim(engine, NOW, 4)
    delivered(engine, [first], NOW)
    failed(engine, second, "answered 413", NOW, None)
    failed(engine, third, "answered 410", NOW, None, is_gone=True)
    server = metrics.serve(engine)
    try:
        found = scrape(server.port)
        assert found["copydesk_deliveries", ("waiting",)] == 1
        assert found["copydesk_deliveries", ("dead",)] == 2
    finally:
        server.close()


def test_the_metrics_of_each_site_come_from_the_database(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = timedelta(hours=1)
    alert = {"figure": "words", "was": 400.0, "now": 60.0, "message": "short"}
    remember(engine, NOW - 3 * hour, "gazette", stored=7, sources=1)
    remember(engine, NOW - 2 * hour, "gazette", not_modified=2, alerts=[alert])
    remember(engine, NOW - hour, "gazette", sources_failed=2, ended=None, bytes=123, words=412.5)
    server = metrics.serve(engine)
    try:
        server.gauge("copydesk_jobs_running", "Crawls that go on now").set(2)
        found = scrape(server.port)
        assert found["copydesk_database_up", ()] == 1
        at = {
            name: found[f"copydesk_site_last_{name}_timestamp_seconds", ("gazette",)]
            for name in ("run", "success", "article")
        }
        assert at == {
            "run": (NOW - hour).timestamp(),
            "success": (NOW - 2 * hour).timestamp(),
            "article": (NOW - 3 * hour).timestamp(),
        }
        assert found["copydesk_site_last_run", ("gazette", "bytes")] == 123
        assert found["copydesk_site_last_run", ("gazette", "words")] == 412.5
        assert found["copydesk_site_last_run", ("gazette", "sources_failed")] == 2
        assert found["copydesk_site_alert", ("gazette", "words")] == 1
        assert found["copydesk_jobs_running", ()] == 2

        # The database is not queried again at once.
        remember(engine, NOW, "gazette", stored=1, sources=1, alerts=[])
        assert scrape(server.port) == found
        monkeypatch.setattr(metrics, "FRESH", 0.0)
        found = scrape(server.port)
        assert found["copydesk_site_last_run", ("gazette", "stored")] == 1
        assert not [name for name, _ in found if name == "copydesk_site_alert"]
    finally:
        server.close()
    with pytest.raises(OSError, match="refused"):
        scrape(server.port)


def test_an_unreachable_database_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "FRESH", 0.0)
    path = tmp_path / "copydesk.db"
    server = metrics.serve(f"sqlite:///{path}")
    try:
        deliveries: Samples = {("copydesk_deliveries", (state,)): 0 for state in ("waiting", "dead")}
        assert scrape(server.port) == {("copydesk_database_up", ()): 1, **deliveries}
        with open_database(f"sqlite:///{path}").begin() as connection:
            connection.exec_driver_sql("DROP VIEW site_runs")
            connection.exec_driver_sql("DROP TABLE site_run")
            connection.exec_driver_sql("DROP TABLE rejection")
            connection.exec_driver_sql("DROP TABLE run")
            connection.exec_driver_sql("DROP TABLE delivery")
        assert scrape(server.port) == {("copydesk_database_up", ()): 0}
    finally:
        server.close()


def test_a_running_crawl_shows_its_counters(tmp_path: Path) -> None:
    desk, port = Desk(tmp_path), free_port()
    with serve() as web:
        for number in range(200):
            web.pages[f"/story/{number}"] = Page(article(number))
        web.pages["/rss.xml"] = Page(
            rss([f"{web.base}/story/{n}" for n in range(200)]), "application/rss+xml"
        )
        politeness = {"delay": 0.5, "concurrent_requests": 1}
        site = {"homepage": f"{web.base}/", "feeds": [f"{web.base}/rss.xml"], "politeness": politeness}
        desk.write_sites({"gazette": site})
        process = forked.Started(
            desk.command("-asite=gazette", COPYDESK_METRICS_PORT=str(port)),
            cwd=ROOT,
            env=desk.environment(),
        )
        try:
            found: Samples = {}

            def are_two_fetched() -> bool:
                with suppress(OSError):  # it does not listen yet
                    found.update(scrape(port))
                return found.get(("copydesk_crawl_site", ("gazette", "fetched")), 0) >= 2

            wait_until(are_two_fetched)
            process.terminate()
            _, log = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert found["copydesk_crawl_site", ("gazette", "discovered")] == 200
    assert found["copydesk_crawl", ("downloader/request_count",)] >= 3
    assert abs(found["copydesk_crawl_start_timestamp_seconds", ()] - time.time()) < 600
    assert f"Metrics are served at http://127.0.0.1:{port}/metrics" in log


def test_a_port_in_use_costs_the_metrics_and_not_the_crawl(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OperatorError, match=rf":{port} .*; set COPYDESK_METRICS_PORT to another"):
            metrics.Server(metrics._registry(), "127.0.0.1", port)
        with caplog.at_level(logging.ERROR):
            extension = metrics.Metrics.from_crawler(
                get_crawler(
                    settings_dict={"COPYDESK_METRICS_PORT": port, "COPYDESK_METRICS_HOST": "127.0.0.1"}
                )
            )
    assert extension.server is None
    assert "metrics cannot be served" in caplog.text


def test_metrics_need_a_port_and_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    assert metrics.address_from({}) is metrics.address_from({"COPYDESK_METRICS_PORT": "0"}) is None
    assert metrics.address_from({"COPYDESK_METRICS_PORT": "9410"}) == ("127.0.0.1", 9410)
    asked = {"COPYDESK_METRICS_PORT": 9410, "COPYDESK_METRICS_HOST": "10.0.0.7"}
    assert metrics.address_from(asked) == ("10.0.0.7", 9410)
    for wrong in ("http", "70000", "-1"):
        with pytest.raises(OperatorError, match="COPYDESK_METRICS_PORT"):
            metrics.address_from({"COPYDESK_METRICS_PORT": wrong})
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(OperatorError, match=r"pip install 'copydesk\[metrics\]'"):
        metrics.serve("sqlite:///never-made.db")
    with pytest.raises(OperatorError, match=r"pip install 'copydesk\[metrics\]'"):
        metrics.Metrics.from_crawler(get_crawler(settings_dict=asked))
    assert not Path("never-made.db").exists()
