"""The process that reads files: its time for a file, and what it is sent and sends."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from crawler.files import InputFile
from crawler.workers.messages import receive
from crawler.workers.reading.process import End, _read, _receive_file, seconds_for, send_file
from pipeline.document import Document
from pipeline.settings import ReadingSettings
from tests.crawler.files.making import PAGE, SMALL, jsonl

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_time_for_a_file_grows_with_its_size() -> None:
    limits = ReadingSettings(seconds=10, seconds_per_mb=2)
    assert seconds_for(InputFile("a", "file:///a", NOW, 3_000_000, NOW), limits) == 16
    assert seconds_for(InputFile("-", "file:///a", NOW, None, NOW), limits) == 10


def test_a_file_is_handed_over_open_and_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(PAGE)
    file = InputFile(str(path), path.as_uri(), NOW, len(PAGE), NOW)
    ours, theirs = socket.socketpair()
    with ours, theirs, open(path, "rb", buffering=0) as raw:
        raw.read(10)
        send_file(ours, file, raw.fileno())
        path.unlink()  # only the handle is needed
        received = _receive_file(theirs)
        assert received is not None
        assert received[0] == file
        end = _read(theirs, *received, SMALL)
    assert end.last is not None, "a page comes with the end of its file"
    assert (end.last.body, end.is_spent) == (PAGE, False)


def test_there_is_no_file_after_the_run_has_closed_its_side() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    assert _receive_file(theirs) is None
    theirs.close()


def test_a_pipe_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    ours, theirs = socket.socketpair()
    os.write(writing, jsonl({"text": "one"}))
    os.close(writing)
    with ours, theirs:
        assert _read(theirs, InputFile("pipe", "file:///pipe", NOW, None, NOW), reading, SMALL) == End()
        item = receive(ours)
    assert isinstance(item, Document)
    assert item.body == b"one"
