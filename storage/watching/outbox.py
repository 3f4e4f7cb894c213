"""The outbox: which notifications are due on which way, and how their delivery ended.

A notification is written with the match that it tells of, in one transaction, so there is exactly one of it.
Who delivers claims it for some minutes; if that process dies, the claim runs out and another delivers it. So
a receiver may get a message twice, and knows it by its id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, exists, func, or_, select, update

from storage import schema
from storage.base import storable_text
from storage.database import in_transaction

# How long a claim holds. A delivery takes at most this time; a longer one may be done twice.
LEASE = timedelta(minutes=5)
_LONGEST_ERROR = 500


class State(StrEnum):
    """WAITING: to be delivered when it is due. DEAD: it failed for good, until `retry` puts it back.

    GONE: dead as well, because the receiver wants no message any more. Until `retry`, nothing else that the
    watchlist sends on this way is tried.
    """

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    GONE = "gone"


_GIVEN_UP = (State.DEAD, State.GONE)


@dataclass(frozen=True, slots=True)
class Due:
    """A notification to be delivered on one way.

    id: random, the same at each attempt. way: as the watchlist has it. kind: story, copy, outlets, correction
    or removal. body: what is sent. attempts: how many failed before. due_at: since when it is due.
    """

    id: str
    watchlist: str
    way: str
    kind: str
    body: dict[str, Any]
    attempts: int
    created_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a notification has come on one way. last_error: of the last attempt, if it failed."""

    due: Due
    state: str
    last_error: str | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """Deliveries by their state. dead: all that were given up."""

    waiting: int
    delivered: int
    dead: int


def claim(engine: Engine, now: datetime, limit: int) -> list[Due]:
    """At most `limit` deliveries that are due, those first that were due first; for LEASE no other has them.

    Those of paused watchlists wait. Each ends with `delivered`, `failed` or `put_off`.
    """
    with engine.connect() as connection:  # no writer waits for a look that finds nothing
        if connection.execute(_due_now(now).limit(1)).first() is None:
            return []

    def take(connection: Connection) -> list[Due]:
        rows = connection.execute(_due_now(now).limit(limit)).all()
        for row in rows:
            connection.execute(
                update(schema.delivery)
                .where(_is(row.notification_id, row.way))
                .values(claimed_until=now + LEASE)
            )
        return [_due(row) for row in rows]

    return in_transaction(engine, take)


def delivered(engine: Engine, dues: Sequence[Due], now: datetime) -> None:
    """Notes that deliveries were made, all or none: those of one mail are not sent again in another one."""
    values = {"state": State.DELIVERED.value, "delivered_at": now, "last_error": None}

    def note(connection: Connection) -> None:
        for due in dues:
            _write_end(connection, due, attempts=due.attempts + 1, **values)

    in_transaction(engine, note)


def failed(
    engine: Engine, due: Due, error: str, now: datetime, due_at: datetime | None, *, is_gone: bool = False
) -> None:
    """Notes that an attempt failed. due_at: when to try again; None to give it up (State.DEAD).

    is_gone: the receiver wants no message any more, so it is given up (State.GONE).
    """
    given_up = State.GONE if is_gone else State.DEAD
    _end(
        engine,
        due,
        state=(given_up if due_at is None else State.WAITING).value,
        attempts=due.attempts + 1,
        due_at=now if due_at is None else due_at,
        last_error=" ".join(storable_text(error).split())[:_LONGEST_ERROR],
    )


def put_off(engine: Engine, due: Due, due_at: datetime) -> None:
    """Gives a claim back without an attempt, to be due at that time."""
    _end(engine, due, due_at=due_at)


def dead_letters(engine: Engine, watchlist: str | None = None) -> list[Delivery]:
    """The deliveries that were given up, the oldest first; of one watchlist, or of all."""
    return deliveries(engine, watchlist, states=_GIVEN_UP)


def ways_gone(engine: Engine) -> frozenset[tuple[str, str]]:
    """Names of watchlists, and their ways whose receivers want no message any more."""
    table, made, named = schema.delivery, schema.notification, schema.watchlist
    query = (
        select(named.c.name, table.c.way)
        .join(made, made.c.id == table.c.notification_id)
        .join(named, named.c.id == made.c.watchlist_id)
        .where(table.c.state == State.GONE.value)
        .distinct()
    )
    with engine.connect() as connection:
        return frozenset((row.name, row.way) for row in connection.execute(query))


def deliveries(
    engine: Engine, watchlist: str | None = None, *, states: Sequence[State] = tuple(State), limit: int = 1000
) -> list[Delivery]:
    """Deliveries by the time when their notification was made, the oldest first."""
    query = _with_notification().where(schema.delivery.c.state.in_([state.value for state in states]))
    if watchlist is not None:
        named = schema.watchlist
        of = select(named.c.id).where(named.c.name == watchlist).scalar_subquery()
        query = query.where(schema.notification.c.watchlist_id == of)
    made = schema.notification.c
    query = query.order_by(made.created_at, made.id, schema.delivery.c.way).limit(limit)
    with engine.connect() as connection:
        return [
            Delivery(_due(row), row.state, row.last_error, row.delivered_at)
            for row in connection.execute(query)
        ]


def retry(engine: Engine, now: datetime, *, watchlist: str | None = None) -> int:
    """Makes dead letters due again, all or those of a watchlist; how many."""
    table = schema.delivery
    chosen: list[ColumnElement[bool]] = [table.c.state.in_(_GIVEN_UP)]
    if watchlist is not None:
        made, named = schema.notification, schema.watchlist
        of = select(made.c.id).join(named, named.c.id == made.c.watchlist_id).where(named.c.name == watchlist)
        chosen.append(table.c.notification_id.in_(of))
    again = update(table).where(*chosen)
    values = {"state": State.WAITING.value, "attempts": 0, "due_at": now, "claimed_until": None}
    return in_transaction(engine, lambda connection: connection.execute(again.values(values)).rowcount)


def outbox_counts(engine: Engine, watchlist: str | None = None) -> OutboxCounts:
    """How many deliveries there are in each state; of one watchlist, or of all."""
    table = schema.delivery
    query = select(table.c.state, func.count()).group_by(table.c.state)
    if watchlist is not None:
        made, named = schema.notification, schema.watchlist
        query = query.join(made, made.c.id == table.c.notification_id)
        query = query.join(named, named.c.id == made.c.watchlist_id).where(named.c.name == watchlist)
    counts = _by_state(engine, query)
    return OutboxCounts(counts[State.WAITING], counts[State.DELIVERED], _given_up(counts))


def undelivered(engine: Engine) -> dict[str, int]:
    """How many deliveries are "waiting" and "dead" (given up). What was delivered is not counted."""
    table = schema.delivery
    states = (State.WAITING, *_GIVEN_UP)
    query = select(table.c.state, func.count()).where(table.c.state.in_(states)).group_by(table.c.state)
    counts = _by_state(engine, query)
    return {State.WAITING.value: counts[State.WAITING], State.DEAD.value: _given_up(counts)}


def _by_state(engine: Engine, query: Any) -> Counter[str]:
    with engine.connect() as connection:
        return Counter({row.state: int(row[1]) for row in connection.execute(query)})


def _given_up(counts: Counter[str]) -> int:
    return sum(counts[state] for state in _GIVEN_UP)


def _with_notification() -> Any:
    """Deliveries with their notifications. The watchlist is looked up for each: no plan begins with it."""
    made, named, table = schema.notification, schema.watchlist, schema.delivery
    name = select(named.c.name).where(named.c.id == made.c.watchlist_id).scalar_subquery()
    return select(table, made.c.kind, made.c.body, made.c.created_at, name.label("watchlist")).join(
        made, made.c.id == table.c.notification_id
    )


def _due_now(now: datetime) -> Any:
    made, named, table = schema.notification, schema.watchlist, schema.delivery
    is_paused = exists().where(named.c.id == made.c.watchlist_id, named.c.is_paused)
    return (
        _with_notification()
        .where(
            table.c.state == State.WAITING.value,
            table.c.due_at <= now,
            or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
            ~is_paused,
        )
        .order_by(table.c.due_at, table.c.notification_id, table.c.way)
    )


def _due(row: Row[Any]) -> Due:
    return Due(
        row.notification_id,
        row.watchlist,
        row.way,
        row.kind,
        row.body,
        row.attempts,
        row.created_at,
        row.due_at,
    )


def _is(id: str, way: str) -> ColumnElement[bool]:
    return and_(schema.delivery.c.notification_id == id, schema.delivery.c.way == way)


def _end(engine: Engine, due: Due, **values: Any) -> None:
    in_transaction(engine, lambda connection: _write_end(connection, due, **values))


def _write_end(connection: Connection, due: Due, **values: Any) -> None:
    """Writes how an attempt ended, unless another process delivered it in the meantime."""
    one = update(schema.delivery).where(_is(due.id, due.way), schema.delivery.c.state == State.WAITING.value)
    connection.execute(one.values(claimed_until=None, **values))
