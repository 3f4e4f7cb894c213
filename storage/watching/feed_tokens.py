"""Tokens that read feeds, and nothing else: made, listed, revoked and recognised.

A token stands in the address of a feed, because feed readers send no headers. So it is its own secret, which
can be revoked without any other, and only its digest is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from pipeline.errors import OperatorError
from storage import schema
from storage.base import storable_text
from storage.database import in_transaction

_LONGEST_NAME = 200
# So that programs that look for secrets in public files recognise one.
_PREFIX = "cdfeed_"
_BYTES = 24


@dataclass(frozen=True, slots=True)
class FeedToken:
    """A token as it is stored, without itself. last_used_at: to the hour; None if it was not used."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def add_feed_token(engine: Engine, name: str, now: datetime) -> tuple[FeedToken, str]:
    """Makes a token; returns it with its secret, which is stored nowhere.

    name: says who uses it. The name of a revoked token is free. Raises OperatorError for a name that another
    one has, or that is empty or too long.
    """
    named = " ".join(storable_text(name).split())
    if not named or len(named) > _LONGEST_NAME:
        raise OperatorError(f"the name of a token has 1 to {_LONGEST_NAME} characters")
    secret = _PREFIX + secrets.token_urlsafe(_BYTES)
    table = schema.feed_token

    def add(connection: Connection) -> FeedToken:
        found = connection.execute(select(table).where(table.c.name == named)).one_or_none()
        if found is not None and found.revoked_at is None:
            raise OperatorError(
                f"there is a token {named!r} already; revoke it first, or choose another name"
            )
        connection.execute(delete(table).where(table.c.name == named))
        id = int(connection.scalar(select(func.max(table.c.id))) or 0) + 1
        values = {"id": id, "name": named, "digest": _digest(secret), "created_at": now}
        connection.execute(insert(table).values(**values))
        return FeedToken(id, named, schema.to_second(now), None, None)

    return in_transaction(engine, add), secret


def feed_tokens(engine: Engine) -> list[FeedToken]:
    """All tokens, revoked ones too, by name."""
    table = schema.feed_token
    with engine.connect() as connection:
        found = [_token(row) for row in connection.execute(select(table))]
    return sorted(found, key=lambda token: token.name.casefold())


def revoke_feed_token(engine: Engine, name: str, now: datetime) -> FeedToken:
    """Revokes a token, from the next request on. Raises OperatorError if there is none of that name."""
    table = schema.feed_token
    named = " ".join(storable_text(name).split())

    def revoke(connection: Connection) -> FeedToken:
        found = connection.execute(select(table).where(table.c.name == named)).one_or_none()
        if found is None:
            names = connection.execute(select(table.c.name).order_by(table.c.name)).scalars()
            raise OperatorError(f"no token {named!r}; there are: {', '.join(names) or 'none'}")
        if found.revoked_at is None:
            connection.execute(update(table).where(table.c.id == found.id).values(revoked_at=now))
        at = found.revoked_at or schema.to_second(now)
        return FeedToken(found.id, found.name, found.created_at, found.last_used_at, at)

    return in_transaction(engine, revoke)


def find_feed_token(engine: Engine, secret: str) -> FeedToken | None:
    """The token whose secret this is; None if there is none, or if it is revoked.

    Digests are compared, in a time that says nothing about them.
    """
    table, digest = schema.feed_token, _digest(secret)
    found = None
    with engine.connect() as connection:
        for row in connection.execute(select(table).where(table.c.revoked_at.is_(None))):
            if hmac.compare_digest(bytes(row.digest), digest):
                found = _token(row)
    return found


def note_use(engine: Engine, id: int, now: datetime) -> None:
    """Notes that a token was used, to the hour. Raises DatabaseError if nothing can be written."""
    table = schema.feed_token
    hour = now.replace(minute=0, second=0, microsecond=0)

    def note(connection: Connection) -> None:
        connection.execute(update(table).where(table.c.id == id).values(last_used_at=hour))

    in_transaction(engine, note)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _token(row: object) -> FeedToken:
    names = ("id", "name", "created_at", "last_used_at", "revoked_at")
    return FeedToken(*(getattr(row, name) for name in names))
