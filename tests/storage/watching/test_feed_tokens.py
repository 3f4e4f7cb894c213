"""Tokens of feeds: made, recognised and revoked; what is stored of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from pipeline.errors import OperatorError
from storage import schema
from storage.watching import (
    add_feed_token,
    feed_tokens,
    find_feed_token,
    note_use,
    revoke_feed_token,
)
from tests.storage.news import START

HOUR = timedelta(hours=1)


def test_a_token_is_recognised_until_it_is_revoked(engine: Engine) -> None:
    made, secret = add_feed_token(engine, "  reader\tof Ada ", START)
    other, _ = add_feed_token(engine, "Bot", START)
    assert made.name == "reader of Ada"
    assert find_feed_token(engine, secret) == made
    for wrong in ("", secret[:-1], secret + "x", secret.upper(), "\x00", "\ud800", "é"):
        assert find_feed_token(engine, wrong) is None
    note_use(engine, made.id, START + 1.5 * HOUR)
    listed = feed_tokens(engine)
    assert [token.name for token in listed] == ["Bot", "reader of Ada"]
    assert listed[1].last_used_at == (START + HOUR).replace(minute=0, second=0, microsecond=0)
    revoked = revoke_feed_token(engine, "reader of Ada", START + HOUR)
    assert revoked.revoked_at == (START + HOUR).replace(microsecond=0)
    assert find_feed_token(engine, secret) is None
    assert revoke_feed_token(engine, "reader of Ada", START + 2 * HOUR) == revoked
    assert feed_tokens(engine)[0] == other


def test_the_name_of_a_revoked_token_is_free_and_the_old_secret_stays_void(engine: Engine) -> None:
    _, old = add_feed_token(engine, "reader", START)
    with pytest.raises(OperatorError, match="there is a token 'reader' already"):
        add_feed_token(engine, "reader", START)
    revoke_feed_token(engine, "reader", START)
    made, new = add_feed_token(engine, "reader", START)
    assert old != new
    assert find_feed_token(engine, old) is None
    assert find_feed_token(engine, new) == made


def test_only_a_digest_is_stored(engine: Engine) -> None:
    _, secret = add_feed_token(engine, "reader", START)
    with engine.connect() as connection:
        (row,) = connection.execute(select(schema.feed_token))
    assert secret not in repr(row)
    assert len(row.digest) == 32
    assert len(secret) >= 32


@pytest.mark.parametrize("name", ["", " \n", "x" * 201])
def test_a_name_that_is_none_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(OperatorError, match="1 to 200 characters"):
        add_feed_token(engine, name, START)


def test_an_unknown_name_is_said_with_those_that_there_are(engine: Engine) -> None:
    with pytest.raises(OperatorError, match="no token 'x'; there are: none"):
        revoke_feed_token(engine, "x", START)
    add_feed_token(engine, "reader", START)
    with pytest.raises(OperatorError, match="there are: reader"):
        revoke_feed_token(engine, "x", START)
