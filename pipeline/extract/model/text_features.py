"""The evidence of a page's blocks that their texts hold, all of them read in one go."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.text import CLOSING, EXCLAMATIONS, FULL_STOPS, QUESTIONS, STOPS, runs_key

Array = NDArray[np.float32]

# Classes of characters, one bit each; a character may be of several.
(
    _UPPER, _DIGIT, _LETTER, _COMMA, _STOP, _QUOTE, _SEPARATOR, _SIGN, _BLANK, _END, _CLOSE, _LOWER,
) = (1 << n for n in range(12))  # fmt: skip
# One character in ten or twenty is of these; all that is counted begins with one of them.
_COUNTED = _UPPER | _DIGIT | _COMMA | _STOP | _QUOTE | _SEPARATOR | _SIGN
_OTHER_CHARS = 0x10000
# Places of a text's last characters, from its end.
_LAST = np.array([[1], [2], [3], [4]])
_COLON, _POINT, _SLASH, _ZERO, _ONE, _TWO, _NINE = map(ord, ":./0129")

# Headlines and summaries of the page in hand, which are looked for among its blocks several times.
folded_before = lru_cache(maxsize=16)(runs_key)

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
        (_STOP, f"[{FULL_STOPS}{EXCLAMATIONS}{QUESTIONS}]"),
        (_QUOTE, '["“”„«»「」]'),
        (_SEPARATOR, "[|·•»›→▶►/]"),
        (_SIGN, "[@©]"),
        (_BLANK, r"\s"),
        (_END, f"[{STOPS}]"),
        (_CLOSE, f"[{CLOSING}]"),
    ):
        for match in re.finditer(f"{chars}+", every):
            codes = [ord(char) for char in match[0]]
            table[codes] |= bit
    table[[code for code in range(_OTHER_CHARS) if chr(code).islower()]] |= _LOWER
    return table


def text_evidence(out: Array, texts: Sequence[str], words: Array, chars: Array, links: Array) -> None:
    """Fills `out`, (len(TEXT_NAMES), n), with counts of kinds of characters and the like.

    words, chars, links: of each of the n texts, how many it has, (n,).
    """
    # parted by a character of no class, and padded so that what stands around a character can be looked at
    codes = np.frombuffer(
        ("\0\0\0\0" + "\0".join(texts) + "\0\0\0\0").encode("utf-32-le", "surrogatepass"), dtype=np.uint32
    )
    classes = _char_classes().take(codes, mode="clip")
    lengths = chars.astype(np.intp)
    ends = np.cumsum(lengths + 1) + 3  # where the character after each text stands
    at = np.flatnonzero((classes & _COUNTED) != 0)
    kind, before, after = classes.take(at), classes.take(at - 1), classes.take(at + 1)
    marks = np.zeros((8, len(at) + 1), dtype=np.bool_)
    found = marks[:, 1:]
    found[0] = kind & _UPPER
    found[1] = found[0] & ((before & _LETTER) == 0) & ((after & _LETTER) != 0)
    found[2] = kind & _COMMA
    found[3] = kind & _QUOTE
    found[4] = kind & _SEPARATOR
    found[5] = ((kind & _STOP) != 0) & ((after & _BLANK) != 0)
    found[6] = kind & _SIGN
    # addresses: // after a colon
    slash = found[4].nonzero()[0]
    place = at[slash]
    found[6, slash] |= (codes[place] == _SLASH) & (codes[place + 1] == _SLASH) & (codes[place - 1] == _COLON)
    # times and years: from their first digit
    digit = (kind & _DIGIT).nonzero()[0]
    place = at[digit]
    code, next_code = codes[place], codes[place + 1]
    is_clock = (next_code == _COLON) | (next_code == _POINT)
    is_year = ((code == _ONE) & (next_code == _NINE)) | ((code == _TWO) & (next_code == _ZERO))
    is_year &= ((before[digit] | classes[place + 4]) & _LETTER) == 0
    found[7, digit] = (is_clock | is_year) & ((classes[place + 2] & classes[place + 3] & _DIGIT) != 0)
    # what was met before the end of each text, less what was met before that of the text above
    counts = np.cumsum(marks, axis=1, dtype=np.int32).take(np.searchsorted(at, ends), axis=1)
    counts[:, 1:] -= counts[:, :-1].copy()
    # a stop, and after it no more than three marks that close something
    last = classes.take(ends - _LAST)
    stops, closes = (last & _END) != 0, (last & _CLOSE) != 0
    ended = stops[0] | (closes[0] & (stops[1] | (closes[1] & (stops[2] | (closes[2] & stops[3])))))
    first = classes.take(ends - lengths)

    out[0] = words
    out[1] = chars
    out[2] = chars / words
    out[3] = links / words
    out[4] = ended
    out[5] = (first & _LOWER) != 0
    out[6] = (first & _UPPER) != 0
    out[7] = (first & _LETTER) == 0
    upper, capitalised, commas, quotes, separators, full_stops, signs, times = counts.astype(np.float32)
    out[8] = upper / chars
    out[9] = capitalised / words
    out[10] = commas / words
    out[11] = full_stops
    out[12] = quotes
    out[13] = separators / words
    out[14] = signs > 0
    out[15] = times > 0
