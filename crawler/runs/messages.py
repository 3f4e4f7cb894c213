"""How documents go to a worker and outcomes come back: framed messages on a socket.

A message has several documents, or the outcomes of as many. The bodies go as they are, behind what stands
beside them: to pickle a large one would be to copy it.
"""

from __future__ import annotations

import copyreg
import pickle
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, cast

from pipeline.document import Article, Claims, Document, Fingerprint, Outcome, Page, Rejection, Removed

_LENGTH = struct.Struct("!Q")
# Of what stands beside the bodies, and of the bodies that follow.
_LENGTHS = struct.Struct("!QQ")
# Up to so many bytes bodies are copied next to what stands beside them: one call to the system does for both.
JOINED = 1 << 14


def _pickle_by_values(record: type) -> None:
    """Has records of this type pickled as their values in order, in half the time of what dataclasses do."""
    values = attrgetter(*(field.name for field in fields(record)))
    copyreg.pickle(record, lambda made: (record, values(made)))


for _record in (Article, Rejection, Page, Claims, Fingerprint, Removed):
    _pickle_by_values(_record)

_NAMES = [field.name for field in fields(Document)]
_BODY = _NAMES.index("body")
_beside_body = attrgetter(*(name for name in _NAMES if name != "body"))


def documents_message(documents: Sequence[Document]) -> list[memoryview]:
    """The message for a worker, in the parts that it is to be sent in."""
    beside = [(len(document.body), *_beside_body(document)) for document in documents]
    head = pickle.dumps(beside, pickle.HIGHEST_PROTOCOL)
    size = sum([length for length, *_ in beside])
    head = _LENGTHS.pack(len(head), size) + head
    bodies = [document.body for document in documents]
    parts = [head, *bodies] if size > JOINED else [b"".join((head, *bodies))]
    return [memoryview(part) for part in parts if part]


def receive_documents(channel: socket.socket) -> list[Document] | None:
    """Return the next documents; None where the parent has closed the socket or is gone."""
    lengths = _receive(channel, _LENGTHS.size)
    if lengths is None:
        return None
    at, size = _LENGTHS.unpack(lengths)
    message = _receive(channel, at + size)
    if message is None:
        return None
    view = memoryview(message)
    found = []
    for length, *values in pickle.loads(view[:at]):
        values.insert(_BODY, bytes(view[at : at + length]))
        found.append(Document(*values))
        at += length
    return found


def send_message(channel: socket.socket, message: bytes) -> None:
    channel.sendall(_LENGTH.pack(len(message)) + message)


def messages(buffer: bytearray) -> Iterator[bytes]:
    """Take the complete messages out of what was received."""
    while len(buffer) >= _LENGTH.size:
        end = _LENGTH.size + cast(int, _LENGTH.unpack_from(buffer)[0])
        if len(buffer) < end:
            return
        message = bytes(memoryview(buffer)[_LENGTH.size : end])
        del buffer[:end]
        yield message


def packed(outcomes: Sequence[Outcome]) -> bytes:
    """Raises whatever an outcome raises that cannot be sent."""
    return pickle.dumps(list(outcomes), pickle.HIGHEST_PROTOCOL)


def unpacked(answer: Any) -> list[Outcome]:
    return cast(list[Outcome], pickle.loads(answer))


def _receive(channel: socket.socket, size: int) -> bytearray | None:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = channel.recv_into(view)
        if not count:
            return None
        view = view[count:]
    return data
