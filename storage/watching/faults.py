"""Finds and mends what cannot be in the tables of watchlists (`copydesk db check`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, delete, exists, select, tuple_

from pipeline.errors import OperatorError
from storage import schema
from storage.base import chunks, counter_value, last_change_number, set_counter
from storage.database import in_transaction
from storage.watching.outbox import State
from storage.watching.watchlists import (
    WATCHED,
    checked,
    stored_watchlists,
)


def find_watch_faults(connection: Connection) -> Iterator[str]:
    """One line for each watchlist that cannot be meant, match of what is gone, and state that is none."""
    for one in stored_watchlists(connection):
        try:
            checked(one.rule)
        except OperatorError as error:
            yield f"watchlist {one.id}: {error}"
    for row in connection.execute(_left_over(connection)):
        yield f"watchlist {row.watchlist_id}: article {row.article_id} matched and is gone"
    if _is_ahead(connection):
        seen = counter_value(connection, WATCHED)
        yield f"watchlists have seen change {seen}, and there is none with that number"
    table = schema.delivery
    unknown = select(table.c.notification_id, table.c.state).where(table.c.state.not_in([*State]))
    for row in connection.execute(unknown):
        yield f"notification {row.notification_id}: a delivery is {row.state!r}"


def mend_watch_faults(engine: Engine) -> int:
    """Drops matches of articles that are gone, and goes on from the last change there is; how many."""

    def work(connection: Connection) -> int:
        table = schema.watch_match
        left = [(row.watchlist_id, row.article_id) for row in connection.execute(_left_over(connection))]
        for part in chunks(left):
            at = tuple_(table.c.watchlist_id, table.c.article_id)
            connection.execute(delete(table).where(at.in_(part)))
        is_ahead = _is_ahead(connection)
        if is_ahead:
            set_counter(connection, WATCHED, last_change_number(connection))
        return len(left) + is_ahead

    return in_transaction(engine, work)


def _left_over(connection: Connection) -> Select[Any]:
    """Matches of articles that are gone; not those of which that is still to be told."""
    match, article, change = schema.watch_match, schema.article, schema.change
    seen = counter_value(connection, WATCHED)
    is_there = exists().where(article.c.id == match.c.article_id)
    is_new = exists().where(
        and_(change.c.article_id == match.c.article_id, change.c.gone, change.c.number > seen)
    )
    return select(match.c.watchlist_id, match.c.article_id).where(~is_there, ~is_new)


def _is_ahead(connection: Connection) -> bool:
    return counter_value(connection, WATCHED) > last_change_number(connection)
