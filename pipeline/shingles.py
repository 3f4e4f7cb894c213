"""Words, figures and shingles of a text: what fingerprints and verification both compare.

Outlets restyle agency copy: other quotes and dashes, `per cent` for `pct`, `1.250,5` for `1,250.5`,
`seven` for `7`, curly for straight. A token is what is left when such differences are folded away, so that
a restyled copy has the shingles of its source. Tokens are 64-bit hashes from the start: a text becomes an
array of characters, and its words are cut, folded, hashed and rolled into n-grams in numpy, a whole text at
a time. Only figures, and the few words that may be part of one, are looked at one by one.

Scripts that write no blanks between words (Han, kana, Thai, Lao, Khmer, Burmese) give one token a
character and longer shingles. That is decided for each character and never from the page's language,
which is a guess, and wrong for texts in two languages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import xxhash
from numpy.typing import NDArray

Tokens = NDArray[np.uint64]
Hashes = NDArray[np.uint32]
Bytes = NDArray[np.uint8]
Places = NDArray[np.intp]

# The low bits of a token say what it is; those in `_CONTEXT` are no part of what it is compared by.
_CENT = 1  # may be the second word of "per cent"
_FIGURE = 2  # as the kind of its first character
_CAPITAL = 4
_CHARACTER = 8  # likewise
_TENS = 16  # may be the first word of "twenty-five"
_UNIT = 32  # may be the second
_BITS = 63
_CONTEXT = _CAPITAL | _CENT | _TENS | _UNIT
_BARE = np.uint64(2**64 - 1 - _BITS)
_WHAT = np.uint64(2**64 - 1 - _CONTEXT)

# --- characters ---------------------------------------------------------------------------------------

# What a character is; a token begins where a kind does. The upper bits are no kinds.
_LETTER, _DIGIT, _PERCENT_SIGN, _UNSPACED = 1, _FIGURE, 4, _CHARACTER
_KINDS = 15
_UPPER = 16
_ODD = 64  # stands for several characters or none: the text has to be normalised before it is cut
_UNKNOWN = 128  # not looked at yet

_UNSPACED_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    *((0x3005, 0x3007), (0x3040, 0x30FA), (0x30FC, 0x30FF)),  # kana
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),  # Han
)
_APOSTROPHES = "’‘ʼ´"
_UNSEEN = re.compile("[\u00ad\u200b\u200c\u200d\u2060\ufeff]")  # soft hyphens, joiners
_ACCENT = re.compile("[\u0300-\u036f]")
_JAMO = range(0x1100, 0x1200)

# By code point, filled as characters turn up: what it is, and the letter or digit that it is compared as,
# 0 where it belongs to no word.
_kind_of = np.full(0x110000, _UNKNOWN, dtype=np.uint8)
_folded = np.zeros(0x110000, dtype=np.uint32)


def _settled(text: str) -> str:
    """The text with compatibility characters spelled out, and without accents and unseen characters."""
    text = _ACCENT.sub("", unicodedata.normalize("NFKD", _UNSEEN.sub("", text)))
    return unicodedata.normalize("NFKC", text).replace("ß", "ss").replace("ẞ", "SS")


def _look_up(code: int) -> None:
    """Enters a character into `_kind_of` and `_folded`."""
    settled = _settled(chr(code)) if not 0xD800 <= code < 0xE000 else ""
    kind, folded = 0, 0
    if len(settled) == 1:
        lower = settled.casefold()
        if any(first <= code <= last for first, last in _UNSPACED_RANGES) and not settled.isdecimal():
            kind, folded = _UNSPACED, ord(lower) if len(lower) == 1 else ord(settled)
        elif settled.isdecimal():
            kind, folded = _DIGIT, ord("0") + unicodedata.decimal(settled)
        elif settled.isalnum():
            kind, folded = _LETTER, ord(lower) if len(lower) == 1 else ord(settled)
            kind |= _UPPER * settled.isupper()
        elif settled == "%":
            kind, folded = _PERCENT_SIGN, ord("%")
    if code in _JAMO or (len(settled) != 1 and (not settled or any(map(str.isalnum, settled)))):
        kind |= _ODD
    _folded[code] = folded  # before its kind, by which another thread may tell that it is known
    _kind_of[code] = kind


for _code in range(128):
    _look_up(_code)
_ASCII_KIND = bytes((_kind_of[:128] & _KINDS).tolist()) + bytes(128)
_ASCII_FOLDED = bytes(_folded[:128].tolist()) + bytes(128)


def _characters(text: str) -> tuple[str, Bytes, NDArray[np.uint8] | NDArray[np.uint32]]:
    """The text as it is cut, the kinds of its characters between two blanks, and what they are compared as.

    Shapes (characters + 2,) and (characters,).
    """
    text = text.replace("'", "").replace("`", "")
    if text.isascii():
        raw = text.encode()
        kinds = np.frombuffer(b"\0%b\0" % raw.translate(_ASCII_KIND), dtype=np.uint8)
        return text, kinds, np.frombuffer(raw.translate(_ASCII_FOLDED), dtype=np.uint8)
    for apostrophe in _APOSTROPHES:
        text = text.replace(apostrophe, "")
    codes, found = _looked_up(text)
    if np.bitwise_or.reduce(found) & _ODD:
        text = _settled(text)
        codes, found = _looked_up(text)
    kinds = np.zeros(found.size + 2, dtype=np.uint8)
    np.bitwise_and(found, _KINDS, out=kinds[1:-1])
    return text, kinds, _folded.take(codes)


def _looked_up(text: str) -> tuple[NDArray[np.uint32], Bytes]:
    """Code points and kinds of the characters."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    kinds = _kind_of.take(codes)
    unknown = kinds == _UNKNOWN
    if unknown.any():
        for code in np.unique(codes[unknown]).tolist():
            _look_up(code)
        kinds = _kind_of.take(codes)
    return codes, kinds


# --- words --------------------------------------------------------------------------------------------

# A word is hashed as a polynomial of its characters. So many characters are cut at once: as many powers
# are kept, and the arrays of a book-length text stay within the processor's cache.
_PIECE = 1 << 14
_BASE = xxhash.xxh3_64_intdigest(b"character") | 1


@cache
def _powers() -> tuple[Tokens, Tokens]:
    """Powers of the base from 1, and of its inverse mod 2**64 from 0; shape (2 * _PIECE,) each."""

    def of(first: int, base: int) -> Tokens:
        powers = np.full(2 * _PIECE, base, dtype=np.uint64)
        powers[0] = first
        return np.multiply.accumulate(powers)

    return of(_BASE, _BASE), of(1, pow(_BASE, -1, 2**64))


def _word(spelling: str) -> int:
    """The token of a word that is written in folded characters."""
    return sum(ord(c) * pow(_BASE, n, 2**64) for n, c in enumerate(spelling, 1)) & ~_BITS & (2**64 - 1)


def _number(text: str) -> int:
    """`text` is digits with `_` for the decimal mark; zeros that change no value go."""
    whole, _, part = text.partition("_")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    return _word(f"{whole}_{part}" if part else whole) | _FIGURE


# A fullwidth comma groups digits, or parts two clauses; it never marks a fraction.
_RUN = re.compile(r"\d+(?:[.,．， \u00a0\u202f\u2009]\d+)*")
_GROUPED = re.compile(r"(?<![\d.,，])([1-9]\d{0,2})((?:([.,， \u00a0\u202f\u2009])\d{3})(?:\3\d{3})*)(?!\d)")
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_NUMBER = re.compile(r"\d+(?:_\d+)?")
# A run of figures is read once and then remembered. The limit is for a base of prices.
_MEMO_LIMIT = 1 << 16
_MEMO_LONGEST = 40


class _Memo(dict[str, tuple[int, list[int]]]):
    """Figures as printed, with the marks or blank between each two: how many, and the tokens they make."""

    def __missing__(self, raw: str) -> tuple[int, list[int]]:
        text = raw
        if not text.isascii():
            text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
            text = text.replace("．", ".")
        text = _GROUPED.sub(lambda m: re.sub(r"\D", "", m[0]), text)
        numbers = _NUMBER.findall(_DECIMAL.sub("_", text))
        found = (len(re.findall(r"\d+", raw)), [_number(number) for number in numbers])
        if len(raw) <= _MEMO_LONGEST:
            if len(self) >= _MEMO_LIMIT:
                self.clear()
            self[raw] = found
        return found


_memo = _Memo()

_PERCENT_WORDS = (
    "percent pct prozent procent procento procenta percento pourcent "
    "процент процента процентов відсоток відсотка відсотки відсотків"
)
_PERCENT_PAIRS = (("per", "cent"), ("per", "cento"), ("por", "ciento"), ("por", "cento"), ("pour", "cent"))
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_PERCENT = _word("%")
_IS_PERCENT = {(_word(first), _word(second)) for first, second in _PERCENT_PAIRS}


def _other_spellings() -> dict[int, int]:
    """Token of a word as written -> the token that it is the same as, with what it may be part of."""
    same = {
        _word("mln"): _word("million"),
        **dict.fromkeys(map(_word, ("bln", "bn")), _word("billion")),
        _word("trln"): _word("trillion"),
        **{_word("".join(map(_fold, word))): _PERCENT for word in _PERCENT_WORDS.split()},
        **{_word(second): _word(second) | _CENT for _, second in _PERCENT_PAIRS},
    }
    for value, word in enumerate(_UNITS.split()):
        # "one" is as often a pronoun, "zero" an adjective: no figures
        same[_word(word)] = (_number(str(value)) if value > 1 else _word(word)) | _UNIT * (0 < value < 10)
    for value, word in enumerate(_TENS_WORDS.split(), 2):
        same[_word(word)] = _number(f"{value}0") | _TENS
    return same


def _fold(character: str) -> str:
    _look_up(ord(character))
    return chr(_folded[ord(character)])


_MEANT = _other_spellings()
# Which tokens may be among them, by their first bits: few words are looked at that are not.
_MAY_BE = np.zeros(1 << 14, dtype=np.bool_)
_MAY_BE[[token >> 50 for token in _MEANT]] = True
_MAY_BE_SHIFT = np.uint64(50)
_VALUE_OF = {_number(str(n)): n for n in range(100)} | {_word("one"): 1}


def tokens(text: str, *, capitals: bool = True) -> Tokens:
    """The folded words of `text` in order, one uint64 each; shape (words,). `spelling` compares them.

    capitals: False where nobody will ask for `particulars`: the tokens are then their own spelling.
    """
    if len(text) <= _PIECE:
        return _tokens(text, capitals)
    found = [_tokens(piece, capitals) for piece in _pieces(text)]
    joined: Tokens = np.concatenate(found)
    return joined


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of at most `_PIECE` characters, cut at blanks where there are any."""
    start = 0
    while start < len(text):
        end = start + _PIECE
        if end < len(text):
            blank = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = blank + 1 if blank > start else end
        yield text[start:end]
        start = end


def _tokens(text: str, capitals: bool) -> Tokens:
    text, kinds, folded = _characters(text)
    if folded.size > 2 * _PIECE:  # normalised, it became longer, and will not again
        return tokens(text, capitals=capitals)
    closed = ~kinds[:-2]
    if not text.isascii():
        closed |= _UNSPACED
    opened = kinds[1:-1] & closed
    starts = (opened != 0).nonzero()[0]
    if not starts.size:
        return np.empty(0, dtype=np.uint64)
    powers, inverses = _powers()
    found: Tokens = np.add.reduceat(folded * powers[: folded.size], starts)
    found *= inverses.take(starts)
    found &= _BARE
    marks = opened.take(starts)
    marks &= _FIGURE | _CHARACTER
    found |= marks
    gone = _read_numbers(text, found, starts, (marks == _FIGURE).nonzero()[0]) + _respell(found)
    if capitals:
        found[_are_capitals(text, kinds, starts)] |= _CAPITAL
    if gone:
        keep = np.ones(found.size, dtype=np.bool_)
        keep[gone] = False
        found = found[keep]
    return found


def _read_numbers(text: str, found: Tokens, starts: Places, figures: Places) -> list[int]:
    """Makes one token of the figures that are one number; returns which tokens are left over.

    figures: which tokens are figures.
    """
    gone: list[int] = []
    places = figures.tolist()
    end = 0
    for at, following in pairwise(places):
        if following != at + 1 or at < end:
            continue
        run = _RUN.match(text, starts.item(at))
        if run:  # a superscript is a digit, and none to the expression
            pieces, read = _memo[run[0]]
            end = at + pieces
            for place, number in enumerate(read, at):
                found[place] = number
            gone.extend(range(at + len(read), end))
    return gone


def _respell(found: Tokens) -> list[int]:
    """Makes one token of all spellings of a word, of `per cent` and of `twenty-five`.

    Returns which tokens are left over.
    """
    gone: list[int] = []
    tens = -2
    for at in _MAY_BE.take((found >> _MAY_BE_SHIFT).view(np.int64)).nonzero()[0].tolist():
        token = _MEANT.get(found.item(at))
        if token is None:
            continue
        found[at] = token & ~_CONTEXT
        if token & _CENT:
            if at and (found.item(at - 1), token & ~_CENT) in _IS_PERCENT:
                found[at] = _PERCENT
                gone.append(at - 1)
        elif token & _TENS:
            tens = at
        elif token & _UNIT and tens == at - 1:
            found[at] = _number(str(_VALUE_OF[found.item(tens)] + _VALUE_OF[found.item(at)]))
            gone.append(tens)
    return gone


def _are_capitals(text: str, kinds: Bytes, starts: Places) -> NDArray[np.bool_]:
    """Which words have a capital and more letters; shape of starts."""
    codes = _looked_up(text)[0] if not text.isascii() else np.frombuffer(text.encode(), dtype=np.uint8)
    is_upper = (_kind_of.take(codes.take(starts)) & _UPPER) != 0
    capital: NDArray[np.bool_] = is_upper & (kinds.take(starts + 2) == _LETTER)
    return capital


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


# --- shingles -----------------------------------------------------------------------------------------

# Odd multipliers, one for each place in a shingle.
_PLACES = np.array([xxhash.xxh3_64_intdigest(b"shingle", seed=n) | 1 for n in range(16)], dtype=np.uint64)


def shingles(found: Tokens, words: int, characters: int) -> Hashes:
    """Hashes of the n-grams in the order in which they begin, repeats included; shape (shingles,), uint32.

    An n-gram that begins with a character of an unspaced script is `characters` tokens long, any other
    `words`. A text shorter than that is one shingle; a text without tokens has none.

    found: tokens without capitals, or their `spelling`.
    """
    if not found.size:
        return np.empty(0, dtype=np.uint32)
    if not np.bitwise_or.reduce(found) & _CHARACTER:
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
    return (rolled >> 32).astype(np.uint32)


def _rolled(found: Tokens, size: int) -> Tokens:
    """A sum for each run of `size` tokens; shape (tokens - size + 1,), empty where there are fewer."""
    if found.size < size:
        return np.empty(0, dtype=np.uint64)
    rolled: Tokens = np.correlate(found, _PLACES[:size])
    return rolled
