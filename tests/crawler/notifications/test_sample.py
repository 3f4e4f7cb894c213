"""Samples tell whether a way out works."""

from __future__ import annotations

from crawler.notifications import NotificationSettings, SampleSent, send_samples
from tests.crawler.notifications.conftest import LOOPBACK
from tests.crawler.notifications.hook import Hook


def test_each_way_says_what_happened(hook: Hook) -> None:
    settings = NotificationSettings(reach=LOOPBACK, seconds=60.0)
    way = f"webhook:http://127.0.0.1:{hook.port}/hook"
    done = send_samples(
        "ferries", [way, "feed", "pigeon:coop", "command:false", "mail:a@b.example"], settings
    )
    assert done[:2] == [SampleSent("webhook at 127.0.0.1"), SampleSent("feed", is_sent=False)]
    assert [one.error is not None for one in done[2:]] == [True, True, True]
    assert done[3].error == "exit status 1"
    [(_, message)] = hook.told
    assert (message["data"]["watchlist"], message["data"]["sample"]) == ("ferries", True)
    send_samples("ferries", [way], settings)
    assert len({headers["webhook-id"] for headers, _ in hook.requests}) == 2
