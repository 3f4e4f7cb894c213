"""The folder of a backfill: files appear complete or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from crawler.backfill import Folder, FolderBusy


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(str(tmp_path / "out"))


def test_a_file_appears_when_it_is_complete(folder: Folder) -> None:
    path = folder.path("articles", "a.parquet")
    with folder.replacing(path) as temporary:
        Path(temporary).write_text("half")
        assert not os.path.exists(path)
    assert Path(path).read_text() == "half"
    with suppress(ZeroDivisionError), folder.replacing(path) as temporary:
        Path(temporary).write_text("other")
        raise ZeroDivisionError
    assert Path(path).read_text() == "half"
    assert os.listdir(folder.temporary) == []


def test_a_folder_does_not_replace_that_of_a_faster_attempt(folder: Folder) -> None:
    path = folder.work("settled")
    for content in ("first", "second"):
        with folder.replacing(path) as temporary:
            os.mkdir(temporary)
            Path(temporary, "a").write_text(content)
    assert Path(path, "a").read_text() == "first"
    assert os.listdir(folder.temporary) == []


def test_counts_of_tasks_are_summed(folder: Folder) -> None:
    folder.write_json(folder.done("process", "a"), {"articles": 2})
    folder.write_json(folder.done("process", "b"), {"articles": 3, "rejections": 1})
    assert folder.counts("process") == {"articles": 5, "rejections": 1}
    assert folder.counts("settle") == {}


def test_one_driver_at_a_time(folder: Folder) -> None:
    with folder.locked():
        Path(folder.temporary, "left").write_text("by a driver that was killed")
        with pytest.raises(FolderBusy, match="another process is filling this folder"), folder.locked():
            pass
    with folder.locked():
        assert os.listdir(folder.temporary) == []
