"""Notifications in the outbox of a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert, select

from storage import schema
from storage.watching import Rule, add_watchlist

# Past, whenever the tests run.
NOW = datetime(2025, 12, 1, 12, 30, tzinfo=UTC)

BODY = {
    "watchlist": "ferries",
    "article": {
        "title": "Fähre läuft vor Port Callan auf",
        "url": "https://gazette.example/ferry?a=1&b=2",
        "site": "gazette.example",
        "published_at": "2026-12-01T12:00:00Z",
        "description": "Siebzehn Menschen wurden verletzt.",
    },
    "outlets": ["gazette.example", "herald.example"],
}


def put(
    engine: Engine,
    id: str,
    way: str,
    *,
    body: dict[str, Any] | None = None,
    kind: str = "story",
    created_at: datetime = NOW,
    watchlist: str = "ferries",
) -> None:
    """A notification of that watchlist, which is made where there is none, to be delivered on one way."""
    named = schema.watchlist
    with engine.connect() as connection:
        owner = connection.scalar(select(named.c.id).where(named.c.name == watchlist))
    if owner is None:
        owner = add_watchlist(engine, Rule(watchlist, "ferry", ways=(way,)), created_at).id
    with engine.begin() as connection:
        connection.execute(
            insert(schema.notification).values(
                id=id,
                watchlist_id=owner,
                kind=kind,
                group_id=None,
                article_id=None,
                created_at=created_at,
                body=BODY if body is None else body,
            )
        )
        connection.execute(
            insert(schema.delivery).values(
                notification_id=id, way=way, state="waiting", attempts=0, due_at=created_at
            )
        )
