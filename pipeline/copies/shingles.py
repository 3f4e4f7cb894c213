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
import sys
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.text import UNSPACED_RANGES

Tokens = NDArray[np.uint64]
Hashes = NDArray[np.uint32]
Bytes = NDArray[np.uint8]
Places = NDArray[np.intp]
Number = TypeVar("Number", bound=np.integer)

# The low bits of a token say what it is; those in `_CONTEXT` are no part of what it is compared by.
_CENT = 1  # may be the second word of "per cent"
_FIGURE = 2  # as the kind of its first character
_CAPITAL = 4
_CHARACTER = 8  # likewise
_TENS = 16  # may be the first word of "twenty-five"
_UNIT = 32  # may be the second
_BITS = 63
_CONTEXT = _BITS & ~_CHARACTER
# As arrays, here and below: a ufunc takes them as they are, and has to convert a scalar at every call.
_BARE = np.array(2**64 - 1 - _BITS, dtype=np.uint64)
_WHAT = np.array(2**64 - 1 - _CONTEXT, dtype=np.uint64)

# --- characters ---------------------------------------------------------------------------------------

# What a character is; a token begins where a kind does. The upper bits are no kinds.
_LETTER, _DIGIT, _PERCENT_SIGN, _UNSPACED = 1, _FIGURE, 4, _CHARACTER
_KINDS = 15
_UPPER = 16
_JOINT = 32  # may stand between two digits of a number
_ODD = 64  # stands for several characters or none: the text has to be normalised before it is cut
_UNKNOWN = 128  # not looked at yet

# Letters, digits and the percent sign of ASCII are compared as codes of which one of the upper three bits is
# their kind, so that in a text of bytes a token begins where a code has an upper bit that the last has not.
_ASCII_LETTERS, _ASCII_DIGITS, _ASCII_PERCENT = 0x40, 0x80, 0x20
_NO_KIND = np.array(0x1F, dtype=np.uint8)
# The decimal mark of a number that has been read; no other text keeps it.
_MARK = "\x1f"
# Stands between texts that are read together; in a text it is as good as a blank.
_PARTING = "\x1e"

_APOSTROPHES = "’‘ʼ´"
# A fullwidth comma groups digits, or parts two clauses; it never marks a fraction.
_JOINTS = ".,．， \u00a0\u202f\u2009"
_UNSEEN = re.compile("[\u00ad\u200b\u200c\u200d\u2060\ufeff]")  # soft hyphens, joiners
_ACCENT = re.compile("[\u0300-\u036f]")
_JAMO = range(0x1100, 0x1200)

# By code point, filled as characters turn up: what it is, and the code of the letter or digit that it is
# compared as, 0 where it belongs to no word.
_kind_of = np.full(0x110000, _UNKNOWN, dtype=np.uint8)
_folded = np.zeros(0x110000, dtype=np.uint32)


def _settled(text: str) -> str:
    """The text with compatibility characters spelled out, and without accents and unseen characters."""
    text = _ACCENT.sub("", unicodedata.normalize("NFKD", _UNSEEN.sub("", text)))
    return unicodedata.normalize("NFKC", text).replace("ß", "ss").replace("ẞ", "SS")


def _look_up(code: int) -> None:
    """Enters a character into `_kind_of` and `_folded`."""
    settled = _settled(chr(code)) if not 0xD800 <= code < 0xE000 else ""
    kind, folded = 0, ""
    if len(settled) == 1:
        lower = settled.casefold()
        if any(first <= code <= last for first, last in UNSPACED_RANGES) and not settled.isdecimal():
            kind, folded = _UNSPACED, lower if len(lower) == 1 else settled
        elif settled.isdecimal():
            kind, folded = _DIGIT, str(unicodedata.decimal(settled))
        elif settled.isalnum():
            kind, folded = _LETTER, lower if len(lower) == 1 else settled
            kind |= _UPPER * settled.isupper()
        elif settled == "%":
            kind, folded = _PERCENT_SIGN, settled
    if chr(code) == _MARK:
        kind, folded = _DIGIT, _MARK
    if chr(code) in _JOINTS:
        kind |= _JOINT
    if code in _JAMO or (len(settled) != 1 and (not settled or any(map(str.isalnum, settled)))):
        kind |= _ODD
    _folded[code] = _code(folded) if folded else 0  # before its kind, by which another thread may tell that
    _kind_of[code] = kind  # it is known


def _code(folded: str) -> int:
    """What a folded character is compared as."""
    if "a" <= folded <= "z":
        return _ASCII_LETTERS + ord(folded) - ord("a") + 1
    if "0" <= folded <= "9":
        return _ASCII_DIGITS + int(folded)
    return {"%": _ASCII_PERCENT, _MARK: _ASCII_DIGITS + 10}.get(folded) or ord(folded)


for _n in range(128):
    _look_up(_n)
_ASCII_KIND = _kind_of[:128].tobytes() + bytes(128)
_ASCII_FOLDED = bytes(_folded[:128].tolist()) + bytes(128)
# So that a token is the difference of two sums: none before the first character, and one that begins after
# the last.
_BEFORE, _BEHIND = b"\0", bytes((0, _ASCII_LETTERS))


def _cut(text: str, *, marked: bool) -> tuple[NDArray[np.uint8] | NDArray[np.uint32], Places, Bytes | None]:
    """Cuts a text into words.

    Returns what its characters are compared as, with one before and two after them; where the words begin,
    and one place more; and which of `_FIGURE | _CAPITAL | _CHARACTER` each word has, None where none has one
    that matters: the first two do only if `marked`.
    """
    text = text.replace("'", "").replace("`", "").replace(_MARK, "")
    if not text.isascii():
        return _cut_wide(text, marked)
    raw = _read_numbers(text, text.encode().translate(_ASCII_KIND)).encode()
    codes, starts = _cut_ascii(raw)
    if not marked:
        return codes, starts, None
    words = starts[:-1]
    marks = (codes.take(words + 1) >= _ASCII_DIGITS).view(np.uint8) * np.uint8(_FIGURE)
    capital = _kind_of.take(np.frombuffer(raw, dtype=np.uint8).take(words)) >= _UPPER
    capital &= (codes.take(words + 2) & _ASCII_LETTERS) != 0
    marks[capital] |= _CAPITAL
    return codes, starts, marks


def _cut_ascii(raw: bytes) -> tuple[Bytes, Places]:
    """Cuts a text of ASCII whose numbers are read; returns what `_cut` does, but for the marks."""
    codes = np.frombuffer(_BEFORE + raw.translate(_ASCII_FOLDED) + _BEHIND, dtype=np.uint8)
    opened = ~codes[:-1]
    opened &= codes[1:]
    return codes, (opened > _NO_KIND).nonzero()[0]


def _cut_wide(text: str, marked: bool) -> tuple[NDArray[np.uint32], Places, Bytes | None]:
    """Cuts a text in any script."""
    for apostrophe in _APOSTROPHES:
        text = text.replace(apostrophe, "")
    points, found = _looked_up(text)
    bits = int(np.bitwise_or.reduce(found))
    if bits & _ODD:
        text = _settled(text)
        points, found = _looked_up(text)
        bits = int(np.bitwise_or.reduce(found))
    read = _read_numbers(text, found.tobytes())
    if read is not text:
        points, found = _looked_up(read)
    kinds = np.zeros(found.size + 3, dtype=np.uint8)
    np.bitwise_and(found, _KINDS, out=kinds[1:-2])
    kinds[-1] = _LETTER
    codes = np.zeros(kinds.size, dtype=np.uint32)
    codes[1:-2] = _folded.take(points)
    opened = ~kinds[:-1]
    opened |= _UNSPACED
    opened &= kinds[1:]
    starts = opened.nonzero()[0]
    if not marked and not bits & _UNSPACED:
        return codes, starts, None
    words = starts[:-1]
    marks = opened.take(words)
    marks &= _FIGURE | _CHARACTER if marked else _CHARACTER
    if marked:
        capital = (found.take(words) & _UPPER) != 0
        capital &= kinds.take(words + 2) == _LETTER
        marks[capital] |= _CAPITAL
    return codes, starts, marks


def _looked_up(text: str) -> tuple[NDArray[np.uint32], Bytes]:
    """Code points and kinds of the characters."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    kinds = _kind_of.take(points)
    unknown = kinds == _UNKNOWN
    if unknown.any():
        for point in np.unique(points[unknown]).tolist():
            _look_up(point)
        kinds = _kind_of.take(points)
    return points, kinds


# --- numbers ------------------------------------------------------------------------------------------

_RUN = re.compile(rf"\d+(?:[{_JOINTS}]\d+)*")
_GROUPED = re.compile(r"(?<![\d.,，])([1-9]\d{0,2})((?:([.,， \u00a0\u202f\u2009])\d{3})(?:\3\d{3})*)(?!\d)")
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_NUMBER = re.compile(r"\d+(?:_\d+)?")
_JOINED = bytes((_DIGIT, _JOINT, _DIGIT))
# A run of figures is read once and then remembered. The limit is for a base of prices.
_MEMO_LIMIT = 1 << 16
_MEMO_LONGEST = 40


class _Memo(dict[str, str]):
    """Figures as printed, with the marks or blank between each two: the numbers they are, as `_spelled`."""

    def __missing__(self, raw: str) -> str:
        text = raw
        if not text.isascii():
            text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
            text = text.replace("．", ".")
        text = _GROUPED.sub(lambda m: re.sub(r"\D", "", m[0]), text)
        found = " ".join(map(_spelled, _NUMBER.findall(_DECIMAL.sub("_", text))))
        if len(raw) <= _MEMO_LONGEST:
            if len(self) >= _MEMO_LIMIT:
                self.clear()
            self[raw] = found
        return found


_memo = _Memo()


def _spelled(number: str) -> str:
    """`number` is digits with `_` for the decimal mark; zeros that change no value go."""
    whole, _, part = number.partition("_")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    return f"{whole}{_MARK}{part}" if part else whole


def _read_numbers(text: str, kinds: bytes) -> str:
    """The text with numbers of several parts in one spelling: `1,250.50` as `1250_5`, `_MARK` for the `_`.

    kinds: of its characters, as in `_kind_of`. Returns `text` itself where there is no such number.
    """
    at = kinds.find(_JOINED)
    if at < 0:
        return text
    parts: list[str] = []
    done = 0
    while at >= 0:
        begin = at
        while kinds[begin - 1] == _DIGIT and begin > done:
            begin -= 1
        run = _RUN.match(text, begin)
        if run is None:  # a superscript is a digit, and none to the expression
            at = kinds.find(_JOINED, at + 1)
            continue
        parts.append(text[done:begin])
        parts.append(_memo[run[0]])
        done = run.end()
        at = kinds.find(_JOINED, done)
    parts.append(text[done:])
    return "".join(parts)


# --- words --------------------------------------------------------------------------------------------

# A word is hashed as a polynomial of its characters. So many characters are cut at once: as many powers
# are kept, and the arrays of a book-length text stay within the processor's cache.
_PIECE = 1 << 14
_BASE = xxhash.xxh3_64_intdigest(b"character") | 1


@cache
def _powers() -> tuple[Tokens, Tokens]:
    """Powers of the base and of its inverse mod 2**64, from 0; shape (2 * _PIECE + 3,) each."""

    def of(base: int) -> Tokens:
        powers = np.full(2 * _PIECE + 3, base, dtype=np.uint64)
        powers[0] = 1
        return np.multiply.accumulate(powers)

    return of(_BASE), of(pow(_BASE, -1, 2**64))


def _hash(spelling: str) -> int:
    """The polynomial of a word that is written in folded characters."""
    return sum(_code(c) * pow(_BASE, n, 2**64) for n, c in enumerate(spelling, 1)) & (2**64 - 1)


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


def _other_spellings() -> dict[str, tuple[str, int]]:
    """Word as written -> the word that it is the same as, and the bits that say what it may be part of."""
    same = {
        "mln": ("million", 0),
        **dict.fromkeys(("bln", "bn"), ("billion", 0)),
        "trln": ("trillion", 0),
        **{_fold(word): ("%", 0) for word in _PERCENT_WORDS.split()},
        **{second: (second, _CENT) for _, second in _PERCENT_PAIRS},
    }
    for value, word in enumerate(_UNITS.split()):
        # "one" is as often a pronoun, "zero" an adjective: no figures
        meant, bits = (str(value), _FIGURE) if value > 1 else (word, 0)
        same[word] = (meant, bits | _UNIT * (0 < value < 10))
    for value, word in enumerate(_TENS_WORDS.split(), 2):
        same[word] = (f"{value}0", _FIGURE | _TENS)
    return same


def _fold(word: str) -> str:
    return _settled(word).casefold()


# A word that is written otherwise is found by the first bits of its hash, and made what it means by an
# exclusive or. No second look is taken: a word that shares those bits by chance becomes another one, always
# the same. `_BASE` leaves each of these words a slot of its own, and one to each that they mean.
_SLOT_BITS = 12


def _respellings() -> tuple[Tokens, Tokens]:
    """By slot: what makes of a hash there what it means, with the meaning's bits; and the hash itself."""
    changes, words = np.zeros((2, 1 << _SLOT_BITS), dtype=np.uint64)
    same = {_hash(word): (_hash(meant), bits) for word, (meant, bits) in _other_spellings().items()}
    taken = {*same, *(meant for meant, _ in same.values())}
    assert len({token >> 64 - _SLOT_BITS for token in taken}) == len(taken)
    for token, (meant, bits) in same.items():
        slot = token >> 64 - _SLOT_BITS
        changes[slot], words[slot] = (token ^ meant) & ~_BITS | bits, token
    return changes, words


_CHANGES, _CHANGED = _respellings()
_SLOT_SHIFT = np.array(64 - _SLOT_BITS, dtype=np.uint64)
_FIGURE_BIT = np.array(_FIGURE, dtype=np.uint64)
_JOINS = np.array(_CENT | _TENS, dtype=np.uint64)
_JOINS_NOTHING = bytes(n for n in range(256) if not n & (_CENT | _TENS))
_LOW_BYTE, _UPPER_HALF = (0, 1) if sys.byteorder == "little" else (7, 0)


def _word(spelling: str) -> int:
    """The token of a word that is written in folded characters."""
    token = _hash(spelling)
    return (token ^ _CHANGES.item(token >> 64 - _SLOT_BITS)) & ~_BITS


_PERCENT = _word("%")
_IS_PERCENT = {(_word(first), _word(second)) for first, second in _PERCENT_PAIRS}
_TENS_VALUE = {_word(f"{n}0"): 10 * n for n in range(2, 10)}
_UNIT_VALUE = {_word(word): n for n, word in enumerate(_UNITS.split()) if 0 < n < 10}


def tokens(text: str, *, marked: bool = True) -> Tokens:
    """The folded words of `text` in order, one uint64 each; shape (words,). `spelling` compares them.

    marked: False where nobody will ask for `particulars`: the tokens are then their own spelling.
    """
    if len(text) <= _PIECE:
        return _tokens(text, marked)
    found = [_tokens(piece, marked) for piece in _pieces(text)]
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


def _tokens(text: str, marked: bool) -> Tokens:
    codes, starts, marks = _cut(text, marked=marked)
    if starts.size == 1:
        return np.empty(0, dtype=np.uint64)
    if codes.size > _powers()[0].size:  # normalised, it became longer, and will not again
        return tokens(_settled(text), marked=marked)
    found, changes = _hashed(codes, starts)
    if marked and marks is not None:
        figures = (changes & _FIGURE_BIT).astype(np.uint8)
        figures *= _CHANGED.take((found >> _SLOT_SHIFT).view(np.int64)) == found
        marks |= figures
    found ^= changes
    found &= _BARE
    gone = _join(found, changes, marks if marked else None)
    if marks is not None:
        found |= marks
    return _without(found, gone)


def tokens_of_each(texts: Sequence[str]) -> list[Tokens]:
    """The unmarked tokens of each of the texts; of short ones in ASCII some at a time, as is quicker."""
    found: list[Tokens] = [_NONE] * len(texts)
    together: list[int] = []
    size = 0
    for n, text in enumerate(texts):
        if not text.isascii() or len(text) >= _PIECE:
            found[n] = tokens(text, marked=False)
            continue
        if size + len(text) >= _PIECE:
            _tokens_together(texts, together, found)
            together, size = [], 0
        together.append(n)
        size += len(text) + 1
    if together:
        _tokens_together(texts, together, found)
    return found


def _tokens_together(texts: Sequence[str], which: Sequence[int], found: list[Tokens]) -> None:
    """Enters the tokens of these texts, which are of ASCII and fit into a piece, into `found`."""
    if len(which) == 1:
        found[which[0]] = tokens(texts[which[0]], marked=False)
        return
    joined = _PARTING.join([texts[n] for n in which])
    if joined.count(_PARTING) >= len(which):
        joined = _PARTING.join([texts[n].replace(_PARTING, " ") for n in which])
    joined = joined.replace("'", "").replace("`", "").replace(_MARK, "")
    raw = _read_numbers(joined, joined.encode().translate(_ASCII_KIND)).encode()
    codes, starts = _cut_ascii(raw)
    ends = (np.frombuffer(raw, dtype=np.uint8) == ord(_PARTING)).nonzero()[0]
    edges = starts[:-1].searchsorted(ends)
    words, changes = _hashed(codes, starts)
    words ^= changes
    words &= _BARE
    gone = _join(words, changes, None, edges.tolist())
    if gone:
        edges = edges - np.array(gone).searchsorted(edges)
    words = _without(words, gone)
    begin = 0
    for n, end in zip(which, (*edges.tolist(), words.size), strict=True):
        found[n] = words[begin:end]
        begin = end


_NONE: Tokens = np.empty(0, dtype=np.uint64)


def _hashed(codes: NDArray[np.uint8] | NDArray[np.uint32], starts: Places) -> tuple[Tokens, Tokens]:
    """The hash of each word as it is written, and what makes of it what it means (see `_respellings`)."""
    powers, inverses = _powers()
    sums = codes * powers[: codes.size]
    sums = np.add.accumulate(sums, out=sums).take(starts)
    found: Tokens = sums[1:] - sums[:-1]
    found *= inverses.take(starts[:-1])
    return found, _CHANGES.take((found >> _SLOT_SHIFT).view(np.int64))


def _without(found: Tokens, gone: list[int]) -> Tokens:
    if not gone:
        return found
    keep = np.ones(found.size, dtype=np.bool_)
    keep[gone] = False
    return found[keep]


def _join(found: Tokens, bits: Tokens, marks: Bytes | None, edges: Collection[int] = ()) -> list[int]:
    """Makes one token of `per cent` and of `twenty-five`; returns which tokens are left over, in order.

    edges: the tokens with which another text begins.
    """
    gone: list[int] = []
    if not bits.tobytes()[_LOW_BYTE::8].translate(None, _JOINS_NOTHING):
        return gone
    for at in (bits & _JOINS).nonzero()[0].tolist():
        token = found.item(at)
        if at and (found.item(at - 1), token) in _IS_PERCENT:
            if at not in edges:
                found[at] = _PERCENT
                gone.append(at - 1)
        elif token in _TENS_VALUE and at + 1 < found.size and bits.item(at + 1) & _UNIT:
            unit = _UNIT_VALUE.get(found.item(at + 1))
            if unit and at + 1 not in edges:
                found[at + 1] = _word(str(_TENS_VALUE[token] + unit))
                gone.append(at)
                if marks is not None:
                    marks[at + 1] |= _FIGURE
    return gone


def spelling(found: Tokens) -> Tokens:
    """The tokens without what depends on their place: equal for equal words."""
    words: Tokens = found & _WHAT
    return words


def particulars(found: Tokens) -> Tokens:
    """The distinct figures and capitalised words among the tokens, sorted.

    They tell two issues of one template apart, which share their other words. Scripts without capitals
    have figures only; the first word of a sentence is in, as it is most likely to stand in a copy too.
    """
    return distinct(spelling(found[(found & (_FIGURE | _CAPITAL)) != 0]))


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """The values in order, each once; of some hundred or thousand in half the time of `np.unique`."""
    ordered = np.sort(values)
    is_first = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]


# --- shingles -----------------------------------------------------------------------------------------

# Odd multipliers, one for each place in a shingle.
_PLACES = np.array([xxhash.xxh3_64_intdigest(b"shingle", seed=n) | 1 for n in range(16)], dtype=np.uint64)


def shingles(found: Tokens, words: int, characters: int, *, spaced: bool = False) -> Hashes:
    """Hashes of the n-grams in the order in which they begin, repeats included; shape (shingles,), uint32.

    An n-gram that begins with a character of an unspaced script is `characters` tokens long, any other
    `words`. A text shorter than that is one shingle; a text without tokens has none.

    found: unmarked tokens, or their `spelling`. spaced: True where no unspaced script can be among them,
    which spares a look.
    """
    if not found.size:
        return np.empty(0, dtype=np.uint32)
    if spaced or not np.bitwise_or.reduce(found) & _CHARACTER:
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
    return rolled.view(np.uint32)[_UPPER_HALF::2]


def _rolled(found: Tokens, size: int) -> Tokens:
    """A sum for each run of `size` tokens; shape (tokens - size + 1,), empty where there are fewer."""
    if found.size < size:
        return np.empty(0, dtype=np.uint64)
    rolled: Tokens = np.correlate(found, _PLACES[:size])
    return rolled
