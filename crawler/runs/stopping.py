"""Ends a run in order at SIGINT or SIGTERM, and at once at the second signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


@contextmanager
def stopping(pids: Callable[[], Iterable[int]] = list) -> Iterator[Callable[[], bool]]:
    """Give a function that tells whether a first SIGINT or SIGTERM came; a second signal ends the program.

    pids: of processes that are killed then. Signals are caught in the main thread only.
    """
    received: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            for pid in pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os._exit(128 + number)

    def is_stopped() -> bool:
        return bool(received)

    if threading.current_thread() is not threading.main_thread():
        yield is_stopped
        return
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield is_stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
