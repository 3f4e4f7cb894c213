"""The outbox: what is due is claimed by one process at a time, until it was delivered or given up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from storage import schema, writer
from storage.database import begin_write
from storage.watching import (
    LEASE,
    Due,
    Rule,
    add_watchlist,
    claim,
    dead_letters,
    delivered,
    deliveries,
    edit_watchlist,
    failed,
    match_news,
    outbox,
    outbox_counts,
    put_off,
    remove_watchlist,
    retry,
    undelivered,
    ways_gone,
)
from tests.storage.news import SETTINGS, START, article, story

NOW = START.replace(microsecond=0)
MINUTE = timedelta(minutes=1)
FERRIES = Rule("ferries", "ferry", ways=("mail:a@b.example", "webhook:$HOOK"))


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Two stories of a watchlist with two ways out: four deliveries."""
    add_watchlist(engine, FERRIES, NOW)
    run = writer.start_run(engine, "ingest", NOW)
    made = [article(f"https://{n}.example/1", f"The ferry. {story(n)}", START) for n in (1, 2)]
    writer.write_batch(engine, run, made, SETTINGS)
    match_news(engine, NOW)
    return engine


def test_a_claim_is_one_processes_until_it_runs_out(filled: Engine) -> None:
    first = claim(filled, NOW, 3)
    assert len(first) == 3
    assert {due.watchlist for due in first} == {"ferries"}
    second = claim(filled, NOW + MINUTE, 3)
    assert len(second) == 1
    assert {(due.id, due.way) for due in first}.isdisjoint({(due.id, due.way) for due in second})
    assert claim(filled, NOW + LEASE - timedelta(seconds=1), 9) == []
    again = claim(filled, NOW + LEASE, 9)
    assert sorted(again, key=repr) == sorted(first, key=repr)  # the same bytes and the same id
    assert claim(filled, NOW - MINUTE, 9) == []


def test_what_was_delivered_is_not_due_again(filled: Engine) -> None:
    for due in claim(filled, NOW, 4):
        delivered(filled, [due], NOW + MINUTE)
    assert claim(filled, NOW + timedelta(days=9), 9) == []
    assert outbox_counts(filled).delivered == 4
    (one, *_) = deliveries(filled)
    assert (one.state, one.delivered_at, one.last_error, one.due.attempts) == (
        "delivered",
        NOW + MINUTE,
        None,
        1,
    )


def test_the_deliveries_of_one_mail_are_noted_all_or_none(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    dues = claim(filled, NOW, 4)
    written = outbox._write_end

    def fails_at_the_last(connection: Connection, due: Due, **values: Any) -> None:
        if due == dues[-1]:
            raise RuntimeError("killed")
        written(connection, due, **values)

    monkeypatch.setattr(outbox, "_write_end", fails_at_the_last)
    with pytest.raises(RuntimeError):
        delivered(filled, dues, NOW)
    assert outbox_counts(filled).delivered == 0
    monkeypatch.undo()
    delivered(filled, dues, NOW)
    assert outbox_counts(filled).delivered == 4


def test_a_failure_is_due_later_and_dead_in_the_end(filled: Engine) -> None:
    (due,) = claim(filled, NOW, 1)
    failed(filled, due, "HTTP 500\nfrom\tthe receiver" + 600 * "x", NOW, NOW + 9 * MINUTE)
    assert due.id not in {one.id for one in claim(filled, NOW + MINUTE, 9) if one.way == due.way}
    (again,) = [one for one in claim(filled, NOW + 9 * MINUTE, 9) if (one.id, one.way) == (due.id, due.way)]
    assert again == replace(due, attempts=1, due_at=NOW + 9 * MINUTE)
    failed(filled, again, "HTTP 410", NOW + 9 * MINUTE, None)

    (dead,) = dead_letters(filled)
    assert (dead.due.id, dead.due.way, dead.due.attempts, dead.last_error) == (due.id, due.way, 2, "HTTP 410")
    assert dead_letters(filled, "ferries") == [dead]
    assert dead_letters(filled, "others") == []
    assert not [
        one for one in claim(filled, NOW + timedelta(days=9), 9) if (one.id, one.way) == (due.id, due.way)
    ]


def test_errors_are_one_line(filled: Engine) -> None:
    (due,) = claim(filled, NOW, 1)
    failed(filled, due, "HTTP 500\nfrom\tthe\0receiver " + 600 * "x", NOW, None)
    (dead,) = dead_letters(filled)
    assert dead.last_error is not None
    assert dead.last_error.startswith("HTTP 500 from the")
    assert len(dead.last_error) == 500
    assert "\n" not in dead.last_error


def test_dead_letters_are_put_back(filled: Engine) -> None:
    for due in claim(filled, NOW, 4):
        failed(filled, due, "refused", NOW, None)
    dead = dead_letters(filled)
    assert len(dead) == 4
    assert retry(filled, NOW + MINUTE, watchlist="others") == 0
    assert undelivered(filled) == {"waiting": 0, "dead": 4}
    assert outbox_counts(filled, "others").dead == 0
    assert retry(filled, NOW + MINUTE, watchlist="ferries") == 4
    assert retry(filled, NOW + MINUTE) == 0
    assert {due.attempts for due in claim(filled, NOW + MINUTE, 9)} == {0}


def test_a_receiver_that_wants_no_more_is_known_until_its_letters_are_put_back(filled: Engine) -> None:
    for due in claim(filled, NOW, 4):
        failed(filled, due, "answered 410 Gone", NOW, None, is_gone=due.way == "webhook:$HOOK")
    assert ways_gone(filled) == {("ferries", "webhook:$HOOK")}
    assert len(dead_letters(filled, "ferries")) == 4
    assert outbox_counts(filled).dead == undelivered(filled)["dead"] == 4
    assert retry(filled, NOW + MINUTE) == 4
    assert ways_gone(filled) == frozenset()
    assert undelivered(filled) == {"waiting": 4, "dead": 0}


def test_what_is_put_off_has_no_attempt_more(filled: Engine) -> None:
    (due,) = claim(filled, NOW, 1)
    put_off(filled, due, NOW + MINUTE)
    assert replace(due, due_at=NOW + MINUTE) in claim(filled, NOW + MINUTE, 9)


def test_a_process_that_was_late_ends_nothing_that_was_delivered(filled: Engine) -> None:
    (late,) = claim(filled, NOW, 1)
    (due,) = [one for one in claim(filled, NOW + LEASE, 9) if (one.id, one.way) == (late.id, late.way)]
    delivered(filled, [due], NOW + LEASE)
    failed(filled, late, "timeout", NOW + LEASE, None)
    assert dead_letters(filled) == []
    assert outbox_counts(filled).delivered == 1


def test_a_paused_watchlist_delivers_nothing_and_a_removed_one_has_nothing(filled: Engine) -> None:
    edit_watchlist(filled, "ferries", replace(FERRIES, is_paused=True))
    assert claim(filled, NOW, 9) == []
    edit_watchlist(filled, "ferries", FERRIES)
    assert len(claim(filled, NOW, 9)) == 4
    remove_watchlist(filled, "ferries")
    assert claim(filled, NOW + LEASE, 9) == []
    with filled.connect() as connection:
        for table in (schema.watch_match, schema.notification, schema.delivery):
            assert connection.execute(table.select()).all() == []


def test_what_was_not_delivered_on_a_way_that_is_taken_away_goes_to_the_new_one(filled: Engine) -> None:
    hook, mail = "webhook:$HOOK", "mail:a@b.example"
    (told, later) = [due for due in claim(filled, NOW, 4) if due.way == mail]
    delivered(filled, [told], NOW)
    failed(filled, later, "refused", NOW, NOW + 9 * MINUTE)
    for due in claim(filled, NOW + LEASE, 4):  # the webhook's
        failed(filled, due, "answered 410 Gone", NOW, None, is_gone=True)
    edit_watchlist(filled, "ferries", replace(FERRIES, ways=(hook, "mail:c@d.example")))
    assert sorted((one.due.way, one.state) for one in deliveries(filled)) == [
        (mail, "delivered"),
        ("mail:c@d.example", "waiting"),
        (hook, "gone"),
        (hook, "gone"),
    ]
    # Back again: one story was delivered there already.
    edit_watchlist(filled, "ferries", replace(FERRIES, ways=(mail,)))
    assert ways_gone(filled) == frozenset()
    assert sorted((one.due.id == told.id, one.due.way, one.state) for one in deliveries(filled)) == [
        (False, mail, "waiting"),
        (True, mail, "delivered"),
    ]
    edit_watchlist(filled, "ferries", replace(FERRIES, ways=("feed",)))
    assert [one.due.id for one in deliveries(filled)] == [told.id]


def test_what_was_delivered_long_ago_is_dropped_and_what_was_not_is_kept(filled: Engine) -> None:
    for due in claim(filled, NOW, 4):
        if due.way.startswith("mail") or due.body["article"]["url"] == "https://1.example/1":
            delivered(filled, [due], NOW)
        else:
            failed(filled, due, "refused", NOW, None)
    with begin_write(filled) as connection:  # a change, so that there is something to look at
        connection.execute(schema.article.update().values(site_key="a"))
    match_news(filled, NOW + timedelta(days=29))
    assert len(deliveries(filled)) == 4
    with begin_write(filled) as connection:
        connection.execute(schema.article.update().values(site_key="b"))
    match_news(filled, NOW + timedelta(days=31))
    assert {one.due.body["article"]["url"] for one in deliveries(filled)} == {"https://2.example/1"}
    assert len(dead_letters(filled)) == 1


def test_what_was_given_up_is_dropped_later_and_what_waits_never(filled: Engine) -> None:
    given_up = claim(filled, NOW, 1)[0].id
    for due in claim(filled, NOW + LEASE, 4):
        if due.id == given_up:
            failed(filled, due, "refused", NOW, None)
    for days in (89, 91):
        with begin_write(filled) as connection:
            connection.execute(schema.article.update().values(site_key=str(days)))
        match_news(filled, NOW + timedelta(days=days))
        assert bool(dead_letters(filled)) == (days < 90)
    assert {one.state for one in deliveries(filled)} == {"waiting"}
