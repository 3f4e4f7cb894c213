"""The end of a run never fails because of its notifications."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from crawler.notifications import DeliveryCounts, deliver_after_run
from storage.watching import deliveries
from tests.crawler.notifications.hook import Hook
from tests.crawler.notifications.outbox import put


def test_mistakes_and_faults_are_logged(
    engine: Engine, hook: Hook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(engine, "n1", f"webhook:http://127.0.0.1:{hook.port}/hook")
    monkeypatch.setenv("COPYDESK_NOTIFY_PRIVATE_ADDRESSES", "127.0.0.1")
    monkeypatch.setenv("COPYDESK_DIGEST_HOUR", "25")
    assert deliver_after_run(engine) == DeliveryCounts()
    assert "copydesk watch run does it: COPYDESK_DIGEST_HOUR" in caplog.text
    monkeypatch.delenv("COPYDESK_DIGEST_HOUR")

    def broken(*_: object, **__: object) -> None:
        raise KeyError("hunter2")

    with monkeypatch.context() as patch:
        patch.setattr("crawler.notifications.after_run.deliver", broken)
        assert deliver_after_run(engine) == DeliveryCounts()
    assert "KeyError" in caplog.text
    assert "hunter2" not in caplog.text
    assert [one.due.attempts for one in deliveries(engine)] == [0]
    assert deliver_after_run(engine) == DeliveryCounts(delivered=1)
