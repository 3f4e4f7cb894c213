"""Deliveries under kills: each notification arrives, and those that arrive twice are known by their id.

COPYDESK_KILLS sets how many processes are killed.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter

from sqlalchemy import Engine

from crawler.notifications.delivery import DeliveryCounts, deliver
from storage.watching import LEASE, OutboxCounts, outbox_counts
from tests import forked
from tests.crawler.crawling import ROOT
from tests.crawler.notifications.hook import Hook
from tests.crawler.notifications.outbox import NOW, put
from tests.crawler.notifications.test_delivery import SETTINGS, hook_way

KILLS = int(os.environ.get("COPYDESK_KILLS", "8"))
PER_KILL = 8

PROGRAM = """
import sys
from datetime import datetime
from crawler.notifications.delivery import deliver
from storage.database import open_database
from tests.crawler.notifications.test_delivery import SETTINGS

deliver(open_database(sys.argv[1]), SETTINGS, datetime.fromisoformat(sys.argv[2]))
"""


def test_every_notification_arrives_whenever_processes_are_killed(
    engine: Engine, database_url: str, hook: Hook
) -> None:
    moments = random.Random(4)
    ids = [f"msg_{number:04}" for number in range(KILLS * PER_KILL)]
    for id in ids:
        put(engine, id, hook_way(hook))
    now, killed = NOW, 0
    for _ in range(KILLS):
        seen = len(hook.requests)
        process = forked.Started([sys.executable, "-c", PROGRAM, database_url, now.isoformat()], cwd=ROOT)
        # Between two of what it sends and stores, wherever that is.
        wanted = seen + moments.randrange(PER_KILL)
        while len(hook.requests) <= wanted and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.02))
        killed += process.poll() is None
        process.kill()
        process.wait()
        now += LEASE
    left = deliver(engine, SETTINGS, now)
    assert (left.failed, left.dead, left.waiting) == (0, 0, 0)
    assert deliver(engine, SETTINGS, now + LEASE) == DeliveryCounts()
    assert outbox_counts(engine) == OutboxCounts(waiting=0, delivered=len(ids), dead=0)
    arrived = Counter(headers["webhook-id"] for headers, _ in hook.requests)
    assert sorted(arrived) == ids
    twice = sum(arrived.values()) - len(ids)
    print(f"{killed} of {KILLS} processes killed, {len(ids)} notifications, {twice} sent twice")
    assert killed > KILLS // 2
    # One is under way at a time, because there is one receiver.
    assert twice <= killed
