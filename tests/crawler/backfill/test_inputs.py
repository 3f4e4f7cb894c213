"""What a backfill finds: files, folders, patterns, URLs, listings; and what it says of what is missing."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from crawler.backfill import inputs
from crawler.backfill.inputs import Part, RemoteFile, find_parts, name_of, state_of
from crawler.files import InputFile
from pipeline.document import Rejection
from pipeline.errors import OperatorError
from pipeline.settings import Settings

SETTINGS = Settings()


def names(parts: list[Part]) -> list[str]:
    return [name_of(file) for part in parts for file in part.files]


@pytest.fixture
def news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("news/b.html", "news/a.html", "news/c/d.html", "news/.hidden", "more.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<p>{name}</p>")
    return tmp_path


@pytest.fixture
def memory() -> Iterator[str]:
    fs = fsspec.filesystem("memory")
    for name in ("2026/one.warc.gz", "2026/two.warc.gz", "2026/.part", "other.txt"):
        fs.pipe_file(f"/bucket/{name}", name.encode())
    yield "memory://bucket"
    fs.rm("/bucket", recursive=True)


def test_files_folders_and_patterns_in_order_each_file_once(news: Path) -> None:
    found = find_parts(["more.jsonl", "news", "news/a.html", "*.jsonl", "news/**/d.html"], SETTINGS)
    assert names(found) == ["more.jsonl", "news/a.html", "news/b.html", "news/c/d.html"]
    assert [part.number for part in found] == [0]
    file = found[0].files[1]
    assert isinstance(file, InputFile)
    # It is named as it was given, and opened from anywhere.
    assert file.source == str(news / "news/a.html")
    assert file.url == (news / "news/a.html").as_uri()


def test_a_file_url_is_the_path(news: Path) -> None:
    assert names(find_parts([(news / "more.jsonl").as_uri()], SETTINGS)) == [str(news / "more.jsonl")]


def test_small_files_share_a_part_and_a_large_one_has_its_own(
    news: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "PART_BYTES", 100)
    (news / "news/b.html").write_text("x" * 200)
    parts = find_parts(["news", "more.jsonl"], SETTINGS)
    assert [[name_of(file) for file in part.files] for part in parts] == [
        ["news/a.html"],
        ["news/b.html"],
        ["news/c/d.html", "more.jsonl"],
    ]
    assert [part.number for part in parts] == [0, 1, 2]
    monkeypatch.setattr(inputs, "PART_FILES", 1)
    assert len(find_parts(["news", "more.jsonl"], SETTINGS)) == 4


def test_a_broken_link_is_a_rejection(news: Path) -> None:
    os.symlink("nothing", news / "news/e.html")
    assert isinstance(find_parts(["news"], SETTINGS)[0].files[-1], Rejection)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["*.warc"], "*.warc: no file matches"),
        (["-"], "standard input cannot be read a second time: write it to a file"),
        (["memory://bucket/none.warc"], "memory://bucket/none.warc: no such file or folder"),
        (["memory://bucket/*.html"], "memory://bucket/*.html: no file matches"),
        (["nonsense://bucket/a"], "nonsense://bucket/a: Protocol not known: nonsense"),
        (["gs://bucket/a"], "gs://bucket/a: Please install gcsfs to access Google Storage"),
        (["empty"], "empty: nothing to read"),
    ],
)
def test_what_is_missing_is_said_in_one_line(news: Path, memory: str, given: list[str], said: str) -> None:
    (news / "empty").mkdir()
    with pytest.raises(OperatorError) as raised:
        find_parts(given, SETTINGS)
    assert str(raised.value) == said


def test_a_pipe_is_refused(news: Path) -> None:
    os.mkfifo(news / "pipe")
    with pytest.raises(OperatorError, match="pipe: a pipe cannot be read a second time"):
        find_parts(["pipe"], SETTINGS)


def test_urls_folders_and_patterns_behind_urls(memory: str) -> None:
    found = find_parts([f"{memory}/2026", f"{memory}/*.txt", f"{memory}/other.txt"], SETTINGS)
    assert names(found) == [
        "memory:///bucket/2026/one.warc.gz",
        "memory:///bucket/2026/two.warc.gz",
        "memory:///bucket/other.txt",
        "memory://bucket/other.txt",
    ]
    assert found[0].size == sum(len(name) for name in ("2026/one.warc.gz", "2026/two.warc.gz")) + 2 * len(
        "other.txt"
    )


@pytest.mark.parametrize("name", ["warc.paths.gz", "warc.paths"])
def test_a_listing_names_files_behind_a_prefix(news: Path, name: str) -> None:
    lines = b"crawl-data/CC-NEWS/1.warc.gz\n\ncrawl-data/CC-NEWS/2.warc.gz\nhttps://example.com/3.warc.gz\n"
    (news / name).write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
    found = find_parts([name], SETTINGS, prefix="https://data.example.org/")
    assert names(found) == [
        "https://data.example.org/crawl-data/CC-NEWS/1.warc.gz",
        "https://data.example.org/crawl-data/CC-NEWS/2.warc.gz",
        "https://example.com/3.warc.gz",
    ]
    # Nobody asked 400 servers for sizes: each is a part of its own.
    assert len(found) == 3
    assert all(isinstance(file, RemoteFile) and file.is_listed for part in found for file in part.files)


def test_a_listing_by_option_may_name_files_of_this_machine(news: Path) -> None:
    (news / "names.txt").write_text("a.html\nb.html\n")
    assert names(find_parts(["names.txt"], SETTINGS, prefix="news", is_listing=True)) == [
        "news/a.html",
        "news/b.html",
    ]
    with pytest.raises(
        OperatorError, match=r"a\.html: no such file or folder \(named in names\.txt; --prefix"
    ):
        find_parts(["names.txt"], SETTINGS, is_listing=True)


def test_a_listing_behind_a_url(memory: str) -> None:
    fsspec.filesystem("memory").pipe_file("/bucket/warc.paths.gz", gzip.compress(b"2026/one.warc.gz\n"))
    found = find_parts([f"{memory}/warc.paths.gz"], SETTINGS, prefix=memory)
    assert names(found) == ["memory://bucket/2026/one.warc.gz"]


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff\xfe", "it is no text"), (b"\x1f\x8bnot gzip", "cut.paths.gz: ")]
)
def test_what_is_no_listing_is_said(news: Path, content: bytes, said: str) -> None:
    (news / "cut.paths.gz").write_bytes(content)
    with pytest.raises(OperatorError, match=said):
        find_parts(["cut.paths.gz"], SETTINGS)


def test_the_state_of_a_file_changes_with_it(news: Path) -> None:
    before = [state_of(file) for part in find_parts(["news"], SETTINGS) for file in part.files]
    again = [state_of(file) for part in find_parts(["news"], SETTINGS) for file in part.files]
    (news / "news/a.html").write_text("longer than before")
    after = [state_of(file) for part in find_parts(["news"], SETTINGS) for file in part.files]
    assert before == again
    assert before[0] != after[0]
    assert before[1:] == after[1:]
