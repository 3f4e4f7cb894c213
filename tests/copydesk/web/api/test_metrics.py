"""Metrics for Prometheus, with the token like everything else."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from copydesk.web import DeskSettings, make_app
from storage import reader


def test_metrics_say_how_far_the_database_has_come(desk: TestClient, news: Engine) -> None:
    answer = desk.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = dict(re.findall(r"^(copydesk_\S+) (\S+)$", answer.text, re.MULTILINE))
    [run] = reader.runs(news)
    assert float(found["copydesk_articles_total"]) == reader.progress(news).articles > 0
    assert float(found["copydesk_changes_total"]) == reader.last_change(news)
    assert float(found['copydesk_last_run_documents{end="stored"}']) == run.stored
    assert float(found["copydesk_last_run_start_timestamp_seconds"]) == run.started_at.timestamp()
    assert float(found["copydesk_database_up"]) == 1
    assert float(found['copydesk_deliveries{state="dead"}']) == 0
    assert "etag" not in answer.headers


def test_metrics_need_the_token(desk_url: str) -> None:
    settings = DeskSettings(desk_url, token="a token that nobody guesses")
    with TestClient(make_app(settings), base_url="http://127.0.0.1") as client:
        assert client.get("/metrics").status_code == 401
        headers = {"Authorization": f"Bearer {settings.token}"}
        assert client.get("/metrics", headers=headers).status_code == 200
