"""Documents that hang or kill workers in tests, as their body says.

Worker processes import this module, each for itself if their fork server has not done so. So it imports
little.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import time
from datetime import UTC, datetime

from pipeline.document import Document, MediaType, Origin, Outcome, Reason, Rejection, Stage
from pipeline.settings import Settings


def document(body: str, number: int = 0) -> Document:
    location = f"doc-{number}"
    return Document(
        location,
        f"https://outlet.example/{location}",
        body.encode(),
        MediaType.TEXT,
        datetime(2024, 5, 1, tzinfo=UTC),
        Origin.FILE,
    )


def process(document: Document, settings: Settings) -> Outcome:
    """Does what the body says, then returns a rejection with the body and the id of the process."""
    order, _, argument = document.body[:200].decode().partition(" ")
    if order == "sleep":
        time.sleep(float(argument))
    elif order == "hang":
        re.match(r"(a+)+$", "a" * 64 + "b")  # holds the interpreter's lock the whole time
    elif order == "exit":
        os._exit(int(argument))
    elif order == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == "crash":
        ctypes.string_at(0)
    elif order == "raise":
        raise ValueError(argument)
    elif order == "quit":
        raise SystemExit(3)
    elif order == "bomb":
        filled = [bytearray(50_000_000) for _ in range(100)]
        return _end(document, str(len(filled)))
    elif order == "unsendable":
        return lambda: None  # type: ignore[return-value]
    elif order == "length":
        return _end(document, str(len(document.body)))
    elif order == "large":
        return _end(document, "x" * int(argument))
    elif order == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
    return _end(document, str(os.getpid()))


class Unsendable(Exception):
    """An exception that cannot be made again from its arguments."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


def call(order: str) -> object:
    """Does what the order says, as `process` does for a document; returns the order."""
    if order == "raise unsendable":
        raise Unsendable("made in the worker", "of two arguments")
    found = process(document(order), Settings())
    return found if order == "unsendable" else order


def memory_peak() -> int:
    """The peak memory of the process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _end(document: Document, detail: str) -> Outcome:
    return Rejection(
        document.location, document.url, Stage.EXTRACT, Reason.NO_ARTICLE, detail, document.fetched_at, "test"
    )
