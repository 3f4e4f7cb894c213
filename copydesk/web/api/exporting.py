"""Exports over HTTP: a view of any size as a stream, in the same memory.

`storage.export` writes in a thread of its own, as far ahead of the client as a few pieces. Nothing limits the
time of the query, which only reads; a client that takes nothing for a minute loses its export.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from queue import Empty, Full, Queue
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from copydesk.named_sites import hosts_meant
from copydesk.times import parse_since
from copydesk.web.api.lists import LARGEST, Flag
from copydesk.web.asking import LONGEST
from copydesk.web.problems import BadQuestion, Busy
from storage.database import Engine
from storage.export import Selection, export
from storage.schema import VIEWS

router = APIRouter()
logger = logging.getLogger(__name__)

# Exports at once. Each holds a connection, and for Parquet a row group.
MOST_AT_ONCE = 2
_PIECE, _AHEAD = 1 << 16, 8
_STALLED_SECONDS = 60.0


class Format(StrEnum):
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"


_MEDIA_TYPES = {
    Format.NDJSON: "application/x-ndjson",
    Format.CSV: "text/csv; charset=utf-8",
    Format.PARQUET: "application/vnd.apache.parquet",
}
_ANSWER: dict[str, Any] = {
    "description": "The rows, one after the other",
    "content": {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in _MEDIA_TYPES.values()},
}


@router.get("/export", response_class=StreamingResponse, responses={200: _ANSWER})
def stream(
    request: Request,
    format: Annotated[Format, Query(description="One object a line, CSV, or Parquet.")] = Format.NDJSON,
    view: Annotated[
        str, Query(description="Which view.", json_schema_extra={"enum": [one.name for one in VIEWS]})
    ] = "articles",
    site: Annotated[
        str,
        Query(max_length=LONGEST, description="Articles of this site: a host or a key."),
    ] = "",
    language: Annotated[str, Query(max_length=LONGEST, description="Articles in this language.")] = "",
    unique: Flag = False,
    exclude_reserved: Annotated[
        bool, Query(description="Without articles whose rights are reserved.")
    ] = False,
    changed_since: Annotated[
        str, Query(max_length=LONGEST, description="Texts that are new or changed since: 2h, 2026-03-01.")
    ] = "",
    after: Annotated[
        int | None,
        Query(ge=0, le=LARGEST, description="Everything after this change, with what is gone."),
    ] = None,
) -> Response:
    """A whole view, or what changed in it, as a stream of any length."""
    selection = Selection(
        view,
        hosts_meant(site) if site.strip() else (),
        language.strip().lower() or None,
        unique,
        exclude_reserved,
    )
    begin = parse_since(changed_since) if changed_since.strip() else None
    if begin is not None and after is not None:
        raise BadQuestion("changed_since and after both say where to begin: give only one of them")
    slots: threading.BoundedSemaphore = request.app.state.export_slots
    if not slots.acquire(blocking=False):
        raise Busy(f"{MOST_AT_ONCE} exports are under way: try again later.")
    engine: Engine = request.app.state.export_engine

    def write(to: BinaryIO) -> None:
        kind = "jsonl" if format is Format.NDJSON else format.value
        export(engine, to, selection, format=kind, since=begin, after=after)

    pieces = piped(write, slots.release)
    first = next(pieces, b"")  # what is wrong with the question is said before the answer begins
    name = f"{view}.{format}"
    return StreamingResponse(
        _all(first, pieces),
        media_type=_MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _all(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


class _Pipe(io.RawIOBase):
    """What one thread writes and another one reads, a few pieces ahead."""

    def __init__(self) -> None:
        self.pieces: Queue[bytes | None] = Queue(_AHEAD)
        self.is_left = threading.Event()
        self.fault: Exception | None = None
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any) -> int:
        """Waits while the reader is behind. Raises BrokenPipeError if it takes no more."""
        piece = bytes(data)
        self.put(piece)
        self._written += len(piece)
        return len(piece)

    def put(self, piece: bytes | None) -> None:
        if self.is_left.is_set():
            raise BrokenPipeError
        try:
            self.pieces.put(piece, timeout=_STALLED_SECONDS)
        except Full:
            raise BrokenPipeError from None

    def leave(self) -> None:
        """The reader takes no more; a writer that waits for room ends."""
        self.is_left.set()
        while True:
            try:
                self.pieces.get_nowait()
            except Empty:
                return


def piped(write: Callable[[BinaryIO], None], done: Callable[[], None]) -> Iterator[bytes]:
    """What a function writes, in pieces, while it writes in a thread of its own.

    Raises what the function raises. done: called when the function has ended, in whatever way.
    """
    pipe = _Pipe()

    def run() -> None:
        try:
            stream: BinaryIO = io.BufferedWriter(pipe, _PIECE)
            write(stream)
            stream.flush()
        except BrokenPipeError:
            logger.info("An export ended because its client did")
        except Exception as error:
            pipe.fault = error
        finally:
            done()
            try:
                pipe.put(None)
            except BrokenPipeError:
                pipe.is_left.set()

    threading.Thread(target=run, name="export", daemon=True).start()
    try:
        while (piece := pipe.pieces.get()) is not None:
            yield piece
        if pipe.fault is not None:
            raise pipe.fault
    finally:
        pipe.leave()
