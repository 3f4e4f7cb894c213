"""Messages between the pool and its worker processes: pickles with their length in front, on a socket.

The pool sends a list of documents or a `Call`. The worker answers each message with one `Answer`.
"""

from __future__ import annotations

import io
import pickle
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from pipeline.document import Reason

_LENGTH = struct.Struct("!Q")


class TaskFailed(Exception):
    """A call did not return: it took too long, its worker died, or what it raised cannot be sent.

    reason: TIMEOUT, WORKER_DIED or INTERNAL_ERROR. Raised by the futures of `WorkerPool.run`.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    @property
    def has_cost_worker(self) -> bool:
        """Whether the call hung or killed its worker."""
        return self.reason in (Reason.TIMEOUT, Reason.WORKER_DIED)

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Call:
    """A function that a worker can import by its name, and its arguments, which can be pickled."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Raised:
    """What a call raised, in the place of its result."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Answer:
    """The results of a message: an outcome for each document; the one result of a call, or `Raised`.

    is_spent: the worker has used too much memory and is to be replaced.
    """

    results: list[Any]
    is_spent: bool = False


def frame(message: Any) -> memoryview:
    """Return the bytes of a message. Raises what pickling it raises."""
    buffer = io.BytesIO(bytes(_LENGTH.size))
    buffer.seek(_LENGTH.size)
    pickle.dump(message, buffer, pickle.HIGHEST_PROTOCOL)
    framed = buffer.getbuffer()
    _LENGTH.pack_into(framed, 0, len(framed) - _LENGTH.size)
    return framed


def send(channel: socket.socket, message: Any) -> None:
    """Send a message on a blocking socket. What cannot be pickled raises before anything is sent."""
    channel.sendall(frame(message))


def receive(channel: socket.socket) -> Any:
    """Return the next message of a blocking socket; None if the other side has closed it."""
    length = _read(channel, _LENGTH.size)
    content = _read(channel, _LENGTH.unpack(length)[0]) if length is not None else None
    return None if content is None else pickle.loads(content)


def complete(buffer: bytearray) -> Iterator[bytes]:
    """Take the complete messages out of what was received so far; they are still to be unpickled."""
    while len(buffer) >= _LENGTH.size:
        end = _LENGTH.size + cast(int, _LENGTH.unpack_from(buffer)[0])
        if len(buffer) < end:
            return
        content = bytes(memoryview(buffer)[_LENGTH.size : end])
        del buffer[:end]
        yield content


def answer(content: bytes) -> Answer:
    """Unpickle an answer. Raises what unpickling it raises."""
    return cast(Answer, pickle.loads(content))


def _read(channel: socket.socket, size: int) -> bytearray | None:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = channel.recv_into(view)
        if not count:
            return None
        view = view[count:]
    return data
