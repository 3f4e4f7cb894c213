"""Tokens of a text: its words, figures and characters, folded and hashed.

Outlets restyle agency copy: other quotes and dashes, `per cent` for `pct`, `1.250,5` for `1,250.5`, `seven`
for `7`. A token is what is left when such differences are folded away, so that a restyled copy has the
shingles of its source:

1. quotes inside words and other control characters are dropped, compatibility characters and accents folded
   (Unicode NFKC, without combining accents);
2. a number gets one spelling, whatever marks its thousands and its fraction;
3. the text is cut into words, figures, percent signs and, in scripts that write no blanks between words (Han,
   kana, Thai, Lao, Khmer, Burmese), single characters. The script of each character decides, never the
   language of the page, which is a guess and wrong for texts in two languages. A combining mark (a vowel
   sign, a tone mark) belongs to the word or character that it follows; punctuation is never a token;
4. each is case-folded, replaced by its usual spelling (`bn` by `billion`, `Oct` by `October`, `seven` by `7`)
   and hashed;
5. `per cent` and `twenty-five` become one token each.

A token is an unsigned 64-bit integer. Its upper 58 bits are the hash, the lower six are flags. Stored
fingerprints depend on all of this: FINGERPRINT_REVISION in `pipeline.settings` counts the changes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.text import UNSPACED_RANGES

Tokens = NDArray[np.uint64]
Number = TypeVar("Number", bound=np.integer)

# Flags of a token. FIGURE: a number, in digits or as a word. CAPITAL: a word with a capital and more letters.
# CHARACTER: one character of a script without blanks. The others say what a word may be joined with.
CENT, FIGURE, CAPITAL, CHARACTER, TENS, UNIT = (1 << n for n in range(6))
_FLAGS = 63
_BARE = np.uint64(2**64 - 1 - _FLAGS)
_SPELLING = _BARE | np.uint64(CHARACTER)

# A longer text is cut into pieces first, which bounds memory.
PIECE_CHARS = 1 << 14


def tokens(text: str) -> Tokens:
    """The tokens of `text` in order, with their flags; shape (tokens,). `spelling` compares them."""
    found: Tokens = np.concatenate([_NO_TOKENS, *map(_tokens_of_piece, _pieces(text))])
    return found


def spelling(found: Tokens) -> Tokens:
    """The tokens without the flags that depend on context: equal for equal words."""
    words: Tokens = found & _SPELLING
    return words


def names_and_figures(found: Tokens) -> Tokens:
    """The distinct figures and capitalised words among the tokens, sorted.

    They tell two issues of one template apart, which share their other words. Scripts without capitals have
    figures only. The first word of a sentence is in, as it most likely stands in a copy too.
    """
    return distinct(spelling(found[(found & (FIGURE | CAPITAL)) != 0]))


def distinct(values: NDArray[Number]) -> NDArray[Number]:
    """The distinct values, sorted."""
    ordered = np.sort(values)
    is_first = np.ones(ordered.size, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]


_NO_TOKENS: Tokens = np.empty(0, dtype=np.uint64)


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of at most PIECE_CHARS characters, cut at blanks where there are any."""
    start = 0
    while start < len(text):
        end = start + PIECE_CHARS
        if end < len(text):
            blank = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = blank + 1 if blank > start else end
            while end > start + 1 and _is_mark(text[end]):
                end -= 1
        yield text[start:end]
        start = end


def _tokens_of_piece(text: str) -> Tokens:
    # A blank at either end, so that each character has one before and one after it.
    points = _code_points(f" {_with_plain_numbers(_settled(text))} ")
    kinds, codes = _KIND[points], _CODE[points]
    is_mark = kinds == _MARK
    if is_mark.any():
        kinds = kinds[np.maximum.accumulate(np.where(is_mark, 0, np.arange(kinds.size)))]
        codes[kinds == _OTHER] = 0
    begins = (kinds[1:] != _OTHER) & ((kinds[1:] != kinds[:-1]) | (kinds[1:] == _UNSPACED) & ~is_mark[1:])
    starts = begins.nonzero()[0] + 1
    if not starts.size:
        return _NO_TOKENS
    hashes = _polynomials(codes, starts)
    flags = _FLAGS_OF_KIND[kinds[starts]] | _word_flags(hashes)
    flags[_IS_CAPITAL[points[starts]] & (kinds[starts + 1] == _LETTER)] |= CAPITAL
    return _joined(_respelled(hashes) & _BARE | flags)


# --- characters -----------------------------------------------------------------------------------------

_DROPPED = re.compile(r"['`’‘ʼ´\x1f]")
# Soft hyphens, joiners, and variation selectors, which choose between the shapes of a character.
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_ACCENT = re.compile("[\u0300-\u036f]")
_JAMO = range(0x1100, 0x1200)

# Stands for the decimal mark in a number that has been read. `_DROPPED` takes it out of the text before.
_DECIMAL_MARK = "\x1f"

# Kinds of characters. A token begins where the kind changes. A combining mark is of the kind of the character
# before it.
_OTHER, _LETTER, _DIGIT, _PERCENT_SIGN, _UNSPACED, _MARK = range(6)
_FLAGS_OF_KIND = np.array([0, 0, FIGURE, 0, CHARACTER], dtype=np.uint64)

# By code point: the kind, what the folded character counts for in the hash of a word, and whether it is an
# upper-case letter. Filled as characters turn up.
_KIND = np.full(0x110000, _NOT_READ := 255, dtype=np.uint8)
_CODE = np.zeros(0x110000, dtype=np.uint32)
_IS_CAPITAL = np.zeros(0x110000, dtype=np.bool_)


def _settled(text: str) -> str:
    """The text without apostrophes; normalised if one of its characters stands for several or for none."""
    text = _DROPPED.sub("", text)
    return text if text.isascii() or not any(map(_is_several, set(text))) else _normalised(text)


def _normalised(text: str) -> str:
    text = _ACCENT.sub("", unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)))
    return unicodedata.normalize("NFKC", text).replace("ß", "ss").replace("ẞ", "SS")


@lru_cache(maxsize=1 << 14)
def _is_several(char: str) -> bool:
    """Whether the normalised character is not one character, or may depend on those beside it."""
    if "\ud800" <= char <= "\udfff" or ord(char) in _JAMO or _is_mark(char):
        return True
    normalised = _normalised(char)
    return len(normalised) != 1 and (not normalised or any(map(str.isalnum, normalised)))


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


def _code_points(text: str) -> NDArray[np.uint32]:
    """The code points of a text, each of which is in the tables."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    for point in set(points[_KIND[points] == _NOT_READ].tolist()):
        kind, folded, _IS_CAPITAL[point] = _read_character(chr(point))
        _CODE[point] = _code(folded) if folded else 0
        _KIND[point] = kind  # last: another thread takes it for a sign that the other tables are filled
    return points


def _read_character(char: str) -> tuple[int, str, bool]:
    """Kind, folded character, and whether it is an upper-case letter."""
    normalised = _normalised(char)
    if char == _DECIMAL_MARK:
        return _DIGIT, char, False
    if len(normalised) != 1 or "\ud800" <= char <= "\udfff":
        return _OTHER, "", False
    if normalised.isdecimal():
        return _DIGIT, str(unicodedata.decimal(normalised)), False
    lower = normalised.casefold()
    folded = lower if len(lower) == 1 else normalised
    if _is_mark(normalised):
        return _MARK, folded, False
    if not normalised.isalnum():
        return (_PERCENT_SIGN, "%", False) if normalised == "%" else (_OTHER, "", False)
    if any(first <= ord(char) <= last for first, last in UNSPACED_RANGES):
        return _UNSPACED, folded, False
    return _LETTER, folded, normalised.isupper()


def _code(folded: str) -> int:
    """What a folded character counts for in the hash of a word."""
    if "a" <= folded <= "z":
        return ord(folded.upper())
    if "0" <= folded <= "9":
        return 0x80 + int(folded)
    return {"%": 0x20, _DECIMAL_MARK: 0x8A}.get(folded) or ord(folded)


# --- numbers --------------------------------------------------------------------------------------------

# What may stand between two digits of one number. A fullwidth comma groups digits, or parts two clauses; it
# never marks a fraction.
_BETWEEN_DIGITS = ".,．， \u00a0\u202f\u2009"
# Any number. Its first digit stands alone, as the engine skips to a single character much faster.
_NUMBER_AS_WRITTEN = re.compile(rf"\d\d*+(?:[{_BETWEEN_DIGITS}]\d++)*+")
_NO_DIGIT = re.compile(r"\D")
_GROUPED = re.compile(r"(?<![\d.,，])([1-9]\d{0,2})((?:([.,， \u00a0\u202f\u2009])\d{3})(?:\3\d{3})*)(?!\d)")
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_NUMBER = re.compile(rf"\d+(?:{_DECIMAL_MARK}\d+)?")


def _with_plain_numbers(text: str) -> str:
    """The text with each number of several parts in one spelling: `1,250.50` as `1250.5`.

    The point is written as `_DECIMAL_MARK`, which keeps the number in one token.
    """
    return _NUMBER_AS_WRITTEN.sub(_plain_numbers, text)


def _plain_numbers(match: re.Match[str]) -> str:
    numbers = match[0]
    if numbers.isdecimal():
        return numbers
    before = match.string[match.start() - 1 : match.start()]
    if before > "\x7f" and _normalised(before).isdecimal():  # a superscript: the first figures belong to it
        first = len(_NO_DIGIT.split(numbers, maxsplit=1)[0])
        return numbers[: first + 1] + _with_plain_numbers(numbers[first + 1 :])
    return _plain(numbers)


@lru_cache(maxsize=1 << 12)
def _plain(numbers: str) -> str:
    digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in numbers.replace("．", "."))
    digits = _GROUPED.sub(lambda group: re.sub(r"\D", "", group[0]), digits)
    return " ".join(map(_without_zeros, _NUMBER.findall(_DECIMAL.sub(_DECIMAL_MARK, digits))))


def _without_zeros(number: str) -> str:
    """Without the zeros that change no value."""
    whole, _, fraction = number.partition(_DECIMAL_MARK)
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}{_DECIMAL_MARK}{fraction}" if fraction else whole


# --- words ----------------------------------------------------------------------------------------------

_PERCENT_WORDS = (
    "percent pct prozent procent procento procenta percento pourcent "
    "процент процента процентов відсоток відсотка відсотки відсотків"
)
_PERCENT_PAIRS = (("per", "cent"), ("per", "cento"), ("por", "ciento"), ("por", "cento"), ("pour", "cent"))
_BELOW_TWENTY = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS_WORDS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

# "one" is as often a pronoun, "zero" an adjective: no figures.
_FIGURE_WORDS = {word: str(n) for n, word in enumerate(_BELOW_TWENTY) if n > 1} | {
    word: f"{n}0" for n, word in enumerate(_TENS_WORDS, 2)
}
# docs/tuning.md: Abbreviated months
_MONTHS = (
    *("january", "february", "march", "april", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_USUAL_SPELLING = {
    **{month[:3]: month for month in _MONTHS},
    "sept": "september",
    "mln": "million",
    "bln": "billion",
    "bn": "billion",
    "trln": "trillion",
    **{_normalised(word).casefold(): "%" for word in _PERCENT_WORDS.split()},
    **_FIGURE_WORDS,
}
_WORD_FLAGS = (
    dict.fromkeys((second for _, second in _PERCENT_PAIRS), CENT)
    | dict.fromkeys(_FIGURE_WORDS, FIGURE)
    | dict.fromkeys(_TENS_WORDS, FIGURE | TENS)
    | {word: (FIGURE if n > 1 else 0) | UNIT for n, word in enumerate(_BELOW_TWENTY) if 0 < n < 10}
)


_BASE = xxhash.xxh3_64_intdigest(b"character") | 1


def _polynomials(codes: NDArray[np.uint32], starts: NDArray[np.intp]) -> Tokens:
    """Hash of each word: sum of code * _BASE ** n mod 2**64 over its characters, n from 1; shape (words,).

    starts: where the words begin. What stands between words has the code 0.
    """
    powers, inverses = _powers(_BASE, codes.size), _powers(pow(_BASE, -1, 2**64), codes.size)
    sums: Tokens = np.add.reduceat(codes * powers, starts)
    return sums * inverses[starts] * np.uint64(_BASE)


def _powers(base: int, count: int) -> Tokens:
    """Powers of the base mod 2**64 from 1 on; shape (count,)."""
    return _powers_up_to(base, max(PIECE_CHARS, 1 << count.bit_length()))[:count]


@cache
def _powers_up_to(base: int, count: int) -> Tokens:
    powers: Tokens = np.multiply.accumulate(np.full(count, base, dtype=np.uint64))
    return powers


def _polynomial(word: str) -> int:
    """The hash of one folded word."""
    return sum(_code(char) * pow(_BASE, n, 2**64) for n, char in enumerate(word, 1)) % 2**64


# What turns the hash of a word into that of its usual spelling, in tables by the first bits of the hash.
# About one word in 60 shares these bits with such a word by chance. It gets a hash other than its polynomial,
# always the same one, which changes no comparison. Stored fingerprints have it.
_PREFIX_BITS = 12
_RESPELLED, _RESPELLING, _FLAGS_OF_WORD = np.zeros((3, 1 << _PREFIX_BITS), dtype=np.uint64)
for _word in _USUAL_SPELLING | _WORD_FLAGS:
    _prefix = _polynomial(_word) >> 64 - _PREFIX_BITS
    _RESPELLED[_prefix] = _polynomial(_word)
    _RESPELLING[_prefix] = _polynomial(_word) ^ _polynomial(_USUAL_SPELLING.get(_word, _word))
    _FLAGS_OF_WORD[_prefix] = _WORD_FLAGS.get(_word, 0)


def _respelled(hashes: Tokens) -> Tokens:
    """Hashes of the words' usual spellings."""
    respelled: Tokens = hashes ^ _RESPELLING[hashes >> (64 - _PREFIX_BITS)]
    return respelled


def _word_flags(hashes: Tokens) -> Tokens:
    prefixes = hashes >> (64 - _PREFIX_BITS)
    flags: Tokens = np.where(_RESPELLED[prefixes] == hashes, _FLAGS_OF_WORD[prefixes], 0)
    return flags


def _hash(word: str) -> int:
    """Hash of one folded word in its usual spelling, without flags."""
    (respelled,) = _respelled(np.array([_polynomial(word)], dtype=np.uint64)).tolist()
    return int(respelled) & ~_FLAGS


# --- tokens of two words --------------------------------------------------------------------------------

_PERCENT = _hash("%")
_IS_PERCENT = {(_hash(first), _hash(second)) for first, second in _PERCENT_PAIRS}
_TENS_VALUE = {_hash(word): 10 * n for n, word in enumerate(_TENS_WORDS, 2)}
_UNIT_VALUE = {_hash(word): n for n, word in enumerate(_BELOW_TWENTY) if 0 < n < 10}
_JOINING = CENT | TENS | UNIT


def _joined(found: Tokens) -> Tokens:
    """Makes one token of `per cent` and of `twenty-five`, and clears the flags for that."""
    if not (found & _JOINING).any():
        return found
    flags: Tokens = found & np.uint64(_FLAGS & ~_JOINING)
    hashes: Tokens = found & _BARE
    is_kept = np.ones(found.size, dtype=np.bool_)
    for at in (found & CENT).nonzero()[0].tolist():
        if at and (hashes.item(at - 1), hashes.item(at)) in _IS_PERCENT:
            hashes[at] = _PERCENT
            is_kept[at - 1] = False
    for at in (found & TENS).nonzero()[0].tolist():
        if at + 1 < found.size and found[at + 1] & UNIT:
            number = _TENS_VALUE[hashes.item(at)] + _UNIT_VALUE[hashes.item(at + 1)]
            hashes[at + 1] = _hash(str(number))
            flags[at + 1] |= FIGURE
            is_kept[at] = False
    joined: Tokens = (hashes | flags)[is_kept]
    return joined
