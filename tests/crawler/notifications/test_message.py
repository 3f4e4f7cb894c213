"""What is sent of a notification."""

from __future__ import annotations

import json

from crawler.notifications.message import TYPES, as_json
from storage.watching import Due
from tests.crawler.notifications.outbox import BODY, NOW


def test_the_payload_is_that_of_standard_webhooks_and_the_same_each_time() -> None:
    for kind, name in TYPES.items():
        due = Due("n1", "ferries", "feed", kind, BODY, 0, NOW, NOW)
        message = as_json(due)
        assert json.loads(message) == {
            "id": "n1",
            "type": name,
            "timestamp": "2025-12-01T12:30:00Z",
            "data": BODY,
        }
        again = Due("n1", "renamed", "mail:a@b.example", kind, BODY, 7, NOW, NOW)
        assert as_json(again) == message
