"""Ends a command at Ctrl-C with one line and status 130, wherever it is: also while it imports.

Commands that have something to finish first, such as `ingest` and `crawl`, replace the handler while they
run.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from copydesk.status import Status

if TYPE_CHECKING:
    from sys import UnraisableHookArgs


class _Interrupted(SystemExit):
    """Ends the program at Ctrl-C."""


def end_at_interrupt() -> None:
    """Let SIGINT end the program, unless the process that started it has SIGINT ignored."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
        sys.unraisablehook = _end_unraised


def interrupted() -> int:
    """Say that the program ends; returns its exit status."""
    os.write(2, b"copydesk: interrupted\n")
    return Status.INTERRUPTED


def _end(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one line, however often Ctrl-C is pressed
    raise _Interrupted(interrupted())


def _end_unraised(unraised: UnraisableHookArgs) -> None:
    """End the program where Python drops the exception that would end it.

    Python drops what is raised in a finalizer or in the callback of a weak reference. Ctrl-C may come there.
    """
    if isinstance(unraised.exc_value, _Interrupted):
        os._exit(Status.INTERRUPTED)
    sys.__unraisablehook__(unraised)
