"""The scripts that write no blanks between words. A word is there what a rule says, often a character."""

from __future__ import annotations

# First and last code points.
UNSPACED_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    *((0x3005, 0x3007), (0x3040, 0x30FA), (0x30FC, 0x30FF)),  # kana
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),  # Han
)


def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


# For within the brackets of an expression.
UNSPACED = _class(UNSPACED_RANGES)
THAI_AND_LAO = _class(UNSPACED_RANGES[:1])
