"""Sites, copies, removed lines, rejections, and the database itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from copydesk.web import DeskSettings, make_app
from storage import reader
from storage.crawls import site_runs
from storage.database import open_database
from tests.copydesk.web.conftest import PAGE
from tests.storage.past import remember


def test_rules_are_counted_as_the_view_has_them(desk: TestClient, news: Engine) -> None:
    counted = Counter(row["rule"] for row in reader.rows(news, "removed_text"))
    page = desk.get("/removed", headers=PAGE).text
    shown = re.findall(r'data-rule="([^"]+)".*?<td class="n">([\d,]+)</td>', page)
    assert {rule: int(lines.replace(",", "")) for rule, lines in shown} == counted
    rule, lines = counted.most_common(1)[0]
    of_rule = desk.get("/removed", params={"rule": rule}, headers=PAGE).text
    assert of_rule.count("<tr data-row>") == min(lines, 100)


def test_rejections_are_filtered_by_reason(desk: TestClient, news: Engine) -> None:
    reasons = Counter(one.reason for one in reader.rejections(news))
    assert reasons
    for reason, count in reasons.items():
        page = desk.get("/rejections", params={"reason": reason}, headers=PAGE).text
        assert page.count("<tr data-row>") == min(count, 100)


def test_who_shares_with_whom(desk: TestClient, news: Engine) -> None:
    page = desk.get("/copies?since=9999d", headers=PAGE).text
    sites = re.findall(r'<th scope="row"><bdi>([^<]+)</bdi>', page)
    assert sites == sorted(sites)
    assert "tessaryobserver.example" in sites
    assert "No two outlets" in desk.get("/copies?since=1d", headers=PAGE).text
    assert desk.get("/copies?since=always", headers=PAGE).status_code == 422


def test_about_has_versions_counts_and_the_schema(desk: TestClient, news: Engine) -> None:
    page = desk.get("/about", headers=PAGE).text
    assert f"<dd>{reader.counts(news).articles:,}</dd>" in page
    for name in ("story_groups", "removed_text", "trafilatura", "datasketch"):
        assert name in page


def test_pages_that_are_not_there(desk: TestClient) -> None:
    assert desk.get("/nothing", headers=PAGE).status_code == 404
    assert desk.get("/nothing").json()["status"] == 404
    assert desk.get("/sites/nobody", headers=PAGE).status_code == 404


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A desk over ten crawls of two sites, of which the last one of a site found nothing."""
    url = f"sqlite:///{tmp_path_factory.mktemp('crawled')}/news.db"
    engine = open_database(url)
    now = datetime.now(UTC)
    for day in range(10, 0, -1):
        usual: dict[str, Any] = {"discovered": 40, "fetched": 30, "stored": 30 - day, "sources": 1}
        remember(engine, now - timedelta(days=day), "gazette", **usual)
        remember(engine, now - timedelta(days=day), "herald", **(usual if day > 1 else {"sources_failed": 1}))
    message = "no article was found, 40 are usual"
    site_runs.put_alerts(
        engine, 20, {"herald": [{"figure": "discovered", "was": 40, "now": 0, "message": message}]}
    )
    engine.dispose()
    with TestClient(make_app(DeskSettings(url)), base_url="http://127.0.0.1") as client:
        yield client


def test_sites_have_their_last_crawl_and_their_alerts(crawled: TestClient) -> None:
    page = crawled.get("/sites", headers=PAGE).text
    assert re.findall(r'data-site="(\w+)"', page) == ["gazette", "herald"]
    assert page.count('class="alert"') == 1
    assert "discovered: no article was found, 40 are usual" in page
    assert page.count("<svg") == 2


def test_a_site_has_its_crawls_and_its_usual_figures(crawled: TestClient) -> None:
    page = crawled.get("/sites/herald", headers=PAGE).text
    assert page.count("<tr data-row>") == 10
    assert "no article was found" in page
    assert re.search(r'<td>discovered</td><td class="n">0</td><td class="n">40</td>', page)
