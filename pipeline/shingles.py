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

import numpy as np
import xxhash
from numpy.typing import NDArray

Tokens = NDArray[np.uint64]
Hashes = NDArray[np.uint32]

# The low bits of a token say what it is; those in `_CONTEXT` are no part of what it is compared by.
_CHARACTER = np.uint64(1)
_FIGURE = np.uint64(2)
_CAPITAL = np.uint64(4)
_CENT = np.uint64(8)  # may be the second word of "per cent"
_HEAD = np.uint64(16)  # may be the 12 of "12 500", or its 500
_TAIL = np.uint64(32)  # may be the 500
_WHAT = ~(_CAPITAL | _CENT | _HEAD | _TAIL)
_BITS = 63

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
_HEAD_DIGITS = re.compile(r"(?<![\w.,])\d{1,3}$")
_TAIL_DIGITS = re.compile(r"\d{3}(?!\w)")
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
_CENTS = frozenset(second for _, second in _PERCENT_PAIRS)
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = {word: n for n, word in enumerate(_UNITS.split())} | {
    word: 20 + 10 * n for n, word in enumerate(_TENS.split())
}


def _token(text: str, flags: int = 0) -> int:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) & ~_BITS | flags


def _number(text: str) -> int:
    """`text` is digits with `_` for the decimal mark; zeros that change no value go."""
    whole, _, part = text.partition("_")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    return _token(f"{whole}_{part}" if part else whole, int(_FIGURE))


def _fold(raw: str) -> bytes:
    """The tokens of a run of text without blanks: none for a lone dash, three for `16-year-old`.

    As the bytes of native uint64s: joining bytes is the fastest way from many words to one array.
    """
    text = raw
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _ACCENT.sub("", unicodedata.normalize("NFKD", text)))
    text = text.replace("_", " ").translate(_APOSTROPHES)
    if any(c.isdecimal() for c in text):
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
        text = _GROUPED.sub(lambda m: re.sub(r"\D", "", m[0]), text)
        text = _DECIMAL.sub("_", text)
    text = _POSSESSIVE.sub("", text).replace("'", "").replace("%", " percent ")
    found = np.fromiter(_spoken(text), dtype=np.uint64)
    if found.size and text[-1].isdecimal() and _HEAD_DIGITS.search(text):
        found[-1] |= _HEAD
    if found.size and _TAIL_DIGITS.match(text):
        found[0] |= _TAIL
    return found.tobytes()


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
            yield _token(_SAME_WORD.get(word, word), int(_CAPITAL) * capital | int(_CENT) * (word in _CENTS))
    if tens:
        yield _number(str(tens))


class _Memo(dict[str, bytes]):
    """Raw word -> its tokens; a word that is not there is folded and, within limits, kept."""

    def __missing__(self, raw: str) -> bytes:
        folded = _fold(raw)
        if len(raw) <= _MEMO_LONGEST:
            if len(self) >= _MEMO_LIMIT:
                self.clear()
            self[raw] = folded
        return folded


_memo = _Memo()
_PERCENT_TOKEN = np.uint64(_token(_PERCENT))
_PERCENT_TOKENS = [(np.uint64(_token(first)), np.uint64(_token(second))) for first, second in _PERCENT_PAIRS]
_SMALL_NUMBERS = {_number(str(n)): n for n in range(1000)}


def tokens(text: str) -> Tokens:
    """The folded words of `text` in order, one uint64 each; shape (words,). `spelling` compares them."""
    found: Tokens = np.frombuffer(b"".join(map(_memo.__getitem__, text.split())), dtype=np.uint64)
    if _has(found, _CENT):
        found = _join_percent(found)
    if _has(found, _TAIL):
        found = _join_digits(found)
    return found


def _has(found: Tokens, flag: np.uint64) -> bool:
    return bool(np.bitwise_or.reduce(found) & flag)


def _join_percent(found: Tokens) -> Tokens:
    """`per cent` -> the one token of `percent`."""
    words = spelling(found)
    second = np.zeros(found.size, dtype=np.bool_)
    for per, cent in _PERCENT_TOKENS:
        second[1:] |= (words[:-1] == per) & (words[1:] == cent)
    found = np.where(second, _PERCENT_TOKEN, found)
    joined: Tokens = found[~np.append(second[1:], False)]
    return joined


def _join_digits(found: Tokens) -> Tokens:
    """`12 500` -> the one token of `12,500`; a blank is the separator of half of Europe."""
    joins = ((found[:-1] & _HEAD) != 0) & ((found[1:] & _TAIL) != 0)
    if not joins.any():
        return found
    found = found.copy()
    keep = np.ones(found.size, dtype=np.bool_)
    keep[:-1] = ~joins  # of a run the last stays, and becomes the number
    digits = ""
    for at in np.flatnonzero(joins).tolist():
        digits = digits or str(_SMALL_NUMBERS[int(spelling(found[at]))])
        digits += f"{_SMALL_NUMBERS[int(spelling(found[at + 1]))]:03}"
        if at + 1 == joins.size or not joins[at + 1]:
            found[at + 1] = _number(digits)
            digits = ""
    joined: Tokens = found[keep]
    return joined


def spelling(found: Tokens) -> Tokens:
    """The tokens without what depends on their place: equal for equal words."""
    words: Tokens = found & _WHAT
    return words


def particulars(found: Tokens) -> Tokens:
    """The distinct figures and capitalised words among the tokens, sorted.

    They tell two issues of one template apart, which share their other words. Scripts without capitals
    have figures only; the first word of a sentence is in, as it is most likely to stand in a copy too.
    """
    distinct: Tokens = np.unique(spelling(found[(found & (_FIGURE | _CAPITAL)) != 0]))
    return distinct


# Odd multipliers, one for each place in a shingle.
_PLACES = [np.uint64(xxhash.xxh3_64_intdigest(b"shingle", seed=n) | 1) for n in range(16)]


def shingles(found: Tokens, words: int, characters: int) -> Hashes:
    """Hashes of the n-grams in the order in which they begin, repeats included; shape (shingles,), uint32.

    An n-gram that begins with a character of an unspaced script is `characters` tokens long, any other
    `words`. A text shorter than that is one shingle; a text without tokens has none.
    """
    if not found.size:
        return np.empty(0, dtype=np.uint32)
    found = spelling(found)
    if not _has(found, _CHARACTER):
        rolled = _rolled(found, min(words, found.size))
    else:
        rolled = _rolled(found, min(words, characters, found.size))
        unspaced = (found & _CHARACTER) != 0
        keep = np.zeros(rolled.size, dtype=np.bool_)
        for size, starts in ((words, ~unspaced), (characters, unspaced)):
            whole = max(found.size - size + 1, 0)
            rolled[:whole] = np.where(starts[:whole], _rolled(found, size)[:whole], rolled[:whole])
            keep[:whole] |= starts[:whole]
        rolled = rolled[keep] if keep.any() else _rolled(found, found.size)
    return (rolled >> np.uint64(32)).astype(np.uint32)


def _rolled(found: Tokens, size: int) -> Tokens:
    """A sum for each run of `size` tokens; shape (tokens - size + 1,), empty where there are fewer."""
    count = max(found.size - size + 1, 0)
    rolled: Tokens = found[:count] * _PLACES[0]
    for n in range(1, size):
        rolled += found[n : n + count] * _PLACES[n]
    return rolled
