"""The pictures of the documentation can be made, show something, and stand on their page."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from tests.copydesk.web.pictures import FOLDER, ROOT, WIDTH, make_pictures

_NAMES = ["desk-article.png", "desk-diff.png", "desk-search.png", "desk-stories.png", "desk-story.png"]


def _lines(path: Path) -> tuple[int, list[bytes]]:
    """Width of a PNG, and its lines of pixels, still filtered."""
    data, at, packed = path.read_bytes(), 8, b""
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        packed += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    pixels = zlib.decompress(packed)
    line = len(pixels) // height
    return width, [pixels[start : start + line] for start in range(0, len(pixels), line)]


def test_each_is_made_and_is_not_blank(tmp_path: Path) -> None:
    made = make_pictures(tmp_path)
    assert sorted(path.name for _, path in made) == _NAMES
    for picture, path in made:
        width, lines = _lines(path)
        assert (width, len(lines)) == (WIDTH, picture.height)
        # A line of one colour is nearly all zeros. Letters stand in all parts of the page.
        is_written = [len(set(line)) > 10 for line in lines]
        for start in range(0, picture.height - 129, 130):
            assert any(is_written[start : start + 130]), (path.name, start)
    assert len({path.read_bytes() for _, path in made}) == len(made)


def test_they_stand_in_the_documentation() -> None:
    page = (ROOT / "docs/how-to/desk.md").read_text(encoding="utf-8")
    for name in _NAMES:
        assert f"](../images/{name})" in page
        assert (FOLDER / name).stat().st_size < 150_000
    assert "](docs/images/desk-" in (ROOT / "README.md").read_text(encoding="utf-8")
