"""Sends a message to a command or a webhook, each within a time limit."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import OperatorError


def parse_command(text: str | None) -> list[str] | None:
    """Return the words of a command as a shell splits them, though no shell runs it; None for none.

    Raises OperatorError.
    """
    try:
        words = shlex.split(text or "")
    except ValueError as error:
        raise OperatorError(
            f"COPYDESK_ALERT_COMMAND: {text!r} cannot be split into words ({error}); close the quotation"
        ) from error
    return words or None


def parse_webhook(text: str | None) -> str | None:
    """Return the URL; None for none. Raises OperatorError for an invalid one."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise OperatorError("COPYDESK_ALERT_WEBHOOK: no http(s) URL; write a whole one, https://HOST/PATH")
    return text


def run_command(command: Sequence[str], message: bytes, seconds: float) -> None:
    """Run the command with the message on its standard input; its standard error goes to that of the crawl.

    Raises OSError if it cannot be run, ChildProcessError if it fails, and TimeoutError after so many seconds,
    when it is killed with all processes that it started.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.communicate(message, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise TimeoutError(f"killed after {seconds:.0f} s") from error
    if process.returncode:
        raise ChildProcessError(f"exit status {process.returncode}")


def post(url: str, message: bytes, seconds: float) -> None:
    """Post the message; raises OSError if it is not accepted, TimeoutError after so many seconds in all."""
    failed: list[Exception] = []

    def send() -> None:
        request = urllib.request.Request(url, message, {"Content-Type": "application/json"}, method="POST")
        try:
            # A redirect would turn the POST into a GET without the message.
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=seconds):
                pass
        except Exception as error:
            failed.append(error)

    # A socket's time limit is for each of its reads, so a slow server could exceed it for ever.
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {seconds:.0f} s")
    if failed:
        raise failed[0]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None
