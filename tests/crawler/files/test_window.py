"""The window on a stream: looking ahead, taking, skipping and lines, whatever pieces the stream comes in."""

from __future__ import annotations

import io
import re

from hypothesis import given
from hypothesis import strategies as st

from crawler.files.window import Window


class Dripping(io.RawIOBase):
    """Gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__()
        self._source, self._size = io.BytesIO(data), size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = self._source.read(min(self._size, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def window(data: bytes, size: int = 1000) -> Window:
    return Window(io.BufferedReader(Dripping(data, size), 16))


def test_what_was_looked_at_is_still_to_be_taken() -> None:
    stream = window(b"one two three")
    assert stream.fill(7) >= 7
    assert stream.peek(4, 7) == b"two"
    assert stream.take(3) == b"one"
    found = stream.find(re.compile(rb"t"), 4)
    assert found is not None
    assert stream.distance(found.start()) == 1
    assert stream.find(re.compile(rb"three"), 5) is None, "beyond what is searched"
    assert stream.skip(5) == 5
    assert stream.take(100) == b"three"
    assert (stream.fill(1), stream.take(1), stream.skip(1), stream.line(9)) == (0, b"", 0, b"")


def test_a_long_skip_holds_nothing() -> None:
    stream = window(b"a" * 1_000_000 + b"b", 100_000)
    assert stream.skip(1_000_000) == 1_000_000
    assert len(stream._held) < 100_000
    assert stream.take(2) == b"b"


def test_looking_ahead_again_and_again_moves_little() -> None:
    """As in a WARC of false lengths: much is held, and a little of it taken each time."""
    stream = window(b"x" * 3_000_000, 100_000)
    moved = 0
    for _ in range(10_000):
        stream.fill(1_000_000)
        before = stream._at
        stream.skip(100)
        moved += stream._at < before
    assert moved <= 1


actions = st.lists(
    st.tuples(st.sampled_from(["take", "skip", "line", "fill"]), st.integers(0, 40)), max_size=30
)


@given(st.binary(max_size=300).map(lambda data: data.replace(b"\x01", b"\n")), st.integers(1, 50), actions)
def test_it_gives_what_a_file_gives(data: bytes, size: int, wanted: list[tuple[str, int]]) -> None:
    stream, plain = window(data, size), io.BytesIO(data)
    for action, number in wanted:
        if action == "take":
            assert stream.take(number) == plain.read(number)
        elif action == "skip":
            assert stream.skip(number) == len(plain.read(number))
        elif action == "line":
            assert stream.line(number) == plain.readline(number)
        else:
            left = len(data) - plain.tell()
            assert min(stream.fill(number), number) == min(left, number)
    assert stream.take(1000) == plain.read()
