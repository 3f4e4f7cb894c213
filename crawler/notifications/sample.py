"""Tries the ways out of a watchlist with a sample."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crawler.notifications.delivery import send_now
from crawler.notifications.errors import SendFailed
from crawler.notifications.settings import NotificationSettings
from crawler.notifications.ways import Feed, parse_way, shown_way
from pipeline.errors import OperatorError
from storage.schema import utc_text
from storage.watching import Due


@dataclass(frozen=True, slots=True)
class SampleSent:
    """What happened to a sample. way: without secrets. error: None if it was accepted, or nothing is sent."""

    way: str
    error: str | None = None
    is_sent: bool = True


def send_samples(watchlist: str, ways: Sequence[str], settings: NotificationSettings) -> list[SampleSent]:
    """Send one invented notification by each way out, now; nothing of it is stored, nor tried again.

    Its `data` has `"sample": true`.
    """
    now = datetime.now(UTC)
    body = {
        "watchlist": watchlist,
        "sample": True,
        "story": {"id": 0, "articles": 1, "sites": 1},
        "article": {
            "title": "A sample: the news of this watchlist will look like this",
            "url": "https://gazette.example/sample",
            "site": "gazette.example",
            "published_at": utc_text(now),
            "description": "Sent by copydesk watch test.",
        },
        "outlets": ["gazette.example"],
    }
    done = []
    for text in ways:
        due = Due(f"msg_{secrets.token_hex(16)}", watchlist, text, "story", body, 0, now, now)
        try:
            way = parse_way(text)
        except OperatorError as error:
            done.append(SampleSent("no way out", str(error)))
            continue
        try:
            send_now(way, [due], settings)
        except SendFailed as error:
            done.append(SampleSent(shown_way(way), str(error)))
        else:
            done.append(SampleSent(shown_way(way), is_sent=not isinstance(way, Feed)))
    return done
