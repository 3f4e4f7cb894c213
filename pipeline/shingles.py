"""Words, figures and shingles of a text: what fingerprints and verification both compare.

Outlets restyle agency copy: other quotes and dashes, `per cent` for `pct`, `1.250,5` for `1,250.5`,
`seven` for `7`, curly for straight. A token is what is left when such differences are folded away, so that
a restyled copy has the shingles of its source. Tokens are 64-bit hashes from the start: a text is an array,
and n-grams are rolled over it in numpy.

Scripts that write no blanks between words (Han, kana, Thai, Lao, Khmer, Burmese) give one token a
character and longer shingles. That is decided for each character and never from the page's language,
which is a guess, and wrong for texts in two languages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import chain

import numpy as np
import xxhash
from numpy.typing import NDArray

Tokens = NDArray[np.uint64]
Hashes = NDArray[np.uint32]

# The low bits of a token say what it is. Whether a word had a capital is no part of what it is compared
# by: `_WHAT` takes that bit off.
_CHARACTER = np.uint64(1)
_FIGURE = np.uint64(2)
_CAPITAL = np.uint64(4)
_WHAT = ~_CAPITAL

# A raw word is folded once and then remembered. News repeats its words; the limit is for crawls of many
# languages, where the memo is emptied and fills again.
_MEMO_LIMIT = 1 << 16
_MEMO_LONGEST = 40

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼ`´"), "'") | dict.fromkeys(
    map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff")  # soft hyphens, joiners: not seen, not written
)
_POSSESSIVE = re.compile(r"'s\b", re.IGNORECASE)
_ACCENT = re.compile("[\u0300-\u036f]")
_GROUPED = re.compile(r"(?<![\d.,])([1-9]\d{0,2})((?:([.,'’ \u00a0\u202f\u2009])\d{3})(?:\3\d{3})*)(?![\d])")
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_TOKEN = re.compile(
    f"(?P<number>\\d+(?:_\\d+)?)|(?P<character>[{_UNSPACED}])|(?P<word>[^\\W\\d_{_UNSPACED}]+)"
)

_PERCENT = "%"
_PERCENT_WORDS = (
    "percent pct prozent procent procento procenta percento pourcent "
    "процент процента процентов відсоток відсотка відсотки відсотків"
)
_SAME_WORD = {
    **dict.fromkeys(_PERCENT_WORDS.split(), _PERCENT),
    "mln": "million",
    "bln": "billion",
    "bn": "billion",
    "trln": "trillion",
}
_PERCENT_PAIRS = (("per", "cent"), ("per", "cento"), ("por", "ciento"), ("por", "cento"), ("pour", "cent"))
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = {word: n for n, word in enumerate(_UNITS.split())} | {
    word: 20 + 10 * n for n, word in enumerate(_TENS.split())
}


def _token(text: str, flags: int = 0) -> int:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) & ~7 | flags


def _number(text: str) -> int:
    """`text` is digits with `_` for the decimal mark; zeros that change no value go."""
    whole, _, part = text.partition("_")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    return _token(f"{whole}_{part}" if part else whole, int(_FIGURE))


def _fold(raw: str) -> tuple[int, ...]:
    """The tokens of a run of text without blanks: none for a lone dash, three for `16-year-old`."""
    text = raw
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _ACCENT.sub("", unicodedata.normalize("NFKD", text)))
    text = text.replace("_", " ").translate(_APOSTROPHES)
    if any(c.isdecimal() for c in text):
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
        text = _GROUPED.sub(lambda m: re.sub(r"\D", "", m[0]), text)
        text = _DECIMAL.sub("_", text)
    text = _POSSESSIVE.sub("", text).replace("'", "").replace("%", " percent ")
    return tuple(_spoken(text))


def _spoken(text: str) -> Iterable[int]:
    tens = 0
    for match in _TOKEN.finditer(text):
        written = match[0]
        word = written.casefold()
        value = _NUMBER_WORDS.get(word)
        if tens:
            if value is not None and 0 < value < 10:  # twenty-five
                yield _number(str(tens + value))
                tens = 0
                continue
            yield _number(str(tens))
            tens = 0
        if value is not None and value >= 20:
            tens = value
        elif match.lastgroup == "number":
            yield _number(word)
        elif value is not None:
            # "one" is as often a pronoun, "zero" an adjective: the same word as 1, but no figure
            yield _number(str(value)) if value > 1 else _token(str(value))
        elif match.lastgroup == "character":
            yield _token(word, int(_CHARACTER))
        else:
            capital = len(written) > 1 and written[0].isupper()
            yield _token(_SAME_WORD.get(word, word), int(_CAPITAL) if capital else 0)
    if tens:
        yield _number(str(tens))


class _Memo(dict[str, tuple[int, ...]]):
    """Raw word -> its tokens; a word that is not there is folded and, within limits, kept."""

    def __missing__(self, raw: str) -> tuple[int, ...]:
        folded = _fold(raw)
        if len(raw) <= _MEMO_LONGEST:
            if len(self) >= _MEMO_LIMIT:
                self.clear()
            self[raw] = folded
        return folded


_memo = _Memo()
_PAIRS = tuple((np.uint64(_token(a)), np.uint64(_token(b))) for a, b in _PERCENT_PAIRS)
_PERCENT_TOKEN = np.uint64(_token(_PERCENT))
_BARE = {_number(str(n)): str(n) for n in range(1, 1000)}
_BARE_TOKENS = np.array(sorted(_BARE), dtype=np.uint64)


def tokens(text: str) -> Tokens:
    """The folded words of `text` in order, one uint64 each; shape (words,). `spelling` compares them."""
    found = np.fromiter(chain.from_iterable(map(_memo.__getitem__, text.split())), dtype=np.uint64)
    return _join_percent(found) if found.size else found


def _join_percent(found: Tokens) -> Tokens:
    """`per cent` -> the one token of `percent`."""
    drop: NDArray[np.bool_] | None = None
    for first, second in _PAIRS:
        at = found[:-1] == first
        if at.any():
            at &= found[1:] == second
            if at.any():
                found = found.copy()
                found[1:][at] = _PERCENT_TOKEN
                drop = np.zeros(found.size, dtype=np.bool_) if drop is None else drop
                drop[:-1] |= at
    return found if drop is None else found[~drop]


def spelling(found: Tokens) -> Tokens:
    """The tokens without the mark of capitals: equal for equal words."""
    return found & _WHAT


def particulars(found: Tokens) -> Tokens:
    """The distinct figures and capitalised words among the tokens, sorted.

    They tell two issues of one template apart, which share their other words. Scripts without capitals
    have figures only; the first word of a sentence is in, as it is most likely to stand in a copy too.
    """
    distinct: Tokens = np.unique(spelling(found[(found & (_FIGURE | _CAPITAL)) != 0]))
    return distinct


_WEIGHTS = np.array(
    [xxhash.xxh3_64_intdigest(b"shingle", seed=n) | 1 for n in range(64)],
    dtype=np.uint64,
)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def _windows(found: Tokens, size: int) -> NDArray[np.uint64]:
    count = found.size - size + 1
    total: NDArray[np.uint64] = found[:count] * _WEIGHTS[0]
    for n in range(1, size):
        total += (found[n : n + count] ^ (found[n : n + count] >> np.uint64(29))) * _WEIGHTS[n]
    return total


def shingles(found: Tokens, words: int, characters: int) -> Hashes:
    """Hashes of the n-grams, in order, repeats included; shape (shingles,), uint32.

    An n-gram that begins with a character of an unspaced script is `characters` tokens long, any other
    `words`. A text shorter than that is one shingle; a text without tokens has none.
    """
    if not found.size:
        return np.empty(0, dtype=np.uint32)
    found = spelling(found)
    unspaced = (found & _CHARACTER) != 0
    parts = []
    for size, starts in ((words, ~unspaced), (characters, unspaced)):
        if found.size >= size and starts.any():
            parts.append(_windows(found, size)[starts[: found.size - size + 1]])
    rolled = np.concatenate(parts) if parts else np.empty(0, dtype=np.uint64)
    if not rolled.size:
        rolled = np.array([xxhash.xxh3_64_intdigest(found.tobytes())], dtype=np.uint64)
    rolled = (rolled ^ (rolled >> np.uint64(32))) * _MIX
    return (rolled >> np.uint64(32)).astype(np.uint32)
