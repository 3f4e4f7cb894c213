"""Runs a function in its own process, so that rounds do not influence each other."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")


def apart(function: Callable[..., T], *arguments: Any, is_fresh: bool = False) -> T:
    """Call the function in another process; returns what it returns.

    The process is a fork of this one, with its warm caches; this one must have no other threads. is_fresh: it
    is a new interpreter, with empty caches and unfragmented memory instead.
    Raises RuntimeError if the process ends without an answer, or the function raises; its traceback is
    printed before.
    """
    context = multiprocessing.get_context("spawn") if is_fresh else multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, function, arguments))
    process.start()
    theirs.close()
    try:
        found, fault = ours.recv()
    except EOFError as error:
        raise RuntimeError(f"{function.__name__} ended without an answer") from error
    finally:
        ours.close()
        process.join()
    if fault is not None:
        raise RuntimeError(fault)
    answer: T = found
    return answer


def _answer(channel: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    found: Any = None
    fault: str | None = None
    try:
        found = function(*arguments)
    except Exception as error:
        traceback.print_exc()
        fault = f"{type(error).__name__}: {error}"
    channel.send((found, fault))
    channel.close()
