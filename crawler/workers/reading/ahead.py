"""Reads the documents of a source in a thread of its own, so that a slow disk or pipe does not hold up a run.

What is read ahead is limited; the thread waits while there is enough.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from crawler.files import DocumentOrRejection
from pipeline.document import Document

# How much is read ahead: so many chunks, of so many documents or bytes.
CHUNKS_AHEAD = 4
_CHUNK_DOCUMENTS = 64
_CHUNK_BYTES = 1 << 20


def body_size(item: DocumentOrRejection) -> int:
    """The bytes of a document's body; 0 for a rejection."""
    return len(item.body) if isinstance(item, Document) else 0


class ReadAhead:
    """Chunks of a source that were read and not taken yet.

    documents: how many were read, rejections included. error: what the source raised, once `is_done`.
    """

    def __init__(self, wake: threading.Event) -> None:
        self.documents = 0
        self.error: Exception | None = None
        self._wake = wake
        self._chunks: deque[list[DocumentOrRejection]] = deque()
        self._room = threading.Semaphore(CHUNKS_AHEAD)
        self._is_at_end = self._is_abandoned = False

    @property
    def has_chunks(self) -> bool:
        """True if there is a chunk to take."""
        return bool(self._chunks)

    @property
    def is_done(self) -> bool:
        """True if the source was read to its end, or to an error, and every chunk was taken."""
        return self._is_at_end and not self._chunks

    def take(self) -> list[DocumentOrRejection]:
        """Take the next chunk; there must be one."""
        chunk = self._chunks.popleft()
        self._room.release()
        return chunk

    def abandon(self) -> None:
        """Let the thread end. If it waits for a pipe, it does not end, but it is a daemon."""
        self._is_abandoned = True
        self._room.release()

    def read(self, source: Iterable[DocumentOrRejection]) -> None:
        """Read the source to its end; what the thread does."""
        chunk: list[DocumentOrRejection] = []
        size = 0
        try:
            for item in source:
                chunk.append(item)
                size += body_size(item)
                self.documents += 1
                # A run that has nothing to do is not kept waiting for a full chunk.
                is_awaited = isinstance(item, Document) and not self._chunks
                if len(chunk) >= _CHUNK_DOCUMENTS or size >= _CHUNK_BYTES or is_awaited:
                    self._room.acquire()
                    if self._is_abandoned:
                        return
                    self._chunks.append(chunk)
                    chunk, size = [], 0
                    self._wake.set()
        except Exception as error:  # raised by `drive` after what was read is written
            self.error = error
        if chunk:
            self._chunks.append(chunk)
        self._is_at_end = True
        self._wake.set()


@contextmanager
def reading_ahead(source: Iterable[DocumentOrRejection], wake: threading.Event) -> Iterator[ReadAhead]:
    """Read the source in a thread. wake: is set whenever there is a chunk to take, and at the end."""
    ahead = ReadAhead(wake)
    threading.Thread(target=ahead.read, args=(source,), name="copydesk-reader", daemon=True).start()
    try:
        yield ahead
    finally:
        ahead.abandon()
