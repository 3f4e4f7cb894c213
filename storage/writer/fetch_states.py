"""Stores what the crawler's sources were last served with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, insert

from storage import schema
from storage.base import chunks, storable_name
from storage.crawls import Validators, revisits
from storage.database import in_transaction


def put_fetch_state(
    engine: Engine, url: str, *, etag: str | None, last_modified: str | None, fetched_at: datetime
) -> None:
    """Stores the validators of a feed or sitemap, as the server last sent them."""
    put_fetch_states(engine, {url: Validators(etag, last_modified)}, fetched_at)


def put_fetch_states(engine: Engine, states: Mapping[str, Validators], fetched_at: datetime) -> None:
    """Stores when URLs were fetched, each with its validators."""
    if states:
        in_transaction(engine, lambda connection: put_states(connection, states, fetched_at))


def put_states(connection: Connection, states: Mapping[str, Validators], fetched_at: datetime) -> None:
    table = schema.fetch_state
    rows = {
        storable_name(url): {
            "url": storable_name(url),
            "etag": revisits.storable_header(state.etag),
            "last_modified": revisits.storable_header(state.last_modified),
            "fetched_at": fetched_at,
            "children": [[storable_name(child), kind] for child, kind in state.children] or None,
            "read_as": state.read_as,
        }
        for url, state in states.items()
    }
    for part in chunks(sorted(rows)):
        connection.execute(delete(table).where(table.c.url.in_(part)))
        connection.execute(insert(table), [rows[url] for url in part])
