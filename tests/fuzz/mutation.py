"""Makes inputs of inputs, always the same ones for the same random numbers."""

from __future__ import annotations

import random
from collections.abc import Sequence

_NUMBERS = (b"0", b"-1", b"255", b"65536", b"2147483648", b"99999999999999999999", b"1e309", b"NaN")
_BYTES = (
    b"\0",
    b"\xff",
    b"\x80",
    b"\n",
    b"\r\n",
    b'"',
    b"'",
    b"<",
    b">",
    b"&",
    b"%",
    b"/",
    b"\\",
    b"\xcc\x81",
)


def mutated(seed: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """The seed after one to six changes; others: seeds from which pieces are taken."""
    data = bytearray(seed)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        start, end = _piece(len(data), chance)
        kind = chance.randrange(8)
        if kind == 0 and data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[start:end]
        elif kind == 2:
            data[start:start] = data[start:end] * chance.choice((1, 3, 20))
        elif kind == 3:
            data[start:start] = chance.choice(_BYTES) * chance.choice((1, 1, 2, 70))
        elif kind == 4:
            data[start:end] = chance.choice(_NUMBERS)
        elif kind == 5:
            other = chance.choice(others)
            first, last = _piece(len(other), chance)
            data[start:end] = other[first:last]
        elif kind == 6:
            del data[start:]
        else:
            data[start:end] = chance.randbytes(end - start)
    return bytes(data)


def _piece(length: int, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(length + 1)
    return start, min(length, start + chance.choice((1, 2, 4, 8, 16, 64, 300)))


def pumped(data: bytes, start: int, end: int, size: int) -> bytes:
    """The data with a piece of it repeated, `size` bytes long or a little longer."""
    piece = data[start:end]
    times = max(1, (size - len(data)) // max(1, len(piece)) + 1)
    return data[:start] + piece * times + data[end:]


def places(data: bytes, count: int, chance: random.Random) -> list[tuple[int, int]]:
    """Some pieces of the data to repeat."""
    found = (_piece(len(data), chance) for _ in range(count))
    return [(start, end) for start, end in found if end > start]
