"""Notifications are delivered at least once, in time, and given up in the end."""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine
from standardwebhooks import Webhook

from crawler.notifications import NotificationSettings, SmtpServer, from_environment
from crawler.notifications.delivery import DeliveryCounts, deliver
from crawler.notifications.retries import DELAYS, JITTER
from storage.watching import (
    LEASE,
    OutboxCounts,
    State,
    dead_letters,
    deliveries,
    outbox_counts,
    retry,
    ways_gone,
)
from tests.crawler.crawling import ROOT
from tests.crawler.notifications.conftest import LOOPBACK
from tests.crawler.notifications.hook import Hook, listening
from tests.crawler.notifications.outbox import BODY, NOW, put
from tests.crawler.notifications.postbox import Postbox, taking_mail

SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
SETTINGS = NotificationSettings(secrets=(SECRET,), reach=LOOPBACK, seconds=60.0)


def hook_way(hook: Hook, path: str = "hook") -> str:
    return f"webhook:http://127.0.0.1:{hook.port}/{path}"


def after(attempts: int) -> datetime:
    """A time at which a notification that failed so often is due again, whatever the jitter.

    A failure is counted from when it was stored, some time after its attempt began.
    """
    return NOW + sum(DELAYS[:attempts], timedelta()) * (1 + JITTER) + attempts * timedelta(minutes=1)


def with_mail(postbox: Postbox) -> NotificationSettings:
    smtp = SmtpServer("smtp+plain", "127.0.0.1", postbox.port, "news@desk.example")
    return replace(SETTINGS, smtp=smtp)


def test_a_notification_is_delivered_once_and_signed(engine: Engine, hook: Hook) -> None:
    put(engine, "n1", hook_way(hook))
    assert deliver(engine, SETTINGS, NOW - timedelta(seconds=1)) == DeliveryCounts()
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(delivered=1)
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts()
    [(headers, body)] = hook.requests
    sent = Webhook(SECRET).verify(body, headers)
    assert (sent["type"], sent["data"]) == ("story.matched", BODY)
    assert headers["webhook-id"] == "n1"


def test_a_failure_is_tried_again_with_the_same_id_and_bytes(engine: Engine, hook: Hook) -> None:
    put(engine, "n1", hook_way(hook))
    hook.statuses = [500, 503, 404]
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(failed=1)
    assert deliver(engine, SETTINGS, NOW + timedelta(seconds=4)) == DeliveryCounts()  # not before its time
    for attempts in (1, 2):
        assert deliver(engine, SETTINGS, after(attempts)) == DeliveryCounts(failed=1)
    assert deliver(engine, SETTINGS, after(3)) == DeliveryCounts(delivered=1)
    assert len(hook.requests) == 4
    assert len({(headers["webhook-id"], body) for headers, body in hook.requests}) == 1
    [delivery] = deliveries(engine)
    assert (delivery.state, delivery.due.attempts, delivery.last_error) == (State.DELIVERED, 4, None)


def test_after_the_last_attempt_it_is_a_dead_letter_that_can_be_sent_again(
    engine: Engine, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    put(engine, "n1", hook_way(hook, "secret-path"))
    hook.status = 500
    for attempts in range(len(DELAYS)):
        assert deliver(engine, SETTINGS, after(attempts)) == DeliveryCounts(failed=1)
    assert deliver(engine, SETTINGS, after(len(DELAYS))) == DeliveryCounts(dead=1)
    assert len(hook.requests) == len(DELAYS) + 1
    [dead] = dead_letters(engine)
    assert dead.last_error == "answered 500 Internal Server Error"
    assert "secret-path" not in caplog.text
    assert "webhook at 127.0.0.1" in caplog.text
    hook.status = 200
    later = after(len(DELAYS)) + timedelta(days=9)
    assert deliver(engine, SETTINGS, later) == DeliveryCounts()
    assert retry(engine, later) == 1
    assert deliver(engine, SETTINGS, later) == DeliveryCounts(delivered=1)
    assert len({(headers["webhook-id"], body) for headers, body in hook.requests}) == 1


def test_a_receiver_that_is_gone_is_asked_once(
    engine: Engine, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(5):
        put(engine, f"n{number}", hook_way(hook))
    hook.status = 410
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(dead=5)
    assert len(hook.requests) == 1
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert {dead.last_error for dead in dead_letters(engine)} == {"answered 410 Gone"}
    assert ways_gone(engine) == {("ferries", hook_way(hook))}

    # It is not asked again, and no other way or watchlist is off.
    put(engine, "n5", hook_way(hook))
    put(engine, "n6", hook_way(hook, "other"))
    put(engine, "n7", hook_way(hook), watchlist="ports")
    hook.status = 200
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(delivered=2, dead=1)
    assert sorted(headers["webhook-id"] for headers, _ in hook.requests[1:]) == ["n6", "n7"]
    assert "answered 410" in str(dead_letters(engine)[-1].last_error)
    assert outbox_counts(engine, "ferries") == OutboxCounts(waiting=0, delivered=1, dead=6)
    assert retry(engine, NOW, watchlist="ferries") == 6
    assert ways_gone(engine) == frozenset()
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(delivered=6)


def test_what_a_receiver_asks_for_counts_from_its_answer(
    engine: Engine, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(engine, "n1", hook_way(hook))
    hook.status, hook.headers = 503, {"Retry-After": "600"}
    begun = time.monotonic()
    passed = iter((begun, *(begun + 30 for _ in range(100))))
    monkeypatch.setattr(
        "crawler.notifications.delivery.time", SimpleNamespace(monotonic=lambda: next(passed))
    )
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(failed=1)
    [waiting] = deliveries(engine)
    assert waiting.due.due_at == NOW + timedelta(seconds=630)


def test_a_message_that_is_refused_for_good_holds_up_no_other(engine: Engine, hook: Hook) -> None:
    for number in range(5):
        put(engine, f"n{number}", hook_way(hook))
    hook.statuses = [413, 413, 413]
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(delivered=2, dead=3)


def test_a_receiver_that_is_down_is_asked_twice_and_waits(engine: Engine, hook: Hook) -> None:
    for number in range(5):
        put(engine, f"n{number}", hook_way(hook))
    hook.status, hook.headers = 503, {"Retry-After": "600"}
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(failed=5)
    assert len(hook.requests) == 2
    assert all(one.due.due_at >= NOW + timedelta(seconds=600) for one in deliveries(engine))
    hook.status = 200
    assert deliver(engine, SETTINGS, NOW + timedelta(seconds=599)) == DeliveryCounts()
    assert deliver(engine, SETTINGS, NOW + timedelta(seconds=700)) == DeliveryCounts(delivered=5)


def test_a_slow_receiver_holds_up_nobody_else(engine: Engine, hook: Hook) -> None:
    with listening() as slow:
        slow.drip = True
        for number in range(3):
            put(engine, f"a{number}", hook_way(slow), created_at=NOW - timedelta(minutes=1))
            put(engine, f"b{number}", hook_way(hook))
        begun = time.monotonic()
        counts = deliver(engine, replace(SETTINGS, seconds=1.0), NOW)
        assert time.monotonic() - begun < 60
    assert counts == DeliveryCounts(delivered=3, failed=3)
    assert len(slow.requests) == 2


def test_no_message_begins_after_the_time_in_all(engine: Engine, hook: Hook) -> None:
    for number in range(5):
        put(engine, f"n{number}", hook_way(hook))

    def stopping() -> bool:
        return len(hook.requests) >= 2

    assert deliver(engine, SETTINGS, NOW, stopping=stopping) == DeliveryCounts(delivered=2, waiting=3)
    assert deliver(engine, SETTINGS, NOW, seconds=0) == DeliveryCounts()
    # They were given back without an attempt.
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(delivered=3)
    assert {one.due.attempts for one in deliveries(engine)} == {1}


def test_a_feed_needs_nothing_and_an_invalid_way_is_a_failure(engine: Engine) -> None:
    put(engine, "n1", "feed")
    put(engine, "n2", "pigeon:coop")
    put(engine, "n3", "webhook:$NO_SUCH_VARIABLE")
    put(engine, "n4", "mail:a@b.example")
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(delivered=1, failed=3)
    errors = {one.due.id: str(one.last_error) for one in deliveries(engine)}
    assert "this is no way out" in errors["n2"]
    assert "$NO_SUCH_VARIABLE: holds no URL" in errors["n3"]
    assert "set COPYDESK_SMTP_URL" in errors["n4"]


def test_a_command_gets_each_notification_in_a_process_of_its_own(engine: Engine, tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = f"import sys, os; open({str(told)!r}, 'a').write(f'{{os.getpid()}} {{sys.stdin.read()}}\\n')"
    script = tmp_path / "tell.py"
    script.write_text(code)
    way = f"command:{sys.executable} {script}"
    put(engine, "n1", way)
    put(engine, "n2", way)
    settings = replace(SETTINGS, commands=False)
    assert deliver(engine, settings, NOW) == DeliveryCounts(failed=2)
    assert "COPYDESK_NOTIFY_COMMANDS" in str(deliveries(engine)[0].last_error)
    assert not told.exists()
    assert deliver(engine, SETTINGS, after(1)) == DeliveryCounts(delivered=2)
    lines = told.read_text().splitlines()
    assert len({line.split()[0] for line in lines}) == 2
    assert [json.loads(line.partition(" ")[2])["id"] for line in lines] == ["n1", "n2"]


def test_a_command_gets_the_variables_of_the_settings_alone(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    monkeypatch.setenv("COPYDESK_TOKEN", "s3cret of the desk")
    monkeypatch.setenv("CHAT_HOOK", "https://chat.example/1")
    monkeypatch.setenv("COPYDESK_COMMAND_ENVIRONMENT", "CHAT_HOOK")
    put(engine, "n1", f"command:sh -c 'env > {told}'")
    assert deliver(engine, from_environment(), NOW) == DeliveryCounts(delivered=1)
    assert "CHAT_HOOK=https://chat.example/1\n" in told.read_text()
    assert "s3cret" not in told.read_text()


def test_private_addresses_are_refused_unless_they_are_allowed(engine: Engine, hook: Hook) -> None:
    put(engine, "n1", hook_way(hook))
    assert deliver(engine, NotificationSettings(), NOW) == DeliveryCounts(failed=1)
    assert "COPYDESK_NOTIFY_PRIVATE_ADDRESSES" in str(deliveries(engine)[0].last_error)
    assert hook.requests == []


def test_mail_goes_at_once_or_in_one_digest_of_an_address(engine: Engine) -> None:
    with taking_mail() as postbox:
        settings = with_mail(postbox)
        put(engine, "n1", "mail:now@desk.example")
        put(engine, "n2", "mail:later@desk.example?digest=hourly")
        put(engine, "n3", "mail:later@desk.example?digest=hourly", watchlist="ports")
        put(engine, "n4", "mail:other@desk.example?digest=hourly")
        assert deliver(engine, settings, NOW) == DeliveryCounts(delivered=1, waiting=3)
        put(
            engine,
            "n5",
            "mail:later@desk.example?digest=hourly",
            created_at=NOW + timedelta(minutes=29),
            body={"article": {"title": "The last of the hour"}},
        )
        assert deliver(engine, settings, NOW + timedelta(minutes=29)) == DeliveryCounts(waiting=1)
        assert deliver(engine, settings, NOW + timedelta(minutes=30)) == DeliveryCounts(delivered=4)
        subjects = {recipient: mail["Subject"] for _, recipient, mail in postbox.taken}
        assert len(postbox.taken) == 3
        assert subjects["now@desk.example"] == "[ferries] Fähre läuft vor Port Callan auf"
        assert subjects["later@desk.example"] == "3 notifications: ferries, ports"
        digest = next(mail for _, recipient, mail in postbox.taken if recipient == "later@desk.example")
        plain = digest.get_body(("plain",))
        assert plain is not None
        text = plain.get_content()
        assert text.index("Fähre") < text.index("The last of the hour")
    assert {one.due.attempts for one in deliveries(engine)} == {1}


def test_a_mail_that_is_sent_again_has_the_same_id(engine: Engine) -> None:
    with taking_mail() as postbox:
        settings = with_mail(postbox)
        put(engine, "n1", "mail:a@desk.example")
        postbox.answer = "451 later"
        assert deliver(engine, settings, NOW) == DeliveryCounts(failed=1)
        postbox.answer = "250 OK"
        assert deliver(engine, settings, after(1)) == DeliveryCounts(delivered=1)
        [(_, _, mail)] = postbox.taken
        assert mail["Message-ID"] == "<n1@desk.example>"
        postbox.refused["b@desk.example"] = "550 no such user"
        put(engine, "n2", "mail:b@desk.example")
        put(engine, "n3", "mail:a@desk.example")
        assert deliver(engine, settings, after(1)) == DeliveryCounts(delivered=1, dead=1)


# Delivers, and stops for ever between sending and storing that it did.
_STOPS = """
import sys, time
from datetime import datetime
from crawler.notifications import delivery
from tests.crawler.notifications.test_delivery import SETTINGS
from storage.database import open_database

def delivered(*arguments):
    print("sent", flush=True)
    time.sleep(600)

delivery.delivered = delivered
delivery.deliver(open_database(sys.argv[1]), SETTINGS, datetime.fromisoformat(sys.argv[2]))
"""


def test_what_a_killed_process_sent_without_storing_it_is_sent_again_with_the_same_id(
    engine: Engine, database_url: str, hook: Hook
) -> None:
    put(engine, "n1", hook_way(hook))
    process = subprocess.Popen(
        [sys.executable, "-c", _STOPS, database_url, NOW.isoformat()],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "sent\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert outbox_counts(engine).waiting == 1
    # Until its claim runs out, it may still be at work.
    assert deliver(engine, SETTINGS, NOW + LEASE - timedelta(seconds=1)) == DeliveryCounts()
    assert deliver(engine, SETTINGS, NOW + LEASE) == DeliveryCounts(delivered=1)
    assert len(hook.requests) == 2
    assert len({(headers["webhook-id"], body) for headers, body in hook.requests}) == 1


def test_a_fault_of_our_own_costs_one_notification_and_shows_no_secret(
    engine: Engine, hook: Hook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    put(engine, "n1", hook_way(hook))

    def broken(*_: object, **__: object) -> None:
        raise ValueError(f"{SECRET} in https://hooks.example/secret")

    monkeypatch.setattr("crawler.notifications.delivery.post", broken)
    assert deliver(engine, SETTINGS, NOW) == DeliveryCounts(failed=1)
    [delivery] = deliveries(engine)
    assert delivery.last_error is not None
    assert delivery.last_error.startswith("ValueError in broken")
    assert "hooks.example" not in caplog.text
