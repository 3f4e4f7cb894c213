"""Writing systems that put no spaces between words, as character classes for regular expressions.

Each constant is meant for the inside of a `[...]`. In these systems a word cannot be told from its neighbours
by spaces, so a character counts as a word (`pipeline.text.words`), and five of them as a shingle
(`pipeline.copies`).
"""

from __future__ import annotations

# First and last code points; decimal digits are not among them, as numbers are cut like everywhere else.
UNSPACED_RANGES = (
    *((0x0E00, 0x0E4F), (0x0E5A, 0x0ECF), (0x0EDA, 0x0EFF)),  # Thai, Lao
    *((0x1000, 0x103F), (0x104A, 0x108F), (0x109A, 0x109F)),  # Burmese
    *((0x1780, 0x17DF), (0x17EA, 0x17FF)),  # Khmer
    *((0x3005, 0x3007), (0x3040, 0x30FA), (0x30FC, 0x30FF)),  # kana
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),  # Han
)


def _class(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


UNSPACED = _class(UNSPACED_RANGES)

# They end a sentence with a space, if with anything.
THAI_AND_LAO = _class(UNSPACED_RANGES[:3])

# Korean puts spaces between words, but may break a line after any syllable.
HANGUL = "\uac00-\ud7af"
