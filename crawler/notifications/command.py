"""Gives a message to a command, within a time limit."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress

from crawler.notifications.errors import SendFailed
from pipeline.errors import OperatorError


def split_command(text: str, where: str) -> tuple[str, ...]:
    """Return the words of a command as a shell splits them, though no shell runs it; () for none.

    where: what names the command, for the message. Raises OperatorError.
    """
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise OperatorError(
            f"{where}: {text!r} cannot be split into words ({error}); close the quotation"
        ) from error


def run_command(command: Sequence[str], message: bytes, seconds: float) -> None:
    """Run the command with the message on its standard input; its standard error goes to that of this one.

    Raises SendFailed if it cannot be run, if it fails, and after so many seconds, when it is killed with all
    processes that it started.
    """
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in a word
        why = getattr(error, "strerror", None) or str(error)
        raise SendFailed(f"{command[0]} cannot be run: {why}", of_receiver=True) from error
    try:
        process.communicate(message, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise SendFailed(f"killed after {seconds:g} s", of_receiver=True) from error
    finally:
        # Also after Ctrl-C: a command in a session of its own would not get it.
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise SendFailed(f"exit status {process.returncode}")
