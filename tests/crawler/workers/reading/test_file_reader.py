"""Files in a process of their own: what they do to it costs the file, and the next one is read."""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from crawler.files import InputFile, read_paths
from crawler.workers.fork_server import start_fork_server
from crawler.workers.pool import PoolBroken
from crawler.workers.reading import FileReader, file_reader, process
from pipeline.document import Document, Reason, Rejection, Stage
from pipeline.errors import OperatorError
from pipeline.settings import ReadingSettings, Settings
from tests.crawler.files.hostile import HOSTILE, SETTINGS, gzip_bomb
from tests.crawler.files.making import PAGE, documents, ends, jsonl, members, tarred, zipped
from tests.waiting import wait_until

ROOT = Path(__file__).parents[4]


@pytest.fixture(autouse=True, scope="module")
def fork_server() -> None:
    """Each process would import what it needs again otherwise."""
    start_fork_server([process.__name__])


def read(*paths: Path | str, settings: Settings = SETTINGS) -> list[Document | Rejection]:
    with FileReader([str(path) for path in paths], settings) as reader:
        return list(reader)


def limits(**values: float) -> Settings:
    return replace(SETTINGS, reading=ReadingSettings(**values))  # type: ignore[arg-type]


def peak_memory(pid: int) -> int:
    """The most resident memory of a process so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


def test_the_same_comes_out_as_without_a_process() -> None:
    paths = [str(ROOT / "examples"), str(ROOT / "tests" / "pages")]
    with FileReader(paths, Settings()) as reader:
        found = list(reader)
    assert found == list(read_paths(paths, Settings()))
    assert len(found) > 300


def test_hostile_files_cost_themselves_in_bounded_memory(tmp_path: Path) -> None:
    for number, hostile in enumerate(HOSTILE.values()):
        (tmp_path / f"{number:02}{hostile.suffix}").write_bytes(hostile.make())
        (tmp_path / f"{number:02}.next.html").write_bytes(PAGE)
    items, peaks = read_with_memory(tmp_path)
    new = min(read_with_memory(tmp_path / "00.next.html")[1].values())
    assert max(peaks.values()) - new < SETTINGS.reading.memory_bytes
    for number, (name, hostile) in enumerate(HOSTILE.items()):
        path = f"{tmp_path}/{number:02}{hostile.suffix}"
        own = [item for item in items if re.match(re.escape(path) + "($|[!#])", item.location)]
        rejections = [item for item in own if isinstance(item, Rejection)]
        assert len(rejections) == hostile.rejections, name
        assert len(own) - len(rejections) == hostile.documents, name
        assert {r.reason for r in rejections[:-1]} <= {hostile.reason}, name
        assert (rejections[0].reason, hostile.detail in rejections[0].detail) == (hostile.reason, True), name
        assert f"{tmp_path}/{number:02}.next.html" in [item.location for item in documents(items)], name


# pyarrow itself takes 150 MB of addresses.
TABLES = replace(SETTINGS, reading=ReadingSettings(memory_bytes=350_000_000))


@pytest.mark.parametrize(
    ("column", "documents", "said"),
    [
        pytest.param(lambda: ["x" * 200_000_000], 0, "fit into memory", id="a long value"),
        pytest.param(lambda: _often("x" * 900_000, 30_000), 6, "times the file", id="a value of 27 GB"),
        pytest.param(lambda: pyarrow.nulls(3_000_000, pyarrow.string()), 0, "times the file", id="no values"),
        pytest.param(lambda: _deep(90), 0, "no Parquet", id="deep"),
    ],
)
def test_hostile_parquet_costs_itself(
    tmp_path: Path, column: Callable[[], Any], documents: int, said: str
) -> None:
    table = pyarrow.table({"text": column()})
    pyarrow.parquet.write_table(table, tmp_path / "1.parquet", compression="zstd")
    del table
    (tmp_path / "2.html").write_bytes(PAGE)
    *found, last, page = read(tmp_path, settings=TABLES)
    assert isinstance(last, Rejection)
    assert (last.reason, said in last.detail) == (Reason.MALFORMED_RECORD, True), last.detail
    assert sum(isinstance(one, Document) for one in found) == documents
    assert isinstance(page, Document)


def _often(value: str, times: int) -> pyarrow.DictionaryArray:
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * times, pyarrow.int32()), [value])


def _deep(levels: int) -> pyarrow.Array:
    kind = pyarrow.string()
    for _ in range(levels):
        kind = pyarrow.list_(kind)
    return pyarrow.array([None], kind)


def test_row_groups_may_be_larger_than_the_memory(tmp_path: Path) -> None:
    rows = [f"{number} " + "It sails. " * 900 for number in range(15_000)]
    path = tmp_path / "1.parquet"
    pyarrow.parquet.write_table(
        pyarrow.table({"text": rows}), path, compression=None, use_dictionary=False, row_group_size=len(rows)
    )
    with FileReader([str(path)], limits(memory_bytes=300_000_000)) as reader:
        assert sum(isinstance(one, Document) for one in reader) == len(rows)


def read_with_memory(*paths: Path) -> tuple[list[Document | Rejection], dict[int, int]]:
    """What comes out of the files, and the most resident memory of each process that has read them."""
    items: list[Document | Rejection] = []
    peaks: dict[int, int] = {}
    with FileReader([str(path) for path in paths], SETTINGS) as reader:
        for item in reader:
            items.append(item)
            if item.location.endswith(".next.html"):
                for pid in reader.pids():
                    with suppress(FileNotFoundError, IndexError):  # it has ended: all files are read
                        peaks[pid] = peak_memory(pid)
    return items, peaks


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder in which folders are nested so deep that the innermost have no path that could be opened."""
    top = Path(tempfile.mkdtemp(dir=tmp_path))
    handles = [os.open(top, os.O_RDONLY)]
    for depth in range(1_500):
        if depth in (10, 1_499):
            (made := os.open("page.html", os.O_CREAT | os.O_WRONLY, dir_fd=handles[-1]))
            os.write(made, PAGE)
            os.close(made)
        os.mkdir("abc", dir_fd=handles[-1])
        handles.append(os.open("abc", os.O_RDONLY, dir_fd=handles[-1]))
        os.close(handles.pop(0))
    os.close(handles.pop())
    yield top
    os.system(f"rm -rf {top}")  # shutil.rmtree recurses


def test_folders_1500_deep(deep: Path, tmp_path: Path) -> None:
    (tmp_path / "next.html").write_bytes(PAGE)
    broken, page, last = read(deep, tmp_path / "next.html")
    assert isinstance(broken, Rejection)
    assert (broken.reason, "File name too long" in broken.detail) == (Reason.UNREADABLE, True)
    assert broken.location.count("/abc") > 900
    assert page.location == f"{deep}{'/abc' * 10}/page.html"
    assert last.location == f"{tmp_path}/next.html"


@pytest.mark.parametrize("kills", [1, 2])
def test_a_killed_process_costs_at_most_the_path_that_it_was_reading(tmp_path: Path, kills: int) -> None:
    """One kill may have had any reason, so the file is read again, without what it has given."""
    size = 10_000
    (tmp_path / "01.jsonl").write_bytes(b"".join(jsonl({"text": f"story {n}"}) for n in range(size)))
    for number in range(2, 20):
        (tmp_path / f"{number:02}.html").write_bytes(PAGE)
    items: list[Document | Rejection] = []
    killed: set[int] = set()
    with FileReader([str(tmp_path)], Settings()) as reader:
        for item in reader:
            items.append(item)
            for pid in set(reader.pids()) - killed:
                if len(items) >= 30 and len(killed) < kills:
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
    found = ends(items, tmp_path)
    pages = [f"{number:02}.html" for number in range(2, 20)]
    if kills == 1:
        assert found == [*(f"01.jsonl#{n}" for n in range(1, size + 1)), *pages]
        return
    where = found.index("01.jsonl: worker died")
    assert 30 < where < size, "what was sent before is kept"
    assert found == [*(f"01.jsonl#{n}" for n in range(1, where + 1)), "01.jsonl: worker died", *pages]
    rejection = items[where]
    assert isinstance(rejection, Rejection)
    assert (rejection.stage, rejection.detail) == (Stage.SOURCE, "the worker was ended by SIGKILL")


def test_a_pipe_whose_process_is_killed_is_a_rejection(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "a.html").write_bytes(PAGE)
    held = os.open(pipe, os.O_RDWR)
    data = jsonl(*({"text": f"story {n} " + "x" * 1_000} for n in range(100)))
    writer = threading.Thread(target=os.write, args=(held, data))
    writer.start()
    with FileReader([str(pipe), str(tmp_path / "a.html")], SETTINGS) as reader:
        items = iter(reader)
        first = next(items)
        os.kill(reader.pids()[0], signal.SIGKILL)
        found = ends([first, *items], tmp_path)
    writer.join()
    os.close(held)
    assert found[0] == "pipe#1"
    assert found[-2:] == ["pipe: worker died", "a.html"]


def test_processor_time_is_limited_by_the_size_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "01.gz").write_bytes(gzip_bomb())
    (tmp_path / "02.html").write_bytes(PAGE)
    items = read(tmp_path, settings=limits(seconds=0.3, seconds_per_mb=0.01))
    assert ends(items, tmp_path) == ["01.gz: timeout", "02.html"]
    assert isinstance(items[0], Rejection)
    assert "seconds of processor time" in items[0].detail


def test_memory_is_limited(tmp_path: Path) -> None:
    (tmp_path / "01.jsonl").write_bytes(jsonl({"text": "one"}) + jsonl({"text": "x" * 40_000_000}))
    (tmp_path / "02.html").write_bytes(PAGE)
    settings = replace(limits(memory_bytes=100_000_000), max_body_bytes=100_000_000)
    items = read(tmp_path, settings=settings)
    assert ends(items, tmp_path) == ["01.jsonl#1", "01.jsonl: worker died", "02.html"]
    assert isinstance(items[1], Rejection)
    assert items[1].detail == "out of memory (the limit of reading)"


def test_a_small_file_takes_no_memory_for_the_limit(tmp_path: Path) -> None:
    (tmp_path / "01.html").write_bytes(PAGE)
    (tmp_path / "02.html.gz").write_bytes(gzip.compress(PAGE))
    settings = replace(limits(memory_bytes=50_000_000), max_body_bytes=1_000_000_000)
    assert ends(read(tmp_path, settings=settings), tmp_path) == ["01.html", "02.html.gz"]


def test_a_file_that_stands_still_is_given_up(tmp_path: Path) -> None:
    """A stopped process reads as little of its file as one whose network drive is gone."""
    lines = [jsonl({"text": f"story {n}"}) for n in range(20_000)]
    (tmp_path / "01.jsonl").write_bytes(b"".join(lines))
    (tmp_path / "02.html").write_bytes(PAGE)
    items: list[Document | Rejection] = []
    with FileReader([str(tmp_path)], limits(stall_seconds=2.0)) as reader:
        for item in reader:
            items.append(item)
            if len(items) == 30:
                os.kill(reader.pids()[0], signal.SIGSTOP)
    assert ends(items, tmp_path)[-2:] == ["01.jsonl: timeout", "02.html"]
    assert isinstance(items[-2], Rejection)
    assert items[-2].detail == "nothing could be read for 2 seconds (reading.stall_seconds)"


def test_an_exception_while_reading_is_an_internal_error_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "01.html").write_bytes(PAGE)
    (tmp_path / "02.html").write_bytes(PAGE)
    monkeypatch.setattr(file_reader, "serve", breaking_serve)
    items = read(tmp_path)
    assert ends(items, tmp_path) == ["01.html: internal error", "02.html"]
    assert isinstance(items[0], Rejection)
    assert items[0].detail == "KeyError: 'unexpected'"


def breaking_serve(channel: socket.socket, settings: Settings) -> None:
    """Serve where reading the first file raises what nobody expects; runs in the process."""
    read_file = process.read_file  # type: ignore[attr-defined]

    def raising(file: InputFile, *rest: Any) -> Iterator[Document | Rejection]:
        if file.path.endswith("01.html"):
            raise KeyError("unexpected")
        return read_file(file, *rest)

    setattr(process, "read_file", raising)  # noqa: B010
    process.serve(channel, settings)


def test_a_pipe_is_read_as_it_is_written_and_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "a.html").write_bytes(PAGE)
    size = 300
    first = jsonl(*({"text": f"story {n} " + "x" * 1_000} for n in range(size)))
    seen = threading.Event()

    def write() -> None:
        with open(pipe, "wb", buffering=0) as file:
            file.write(first)
            seen.wait(600)  # the other half is written only when the first was delivered
            file.write(first)

    writer = threading.Thread(target=write)
    writer.start()
    with FileReader(
        [str(tmp_path / "a.html"), str(pipe), str(tmp_path / "a.html")], limits(stall_seconds=0.1)
    ) as reader:
        found = []
        for item in reader:
            found.append(item)
            if len(found) == size // 2:
                seen.set()
    writer.join()
    assert ends(found, tmp_path) == ["a.html", *(f"pipe#{n + 1}" for n in range(2 * size)), "a.html"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(PAGE)
    reading, writing = os.pipe()
    os.write(writing, jsonl({"text": "one"}, {"text": "two", "url": "https://outlet.example/2"}))
    os.close(writing)
    with open(reading, "rb") as given:
        monkeypatch.setattr("sys.stdin", given)
        found = documents(read("-", tmp_path / "a.html"))
    assert [item.location for item in found] == ["-#1", "-#2", f"{tmp_path}/a.html"]


def test_archives_that_are_sound(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(members()))
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress(tarred(members())))
    assert read(tmp_path) == list(read_paths([str(tmp_path)], SETTINGS))


def test_a_reader_that_is_left_ends_its_process_and_its_thread(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR)  # so that it neither ends nor has anything to read
    items: list[Document | Rejection] = []
    with FileReader([str(pipe)], SETTINGS) as reader:
        thread = threading.Thread(target=lambda: items.extend(reader))
        thread.start()
        wait_until(reader.pids)
        (pid,) = reader.pids()
    thread.join(600)
    assert not thread.is_alive()
    assert items == []
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    os.close(held)


def test_a_process_that_loses_its_run_ends(tmp_path: Path) -> None:
    """As after `kill -9` of the run: the socket closes, and the pipe that it waits for does not."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR)
    reader = FileReader([str(pipe)], SETTINGS)
    thread = threading.Thread(target=lambda: list(reader), daemon=True)
    thread.start()
    wait_until(reader.pids)
    (pid,) = reader.pids()
    assert reader._process is not None
    reader._process.channel.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    os.close(held)
    reader.kill()
    thread.join(600)


def test_a_missing_path_is_reported_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"gone: no such file or folder"):
        FileReader([str(tmp_path / "gone")], SETTINGS)


def test_where_no_process_can_be_started_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.html").write_bytes(PAGE)

    def start(*_: object) -> None:
        raise EOFError

    monkeypatch.setattr(file_reader, "start_worker", start)
    monkeypatch.setattr(file_reader, "_START_PAUSE", 0)
    with pytest.raises(PoolBroken, match=r"^no worker process can be started: EOFError \(5 attempts\)$"):
        read(tmp_path)
