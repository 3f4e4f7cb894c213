"""What is due is delivered regularly, whatever happens."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.scheduling.notifying import notify_regularly
from storage.database import open_database
from tests.crawler.notifications.hook import listening
from tests.crawler.notifications.outbox import put


def test_a_database_or_setting_that_fails_is_reported_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "crawler.scheduling")
    monkeypatch.setenv("COPYDESK_NOTIFY_PRIVATE_ADDRESSES", "127.0.0.1")
    monkeypatch.setenv("COPYDESK_DIGEST_HOUR", "25")
    url = f"sqlite:///{tmp_path}/news.db"

    async def until(said: str) -> None:
        async with asyncio.timeout(600):
            while not any(said in message for message in caplog.messages):
                await asyncio.sleep(0.05)

    async def run() -> None:
        stopping = asyncio.Event()
        task = asyncio.create_task(notify_regularly(url, 0.1, stopping))
        await until("notifications-failed error=")  # there is no database yet
        engine = open_database(url)
        put(engine, "n1", f"webhook:http://127.0.0.1:{hook.port}/x", created_at=datetime.now(UTC))
        engine.dispose()
        await until("COPYDESK_DIGEST_HOUR")
        monkeypatch.setenv("COPYDESK_DIGEST_HOUR", "6")
        await until("notified delivered=1 failed=0 dead=0")
        stopping.set()
        await task

    with listening() as hook:
        asyncio.run(run())
    assert len(hook.requests) == 1
