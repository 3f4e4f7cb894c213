"""Delivers what watchlists have to tell.

Due notifications are claimed in batches. Each receiver gets its own one after the other, in a thread, so that
a slow receiver holds up nobody else. How each ended is stored as soon as it is known. A process that dies in
between leaves claims that run out: what it sent without storing that is sent again, with the same id.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crawler.notifications.command import run_command
from crawler.notifications.digests import digest_time
from crawler.notifications.errors import SendFailed
from crawler.notifications.mail import compose
from crawler.notifications.message import as_json
from crawler.notifications.retries import next_attempt
from crawler.notifications.settings import NotificationSettings
from crawler.notifications.smtp import send_mail
from crawler.notifications.ways import Command, Feed, Mail, Way, Webhook, parse_way, shown_way
from crawler.notifications.webhook import post, signed_headers
from pipeline.errors import OperatorError
from storage.database import Engine
from storage.schema import utc_text
from storage.watching import Due, claim, delivered, failed, put_off, ways_gone

logger = logging.getLogger(__name__)

# Seconds after which `deliver` begins no further message; what is left waits for the next call. With the
# longest time of a message it stays below the time that a claim holds.
SECONDS = 60.0
_BATCH = 500
_THREADS = 8
# After so many failures in a row that are the receiver's, the rest of its messages are not tried.
FAILURES = 2
# Notifications in one mail.
IN_A_MAIL = 200


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """What became of deliveries. failed: to be tried again. dead: given up. waiting: due at a later time."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0
    waiting: int = 0

    def __add__(self, other: DeliveryCounts) -> DeliveryCounts:
        return DeliveryCounts(
            self.delivered + other.delivered,
            self.failed + other.failed,
            self.dead + other.dead,
            self.waiting + other.waiting,
        )


@dataclass(frozen=True, slots=True)
class _Message:
    """What is sent at once: one notification, or several in one mail."""

    way: Way
    dues: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class _End:
    """How notifications ended: None if accepted, why they were not, or when they are due instead."""

    dues: tuple[Due, ...]
    outcome: SendFailed | datetime | None


def deliver(
    engine: Engine,
    settings: NotificationSettings,
    now: datetime | None = None,
    *,
    seconds: float = SECONDS,
    stopping: Callable[[], bool] = lambda: False,
) -> DeliveryCounts:
    """Deliver what is due, and store how each delivery ended; failures are logged.

    It begins no message after so many seconds, nor when `stopping` says True. Raises DatabaseError.
    """
    at = now or datetime.now(UTC)
    begun = time.monotonic()
    end = begun + seconds
    counts = DeliveryCounts()
    logged: set[tuple[str, str]] = set()

    def is_over() -> bool:
        return time.monotonic() >= end or stopping()

    def clock() -> datetime:
        """What a receiver asked for counts from its answer, not from the beginning of all."""
        return at + timedelta(seconds=time.monotonic() - begun)

    while not is_over():
        dues = claim(engine, at, _BATCH)
        if not dues:
            break
        gone = ways_gone(engine)
        for ended in _closed(dues, gone):
            counts += _store(engine, ended, clock(), logged)
        wanted = [due for due in dues if (due.watchlist, due.way) not in gone]
        for ended in _deliver_batch(wanted, settings, at, is_over):
            counts += _store(engine, ended, clock(), logged)
    return counts


def send_now(way: Way, dues: Sequence[Due], settings: NotificationSettings) -> None:
    """Send notifications by a way out: one, or by mail several. Raises SendFailed."""
    try:
        if isinstance(way, Webhook):
            for due in dues:
                message = as_json(due)
                headers = signed_headers(settings.secrets, due.id, message, datetime.now(UTC))
                post(way.current_url(), message, headers, reach=settings.reach, seconds=settings.seconds)
        elif isinstance(way, Command):
            if not settings.commands:
                raise SendFailed("commands are not run here (COPYDESK_NOTIFY_COMMANDS=0)", of_receiver=True)
            for due in dues:
                run_command(way.words, as_json(due), settings.seconds, settings.environment)
        elif isinstance(way, Mail):
            if settings.smtp is None:
                raise SendFailed("no mail server is named; set COPYDESK_SMTP_URL", of_receiver=True)
            mail = compose(dues, way.address, settings.smtp.sender)
            send_mail(mail, way.address, settings.smtp, reach=settings.reach, seconds=settings.seconds)
    except OperatorError as error:
        raise SendFailed(str(error), of_receiver=True) from error
    except SendFailed:
        raise
    except Exception as error:
        # Not the message of the error: it could hold the URL of a webhook.
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise SendFailed(f"{type(error).__name__} in {place.name}, line {place.lineno}") from error


def _closed(dues: Sequence[Due], gone: Collection[tuple[str, str]]) -> Iterator[_End]:
    """The ends of those whose receivers want no message any more."""
    why = SendFailed(
        "not sent, because the receiver wants no more since it answered 410 Gone", permanent=True
    )
    for due in dues:
        if (due.watchlist, due.way) in gone:
            yield _End((due,), why)


def _deliver_batch(
    dues: Sequence[Due], settings: NotificationSettings, now: datetime, is_over: Callable[[], bool]
) -> Iterator[_End]:
    """Send them, and yield how each ended, as soon as it did."""
    messages, ends = _messages(dues, settings, now)
    yield from ends
    by_receiver: dict[object, list[_Message]] = defaultdict(list)
    for message in messages:
        # All mail goes to one server.
        by_receiver["mail" if isinstance(message.way, Mail) else message.way].append(message)
    ended: queue.SimpleQueue[_End] = queue.SimpleQueue()
    is_left = threading.Event()
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="notify") as pool:
        try:
            for own in by_receiver.values():
                pool.submit(_send_all, own, settings, now, lambda: is_left.is_set() or is_over(), ended)
            for _ in messages:
                yield ended.get()
        finally:
            is_left.set()  # after an error or Ctrl-C, no thread begins another message


def _messages(
    dues: Sequence[Due], settings: NotificationSettings, now: datetime
) -> tuple[list[_Message], list[_End]]:
    """What is sent now, and how those ended of which nothing is sent."""
    messages: list[_Message] = []
    ends: list[_End] = []
    digests: dict[str, list[Due]] = defaultdict(list)
    for due in dues:
        try:
            way = parse_way(due.way)
        except OperatorError as error:
            ends.append(_End((due,), SendFailed(str(error))))
            continue
        if isinstance(way, Feed):
            ends.append(_End((due,), None))
        elif isinstance(way, Mail) and way.digest is not None:
            at = digest_time(due.created_at, way.digest, settings.digest_hour)
            if at > now:
                ends.append(_End((due,), at))
            else:
                digests[way.address].append(due)
        else:
            messages.append(_Message(way, (due,)))
    for address, of_address in digests.items():
        ordered = sorted(of_address, key=lambda due: (due.created_at, due.id))
        for start in range(0, len(ordered), IN_A_MAIL):
            messages.append(_Message(Mail(address), tuple(ordered[start : start + IN_A_MAIL])))
    return messages, ends


def _send_all(
    messages: Sequence[_Message],
    settings: NotificationSettings,
    now: datetime,
    is_over: Callable[[], bool],
    ended: queue.SimpleQueue[_End],
) -> None:
    """Send the messages of one receiver. Puts an end for each, whatever happens."""
    failures = 0
    last: SendFailed | None = None
    for message in messages:
        if is_over():
            ended.put(_End(message.dues, now))
        elif last is not None and (failures >= FAILURES or last.permanent):
            ended.put(_End(message.dues, last))
        else:
            failure = _try(message, settings)
            is_of_receiver = failure is not None and failure.of_receiver
            failures, last = (failures + 1, failure) if is_of_receiver else (0, None)
            ended.put(_End(message.dues, failure))


def _try(message: _Message, settings: NotificationSettings) -> SendFailed | None:
    try:
        send_now(message.way, message.dues, settings)
    except SendFailed as error:
        return error
    return None


def _store(engine: Engine, ended: _End, now: datetime, logged: set[tuple[str, str]]) -> DeliveryCounts:
    """Store how notifications ended. logged: ways and failures that were logged."""
    if ended.outcome is None:
        delivered(engine, ended.dues, now)
        return DeliveryCounts(delivered=len(ended.dues))
    counts = DeliveryCounts()
    for due in ended.dues:
        if isinstance(ended.outcome, datetime):
            put_off(engine, due, ended.outcome)
            counts += DeliveryCounts(waiting=1)
        else:
            counts += _store_failure(engine, due, ended.outcome, now, logged)
    return counts


def _store_failure(
    engine: Engine, due: Due, failure: SendFailed, now: datetime, logged: set[tuple[str, str]]
) -> DeliveryCounts:
    again = None if failure.permanent else next_attempt(due.attempts + 1, now, failure.retry_after)
    failed(engine, due, str(failure), now, again, is_gone=failure.gone)
    then = f"tried again at {utc_text(again)}" if again else "given up; `copydesk watch retry` sends it again"
    # A receiver that is down fails in the same way for all that waits for it.
    level = logging.DEBUG if (due.way, str(failure)) in logged else logging.WARNING
    logged.add((due.way, str(failure)))
    text = "Notification %s of watchlist %s (%s): %s; %s"
    logger.log(level, text, due.id, due.watchlist, _shown(due), failure, then)
    return DeliveryCounts(failed=1) if again else DeliveryCounts(dead=1)


def _shown(due: Due) -> str:
    try:
        return shown_way(parse_way(due.way))
    except OperatorError:
        return "no way out"
