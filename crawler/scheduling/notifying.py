"""Delivers what is due in the outbox while the scheduler runs: retries, digests, and what a crawl left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from crawler.notifications import DeliveryCounts, deliver, from_environment
from crawler.scheduling.events import log_event
from pipeline.errors import OperatorError
from storage.database import fault_of, open_database


async def notify_regularly(database_url: str, every: float, stopping: asyncio.Event) -> None:
    """Deliver what is due, then wait so many seconds, until the event is set. A failure is logged."""
    while not stopping.is_set():
        try:
            counts = await asyncio.to_thread(_deliver, database_url, stopping.is_set)
        except OperatorError as error:
            log_event("notifications-failed", logging.ERROR, error=error)
        except Exception as error:
            # Not the words of any error: the row of a notification may be among them.
            log_event("notifications-failed", logging.ERROR, error=fault_of(error) or type(error).__name__)
        else:
            if counts.delivered or counts.failed or counts.dead:
                values = {"delivered": counts.delivered, "failed": counts.failed, "dead": counts.dead}
                level = logging.WARNING if counts.failed or counts.dead else logging.INFO
                log_event("notified", level, **values)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every)


def _deliver(database_url: str, stopping: Callable[[], bool]) -> DeliveryCounts:
    engine = open_database(database_url, create=False)
    try:
        return deliver(engine, from_environment(), stopping=stopping)
    finally:
        engine.dispose()
