"""A writer: `copydesk ingest` in a process of its own, which reports when it comes to a fault."""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from copydesk.cli import main
from crawler import runs
from crawler.runs import drive
from tests.chaos.quick import fork_servers_from_here, process_quickly
from tests.forked import end_process

# What a writer says when it comes to a fault. It waits for the answer: how far it is to the next one.
REACHED = b"reached"
_NEVER = 0


def fork_command(
    arguments: list[str],
    log: Path,
    *,
    batch_size: int,
    is_quick: bool,
    temporary: Path | None = None,
    first: int = _NEVER,
    close: Callable[[], None] = lambda: None,
) -> tuple[int, socket.socket]:
    """Start a command of `copydesk` in a new session; returns its process id and the socket it reports on.

    log: the file that its output is added to. batch_size: outcomes of a transaction. is_quick: in the short
    form. temporary: its $TMPDIR. first: the statement at which it reports; 0 for never. close: closes what
    the process must not inherit.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid:
        theirs.close()
        return pid, ours
    try:
        ours.close()
        close()
        _prepare(log, temporary)
        drive.BATCH_SIZE = batch_size
        if is_quick:
            runs.ingest = functools.partial(runs.ingest, process=process_quickly)
            fork_servers_from_here()
        _report(theirs, first)
        end_process(_run(arguments))
    finally:
        os._exit(99)  # whatever happened: this must not return into the program that forked


def _prepare(log: Path, temporary: Path | None) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (1, 2):
        os.dup2(handle, standard)
    if temporary is not None:
        os.environ["TMPDIR"] = str(temporary)
        tempfile.tempdir = None  # looked up once by a process


def _report(channel: socket.socket, first: int) -> None:
    """Report at the first statement or commit that is asked for, then at those that the answers name."""
    left = first

    def step(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            channel.send(REACHED)
            answer = channel.recv(100)
            if not answer:
                os._exit(98)  # nobody is there any more
            left = int(answer)

    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, step)


def _run(arguments: list[str]) -> int:
    sys.argv = ["copydesk", *arguments]
    try:
        main()
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0
