"""A stream of which any part ahead can be looked at before it is taken."""

from __future__ import annotations

from re import Match, Pattern

from crawler.files.unpack import Reader

# The buffer is moved to its start when so much of it was taken, so that moving costs little for each byte.
_PIECE = 1 << 16


class Window:
    """The bytes of a stream from the present position on, of which as many are in memory as were asked for.

    A damaged length is found by looking at its end. What was looked at in vain stays in this one buffer, and
    neither is copied nor has a reader put in front of the stream.
    """

    def __init__(self, source: Reader) -> None:
        self._source = source
        self._held = bytearray()
        self._at = 0  # where the position is in what is held

    def fill(self, size: int) -> int:
        """Hold `size` bytes from the position on, if there are as many; return how many are held."""
        held = len(self._held) - self._at
        if held < size and self._at > max(held, _PIECE):
            del self._held[: self._at]
            self._at = 0
        while held < size and (piece := self._source.read1(max(_PIECE, size - held))):
            self._held += piece
            held += len(piece)
        return held

    def peek(self, begin: int, end: int) -> bytes:
        """The bytes between these distances from the position, as far as they are held."""
        return bytes(memoryview(self._held)[self._at + begin : self._at + end])

    def find(self, pattern: Pattern[bytes], size: int) -> Match[bytes] | None:
        """Search the next `size` bytes, as far as they are held. `distance` gives a match's distance."""
        return pattern.search(self._held, self._at, self._at + size)

    def distance(self, place: int) -> int:
        """Turn a place that a match gives into a distance from the position."""
        return place - self._at

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end of the stream, and move behind them."""
        taken = self.peek(0, min(size, self.fill(size)))
        self._at += len(taken)
        return taken

    def skip(self, size: int) -> int:
        """Move forward without holding what is between; return by how many bytes."""
        skipped = min(size, len(self._held) - self._at)
        self._at += skipped
        while skipped < size and (piece := self._source.read(min(_PIECE, size - skipped))):
            skipped += len(piece)
        return skipped

    def line(self, limit: int) -> bytes:
        """Return the next line with its end, at most `limit` bytes of it, and move behind it."""
        looked = 0
        while True:
            held = min(limit, len(self._held) - self._at)
            end = self._held.find(b"\n", self._at + looked, self._at + held)
            if end >= 0:
                return self.take(end + 1 - self._at)
            looked = held
            if held == limit or self.fill(held + 1) == held:
                return self.take(held)
