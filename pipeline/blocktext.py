"""The evidence of a page's blocks that their texts hold, all of them read in one go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

# Classes of characters, one bit each; a character may be of several.
(
    _UPPER, _DIGIT, _LETTER, _COMMA, _STOP, _QUOTE, _SEPARATOR, _SIGN, _BLANK, _END, _CLOSE,
) = (1 << n for n in range(11))  # fmt: skip
# One character in ten or twenty is of these; all that is counted begins with one of them.
_COUNTED = _UPPER | _DIGIT | _COMMA | _STOP | _QUOTE | _SEPARATOR | _SIGN
_OTHER_CHARS = 0x10000

TEXT_NAMES = (
    "words", "chars", "word_length", "links_per_word", "sentence_end", "lower_start", "upper_start",
    "mark_start", "upper", "capitalised", "commas", "stops", "quotes", "separators", "address", "clock",
)  # fmt: skip


@lru_cache(maxsize=1)
def _char_classes() -> NDArray[np.uint16]:
    """Of every character of the Basic Multilingual Plane, its classes."""
    table = np.zeros(_OTHER_CHARS + 1, dtype=np.uint16)
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, _OTHER_CHARS)]))
    for bit, chars in (
        (_UPPER, "[A-ZÀ-ÞА-ЯЁ]"),
        (_DIGIT, r"\d"),
        (_LETTER, r"\w"),
        (_COMMA, "[,،、;]"),
        (_STOP, "[.!?。।]"),
        (_QUOTE, '["“”„«»「」]'),
        (_SEPARATOR, "[|·•»›→▶►/]"),
        (_SIGN, "[@©]"),
        (_BLANK, r"\s"),
        (_END, "[.!?…。।؟]"),
        (_CLOSE, "[\"'”’»)\\]]"),
    ):
        for match in re.finditer(f"{chars}+", every):
            codes = [ord(char) for char in match[0]]
            table[codes] |= bit
    return table


def text_evidence(out: Array, texts: Sequence[str], words: Array, chars: Array, links: Array) -> None:
    """Fills `out`, (len(TEXT_NAMES), n), with counts of kinds of characters and the like.

    words, chars, links: of each of the n texts, how many it has, (n,).
    """
    n = len(texts)
    # parted by a character of no class, and padded so that what stands around a character can be looked at
    codes = np.frombuffer(
        ("\0\0\0\0" + "\0".join(texts) + "\0\0\0\0").encode("utf-32-le", "surrogatepass"), dtype=np.uint32
    )
    classes = _char_classes().take(codes, mode="clip")
    lengths = chars.astype(np.intp)
    ends = np.cumsum(lengths + 1) + 3  # where the character after each text stands
    at = np.flatnonzero((classes & _COUNTED) != 0)
    owner = np.searchsorted(ends, at)
    kind, before, after = classes[at], classes[at - 1], classes[at + 1]

    def count(marks: NDArray[np.generic]) -> NDArray[np.intp]:
        return np.bincount(owner[marks != 0], minlength=n)

    def is_letter(of: NDArray[np.uint16]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (of & _LETTER) != 0
        return found

    upper = (kind & _UPPER) != 0
    code, next_code = codes[at], codes[at + 1]
    slashes = (code == ord("/")) & (next_code == ord("/")) & (codes[at - 1] == ord(":"))
    digits = np.flatnonzero(kind & _DIGIT)
    place = at[digits]
    two = (classes[place + 2] & classes[place + 3] & _DIGIT) != 0
    code, next_code = code[digits], next_code[digits]
    clock = two & ((next_code == ord(":")) | (next_code == ord(".")))
    year = two & (
        ((code == ord("1")) & (next_code == ord("9"))) | ((code == ord("2")) & (next_code == ord("0")))
    )
    year &= ~is_letter(before[digits]) & ~is_letter(classes[place + 4])
    # a stop, and after it no more than three marks that close something
    ended = np.zeros(n, dtype=np.bool_)
    for back in (4, 3, 2, 1):
        last = classes[ends - back]
        ended = ((last & _END) != 0) | (((last & _CLOSE) != 0) & ended)
    first = classes[ends - lengths]

    out[0] = words
    out[1] = chars
    out[2] = chars / words
    out[3] = links / words
    out[4] = ended
    out[5] = [text[0].islower() for text in texts]
    out[6] = (first & _UPPER) != 0
    out[7] = (first & _LETTER) == 0
    out[8] = count(upper).astype(np.float32) / chars
    out[9] = count(upper & ~is_letter(before) & is_letter(after)).astype(np.float32) / words
    out[10] = count(kind & _COMMA).astype(np.float32) / words
    out[11] = count(((kind & _STOP) != 0) & ((after & _BLANK) != 0))
    out[12] = count(kind & _QUOTE)
    out[13] = count(kind & _SEPARATOR).astype(np.float32) / words
    out[14] = count(((kind & _SIGN) != 0) | slashes) > 0
    out[15] = np.bincount(owner[digits[clock | year]], minlength=n) > 0
