"""Finding and opening the files at paths."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.files.inputs import InputFile, _find_all, find_files, open_file, os_error
from pipeline.document import Reason, Rejection
from pipeline.errors import OperatorError
from pipeline.settings import Settings

SETTINGS = Settings()


def found(*paths: Path | str) -> list[InputFile | Rejection]:
    return list(find_files([str(path) for path in paths], SETTINGS))


def test_files_have_their_size_time_and_url(tmp_path: Path) -> None:
    (tmp_path / "a b.html").write_bytes(b"page")
    os.utime(tmp_path / "a b.html", (1_700_000_000, 1_700_000_000))
    (file,) = found(tmp_path)
    assert isinstance(file, InputFile)
    assert (file.path, file.size) == (f"{tmp_path}/a b.html", 4)
    assert file.url == f"file://{tmp_path}/a%20b.html"
    assert file.fetched_at.timestamp() == 1_700_000_000
    assert file.now > file.fetched_at
    with open_file(file) as raw:
        assert raw.read() == b"page"


@pytest.mark.parametrize(
    "name", ["x//y/../z/", "ü é?.html", "~x", "a%20b#c;d@e:f", "\udcff", "[1]!$&'()*+,=-_."]
)
def test_urls_of_files_are_those_of_pathlib(tmp_path: Path, name: str) -> None:
    path = f"{tmp_path}/{name}"
    (file,) = _find_all([path], SETTINGS, datetime.now(UTC))
    assert file.url == Path(os.path.abspath(path)).as_uri()


def test_folders_are_walked_in_order_and_once(tmp_path: Path) -> None:
    for name in ("b/2", "b/10", "a", "b/.hidden/x", "c/d/e", "Z"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "c" / "up").symlink_to(tmp_path)
    paths = [file.path for file in found(tmp_path) if isinstance(file, InputFile)]
    assert [path.removeprefix(f"{tmp_path}/") for path in paths] == ["Z", "a", "b/10", "b/2", "c/d/e"]


def test_pipes_and_standard_input_have_no_size(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    pipe, standard = found(tmp_path / "pipe", "-")
    assert isinstance(pipe, InputFile)
    assert isinstance(standard, InputFile)
    assert (pipe.size, standard.size, standard.path) == (None, None, "-")
    (in_folder,) = found(tmp_path)
    assert isinstance(in_folder, Rejection)
    assert in_folder.reason is Reason.UNSUPPORTED


def test_what_is_missing_or_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="gone: no such file or folder"):
        find_files([str(tmp_path / "gone")], SETTINGS)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (broken,) = found(tmp_path / "link")
    assert isinstance(broken, Rejection)
    assert broken.detail == "the file is gone, or a link to nothing"
    assert os_error(PermissionError(13, "Permission denied")).startswith("Permission denied: make")
