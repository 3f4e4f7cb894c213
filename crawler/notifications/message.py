"""What is sent of a notification: the same bytes at each attempt."""

from __future__ import annotations

import json

from storage.schema import utc_text
from storage.watching import Due

# The event types, by the kind of notification.
TYPES = {
    "story": "story.matched",
    "copy": "story.copied",
    "outlets": "story.reached_outlets",
    "correction": "story.corrected",
    "removal": "story.removed",
}


def as_json(due: Due) -> bytes:
    """The payload for webhooks and commands, as the Standard Webhooks specification recommends it.

    `id` is that of the header `webhook-id`, for commands; `timestamp` is when the notification was made.
    """
    payload = {
        "id": due.id,
        "type": TYPES.get(due.kind, f"story.{due.kind}"),
        "timestamp": utc_text(due.created_at),
        "data": due.body,
    }
    return json.dumps(payload, separators=(",", ":")).encode()
