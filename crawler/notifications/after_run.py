"""Delivers at the end of a run, which it never fails."""

from __future__ import annotations

import logging

from crawler.notifications.delivery import DeliveryCounts, deliver
from crawler.notifications.settings import from_environment
from pipeline.errors import OperatorError
from storage.database import Engine, fault_of

logger = logging.getLogger(__name__)

# A run may end this much later, and by the message that was begun last.
SECONDS = 20.0


def deliver_after_run(engine: Engine) -> DeliveryCounts:
    """Deliver what is due for a short time; what is left waits for the next call. Errors are logged."""
    try:
        return deliver(engine, from_environment(), seconds=SECONDS)
    except OperatorError as error:
        why = str(error)
    except Exception as error:
        # Not the words of any error: the row of a notification may be among them.
        why = fault_of(error) or type(error).__name__
    logger.error("Notifications were not delivered; the next run or copydesk watch run does it: %s", why)
    return DeliveryCounts()
