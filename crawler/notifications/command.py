"""Gives a message to a command, within a time limit and in an environment without secrets."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from crawler.notifications.errors import SendFailed
from pipeline.errors import OperatorError

PASSED_SETTING = "COPYDESK_COMMAND_ENVIRONMENT"

# What programs need to find each other, their files and their language. The rest may hold secrets.
_GIVEN = re.compile(r"PATH|HOME|USER|LOGNAME|LANG|LC_[A-Z]+|TZ|TMPDIR")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Settings of Copydesk, of which some are secrets, and the password of its database.
_WITHHELD = re.compile(r"COPYDESK_.*|PGPASSWORD")


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


def command_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment that commands get, of the variables of this process.

    It has PATH, HOME, USER, LOGNAME, LANG, LC_*, TZ and TMPDIR, and what COPYDESK_COMMAND_ENVIRONMENT names.
    Raises OperatorError if that names what is no variable, a setting of Copydesk, or PGPASSWORD.
    """
    named = given.get(PASSED_SETTING, "").replace(",", " ").split()
    for name in named:
        if not _NAME.fullmatch(name):
            raise OperatorError(f"{PASSED_SETTING}: not a name of a variable; write names, without values")
        if _WITHHELD.fullmatch(name):
            raise OperatorError(f"{PASSED_SETTING}: {name} is not given to commands; take it away")
    return {name: text for name, text in given.items() if _GIVEN.fullmatch(name) or name in named}


def run_command(
    command: Sequence[str], message: bytes, seconds: float, environment: Mapping[str, str]
) -> None:
    """Run the command with the message on its standard input; its standard error goes to that of this one.

    environment: all variables that it gets; their PATH finds it. Raises SendFailed if it cannot be run, if it
    fails, and after so many seconds, when it is killed with all processes that it started.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
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
