"""Runs a function in a process of its own, forked from here: no round finds what another left behind."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")


def apart(function: Callable[..., T], *arguments: Any) -> T:
    """Call the function in a fork of this process, which may have no other threads; returns what it returns.

    Raises RuntimeError where the process ends without an answer; what the function raised stands above it.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, function, arguments))
    process.start()
    theirs.close()
    try:
        answer: T = ours.recv()
    except EOFError as error:
        raise RuntimeError(f"{function.__name__} ended without an answer") from error
    finally:
        ours.close()
        process.join()
    return answer


def _answer(channel: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    channel.send(function(*arguments))
    channel.close()
