"""Features of a block from its text: kinds of characters, how it begins and ends."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

# Classes of characters, a bit each; a character may be of several.
(
    _UPPER, _DIGIT, _LETTER, _COMMA, _STOP, _QUOTE, _SEPARATOR, _SIGN, _BLANK, _END, _CLOSE, _LOWER,
) = (1 << n for n in range(12))  # fmt: skip
# All that is counted begins with a character of these classes; one in ten or twenty is.
_COUNTED = _UPPER | _DIGIT | _COMMA | _STOP | _QUOTE | _SEPARATOR | _SIGN
_OTHER_CHARS = 0x10000
# The last four characters of a text, counted from its end.
_LAST = np.array([[1], [2], [3], [4]])
_COLON, _POINT, _SLASH, _ZERO, _ONE, _TWO, _NINE = map(ord, ":./0129")

TEXT_FEATURES = (
    "words", "chars", "word_length", "links_per_word", "sentence_end", "lower_start", "upper_start",
    "mark_start", "upper", "capitalised", "commas", "stops", "quotes", "separators", "address", "clock",
)  # fmt: skip


@cache
def _char_classes() -> NDArray[np.uint16]:
    """The classes of every character of the Basic Multilingual Plane, and 0 for all others; (65537,)."""
    # The shipped model was trained with these marks: with those of pipeline.text it has to be trained again.
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
    table[[code for code in range(_OTHER_CHARS) if chr(code).islower()]] |= _LOWER
    return table


def text_features(texts: Sequence[str], words: Array, chars: Array, links: Array) -> Array:
    """The features `TEXT_FEATURES` of n texts, (len(TEXT_FEATURES), n) float32.

    All characters of all texts are classed in one numpy pass. words, chars, links: of each text, how many it
    has, (n,).
    """
    # Separated by a character of no class, and padded so that the characters around one can be looked at.
    codes = np.frombuffer(
        ("\0\0\0\0" + "\0".join(texts) + "\0\0\0\0").encode("utf-32-le", "surrogatepass"), dtype=np.uint32
    )
    classes = _char_classes().take(codes, mode="clip")
    lengths = chars.astype(np.intp)
    ends = np.cumsum(lengths + 1) + 3  # the place of the character after each text
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
    # Addresses: // after a colon.
    slash = found[4].nonzero()[0]
    place = at[slash]
    found[6, slash] |= (codes[place] == _SLASH) & (codes[place + 1] == _SLASH) & (codes[place - 1] == _COLON)
    # Times of day, and years: from their first digit.
    digit = (kind & _DIGIT).nonzero()[0]
    place = at[digit]
    code, next_code = codes[place], codes[place + 1]
    is_clock = (next_code == _COLON) | (next_code == _POINT)
    is_year = ((code == _ONE) & (next_code == _NINE)) | ((code == _TWO) & (next_code == _ZERO))
    is_year &= ((before[digit] | classes[place + 4]) & _LETTER) == 0
    found[7, digit] = (is_clock | is_year) & ((classes[place + 2] & classes[place + 3] & _DIGIT) != 0)
    # What stands before the end of each text, less what stands before the end of the previous text.
    counts = np.cumsum(marks, axis=1, dtype=np.int32).take(np.searchsorted(at, ends), axis=1)
    counts[:, 1:] -= counts[:, :-1].copy()
    # A stop, and after it at most three marks that close something.
    last = classes.take(ends - _LAST)
    stops, closes = (last & _END) != 0, (last & _CLOSE) != 0
    ended = stops[0] | (closes[0] & (stops[1] | (closes[1] & (stops[2] | (closes[2] & stops[3])))))
    first = classes.take(ends - lengths)

    upper, capitalised, commas, quotes, separators, full_stops, signs, times = counts.astype(np.float32)
    by_name = {
        "words": words,
        "chars": chars,
        "word_length": chars / words,
        "links_per_word": links / words,
        "sentence_end": ended,
        "lower_start": (first & _LOWER) != 0,
        "upper_start": (first & _UPPER) != 0,
        "mark_start": (first & _LETTER) == 0,
        "upper": upper / chars,
        "capitalised": capitalised / words,
        "commas": commas / words,
        "stops": full_stops,
        "quotes": quotes,
        "separators": separators / words,
        "address": signs > 0,
        "clock": times > 0,
    }
    return np.array([by_name[name] for name in TEXT_FEATURES], dtype=np.float32)
