"""Reading ahead: documents arrive in order and within a limit, and the error of a source is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from crawler.workers.reading.ahead import CHUNKS_AHEAD, ReadAhead, body_size, reading_ahead
from pipeline.document import Document
from tests.crawler.misbehaving import document
from tests.waiting import wait_until


def taken(ahead: ReadAhead, wake: threading.Event) -> list[str]:
    """The locations of everything that is read, until the end."""
    found: list[str] = []
    while not ahead.is_done:
        while ahead.has_chunks:
            found += [item.location for item in ahead.take()]
        wake.wait(0.05)
        wake.clear()
    return found


def test_everything_arrives_in_order() -> None:
    wake = threading.Event()
    with reading_ahead((document("x" * 5000, n) for n in range(1000)), wake) as ahead:
        assert taken(ahead, wake) == [f"doc-{n}" for n in range(1000)]
    assert (ahead.documents, ahead.error) == (1000, None)


def test_a_source_without_documents_ends() -> None:
    wake = threading.Event()
    with reading_ahead([], wake) as ahead:
        assert taken(ahead, wake) == []
    assert ahead.documents == 0


def test_reading_waits_until_something_is_taken() -> None:
    wake = threading.Event()
    large = document("x" * 2_000_000)
    with reading_ahead([large] * 50, wake) as ahead:
        wait_until(lambda: ahead.documents > CHUNKS_AHEAD)
        time.sleep(0.1)
        assert ahead.documents == CHUNKS_AHEAD + 1  # the last one waits for room
        assert len(taken(ahead, wake)) == 50


def test_the_error_of_a_source_comes_after_its_documents() -> None:
    def source() -> Iterator[Document]:
        yield document("x", 0)
        yield document("x", 1)
        raise OSError("the disk is gone")

    wake = threading.Event()
    with reading_ahead(source(), wake) as ahead:
        assert taken(ahead, wake) == ["doc-0", "doc-1"]
    assert isinstance(ahead.error, OSError)


def test_a_thread_that_waits_for_room_ends_when_it_is_abandoned() -> None:
    before = set(threading.enumerate())
    with reading_ahead([document("x" * 2_000_000)] * 50, threading.Event()) as ahead:
        wait_until(lambda: ahead.documents > CHUNKS_AHEAD)
    wait_until(lambda: set(threading.enumerate()) <= before, lambda: "the thread still waits")
    assert ahead.documents == CHUNKS_AHEAD + 1


def test_the_size_of_a_document_is_that_of_its_body() -> None:
    assert body_size(document("12345")) == 5
