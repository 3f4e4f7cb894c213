"""Tar archives: headers that tar programs write are read, within their bounds."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from pipeline.document import Rejection
from pipeline.settings import Settings
from tests.crawler.files.making import PAGE, documents, ends, read


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names(tmp_path: Path, format: int) -> None:
    names = ["folder/" * 40 + "page.html", "Brücke/geöffnet.html", "short.html"]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format, pax_headers={"comment": "7" * 900}) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(PAGE), 1_700_000_000.5
            archive.addfile(info, io.BytesIO(PAGE))
    (tmp_path / "a.tar").write_bytes(out.getvalue())
    found = documents(read(tmp_path))
    assert [d.location.removeprefix(f"{tmp_path}/a.tar!") for d in found] == names
    assert {d.body for d in found} == {PAGE}


@pytest.mark.parametrize("format", ["gnu", "pax"])
def test_a_sparse_file_that_tar_writes_does_not_hide_what_follows(tmp_path: Path, format: str) -> None:
    with open(tmp_path / "disk.img", "wb") as file:
        for number in range(40):
            file.seek(number * 100_000)
            file.write(b"disk")
    (tmp_path / "page.html").write_bytes(PAGE)
    command = ["tar", "--sparse", f"--format={format}", "-cf", "a.tar", "disk.img", "page.html"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert (tmp_path / "a.tar").stat().st_size < 1_000_000, "tar has found the holes"
    items = read(tmp_path / "a.tar", settings=Settings())
    assert ends(items, tmp_path) == ["a.tar!disk.img: unsupported type", "a.tar!page.html"]


def test_headers_are_counted_by_member(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for number in range(200):
            info = tarfile.TarInfo(f"{number}.html")
            info.size, info.pax_headers = len(PAGE), {"comment": "a"}
            archive.addfile(info, io.BytesIO(PAGE))
    (tmp_path / "a.tar").write_bytes(out.getvalue())
    assert len(documents(read(tmp_path))) == 200, "each member has its own headers"


def test_a_pax_header_whose_records_do_not_fit_is_damage(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a.html", "b.html"):
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(PAGE), {"comment": f"of {name}"}
            archive.addfile(info, io.BytesIO(PAGE))
    damaged = out.getvalue().replace(b" comment=of b.html", b" comment+of b.html")
    (tmp_path / "a.tar").write_bytes(damaged)
    items = read(tmp_path)
    assert ends(items, tmp_path) == ["a.tar!a.html", "a.tar: unreadable"]
    assert isinstance(items[1], Rejection)
    assert "damaged pax header" in items[1].detail
