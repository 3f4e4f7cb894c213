"""Words as full-text search knows them: cut out of a text and folded, alike for texts and for queries.

Both databases are given finished words, so that neither cuts or folds by rules of its own:

- A word is a run of letters, marks and digits. An apostrophe, a hyphen or a full stop ends it: `don't` is
  `don t`, `4.25` is `4 25`, and a query for either looks for the two next to each other.
- Folded are case, accents and other marks over and under letters of Latin, Greek, Cyrillic, Hebrew and
  Arabic (`Škoda` is `skoda`, `ёлка` is `елка`), letters that are often typed as others (`ø`, `ł`, `ß`: `o`,
  `l`, `ss`), compatibility forms (fullwidth, ligatures), digits of other scripts, and the Arabic letters that
  are written for one another, as by Lucene's ArabicNormalizer and PersianNormalizer. The marks of Indic
  scripts are vowels, and stay.
- There are no stems: a base holds many languages, and `bank*` finds what begins so.
- Scripts that are written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese), and Korean, which
  writes particles on to words, are cut into overlapping pairs of characters, as by Lucene's CJKBigramFilter,
  and the last character of a run stands alone. So each character begins exactly one word: two or more are
  found anywhere inside a sentence as consecutive pairs, a single one as the beginning of a word.

Nothing here stems, ranks or stores: see `query` and `search`.
"""

from __future__ import annotations

import re
import unicodedata
from codecs import charmap_build, charmap_decode, charmap_encode
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from typing import Any

import numpy as np

# PostgreSQL knows positions up to 16,383 and 256 of one word, and takes 1 MB of words and positions for one
# article and 2 kB for one word (https://www.postgresql.org/docs/current/textsearch-limitations.html). Both
# databases get what stays below that: a title's first words, then the text's. A story of 16,000 words, or of
# 16,000 Chinese characters, is a small book.
MOST_TITLE_WORDS = 300
MOST_WORDS = 16_000
MOST_BYTES = 500_000
MOST_OCCURRENCES = 250
LONGEST_WORD = 100
# What is looked at to find so many words, in characters.
_MOST_CHARACTERS = 400_000

# Stands where a word was left out, so that the others keep their places; no text has it as a word.
LEFT_OUT = "\uf8ff"


# Where Unicode has marks; neither among Han nor among Hangul, which are most of it.
_WITH_MARKS = (
    range(0x300, 0x3100),
    range(0xA660, 0xAC00),
    range(0xFB00, 0xFE30),
    range(0x10000, 0x12000),
    range(0x16A00, 0x17000),
    range(0x1BC00, 0x1BD00),
    range(0x1CF00, 0x1E950),
)


def _class_of(categories: frozenset[str]) -> str:
    """The characters of these categories in `_WITH_MARKS`, as part of a regular expression's class."""
    ranges: list[list[int]] = []
    for code in chain(*_WITH_MARKS):
        if unicodedata.category(chr(code)) in categories:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


# Letters that are written without spaces, and Hangul; digits and punctuation of these scripts are not.
_UNSPACED = (
    "\u0e01-\u0e2e\u0e30-\u0e3a\u0e40-\u0e4e"  # Thai
    "\u0e81-\u0ece\u0edc-\u0edf"  # Lao
    "\u1000-\u103f\u1050-\u108f\u109a-\u109d"  # Burmese
    "\u1780-\u17b3\u17b6-\u17d3\u17dd"  # Khmer
    "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb\uffa1-\uffdc"  # Hangul
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"
    "\u3041-\u3096\u3099-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3105-\u312f\u31a0-\u31bf"  # bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
# Within a word and not seen: soft hyphen, joiner, directions, word joiner, byte order mark, variants.
_UNSEEN = "\u00ad\u061c\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe00-\ufe0f\U000e0100-\U000e01ef"
_MARKS = _class_of(frozenset({"Mn", "Mc", "Me"}))
# Folded away: marks over and under letters of the scripts named above, tatweel, and what is not seen.
_DROPPED = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe20-\ufe2f" + _UNSEEN
)
_FOLDED = str.maketrans(
    {
        **dict(zip("øłđħıŧðƒɐəɛɔ", "oldhitdfaeeo", strict=True)),
        **{"æ": "ae", "œ": "oe", "þ": "th", "ŋ": "ng", "ĸ": "k", "ſ": "s"},
        **dict(zip("ىیےکةە", "يييكهه", strict=True)),
    }
)

_RUN = re.compile(f"[\\w{_MARKS}{_UNSEEN}]+")
_SEGMENT = re.compile(f"(?P<unspaced>[{_UNSPACED}][{_UNSPACED}{_UNSEEN}]*)|[^{_UNSPACED}]+")
_DROP = re.compile(f"[{_DROPPED}]+")
_PART = re.compile(f"(?P<unspaced>[{_UNSPACED}]+)|(?:(?![{_UNSPACED}])[\\w{_MARKS}])+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text that is folded as one: a word, or a run of a script without spaces.

    start, end: where it stands in the text. folded: what became of it; never empty.
    """

    start: int
    end: int
    folded: str
    unspaced: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the index has it, and where in the text it stands; `unspaced` as of its piece."""

    text: str
    start: int
    end: int
    unspaced: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is indexed of an article: words, a space between two; LEFT_OUT for one that is not indexed."""

    title: str
    text: str


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a text, in order; of its first 400,000 characters."""
    for run in _RUN.finditer(text[:_MOST_CHARACTERS].replace("_", " ")):
        at = run.start()
        for start, end, folded, unspaced in _pieces_of_run(run[0]):
            yield Piece(at + start, at + end, folded, unspaced)


def words(text: str) -> Iterator[Word]:
    """The words of a text, in order, as they are indexed."""
    for piece in pieces(text):
        length = len(piece.folded)
        if not piece.unspaced:
            yield Word(piece.folded[:LONGEST_WORD], piece.start, piece.end, False)
            continue
        # Folding may join characters (halfwidth kana and their marks): then the run is named as a whole.
        is_aligned = length == piece.end - piece.start
        for at in range(length):
            start, end = (piece.start + at, min(piece.start + at + 2, piece.end))
            if not is_aligned:
                start, end = piece.start, piece.end
            yield Word(piece.folded[at : at + 2], start, end, True)


def searched_words(text: str) -> tuple[tuple[str, ...], bool]:
    """The consecutive words to look for where a text is sought, and whether the last may go on in the index.

    As `words`, but a run at the end may go on in the article, so its last character is not looked for alone
    where it stands in a pair already.
    """
    found = list(pieces(text))
    wanted = [word.text for word in words(text)]
    if not found or not found[-1].unspaced:
        return tuple(wanted), False
    if len(found[-1].folded) == 1:
        return tuple(wanted), True
    return tuple(wanted[:-1]), False


def search_text(title: str, text: str) -> Prepared:
    """What both databases index of an article, cut to what both can hold."""
    title_words = _some_words(title, MOST_TITLE_WORDS)
    text_words = _some_words(text, MOST_WORDS - len(title_words))
    title, text = " ".join(title_words), " ".join(text_words)
    # A character makes four bytes at most, and a title of so many words stays far below.
    if 4 * len(text) > MOST_BYTES:
        room = MOST_BYTES
        for at, word in enumerate(text_words):
            room -= len(word.encode())
            if room < 0:
                del text_words[at:]
                break
        text = " ".join(text_words)
    if len(title_words) + len(text_words) <= MOST_OCCURRENCES or _most_alike(title, text) <= MOST_OCCURRENCES:
        return Prepared(title, text)
    counts = Counter(chain(title_words, text_words))
    seen = {word: 0 for word, count in counts.items() if count > MOST_OCCURRENCES}
    if not seen:
        return Prepared(title, text)
    for part in (title_words, text_words):
        for at, word in enumerate(part):
            if word in seen:
                seen[word] += 1
                part[at] = word if seen[word] <= MOST_OCCURRENCES else LEFT_OUT
    return Prepared(" ".join(title_words), " ".join(text_words))


def _most_alike(title: str, text: str) -> int:
    """How often words occur that have as many bytes, and begin and end with the same: no word more often.

    In a fifth of the time that it takes to count words; of news, all but the longest need no more.
    """
    line = np.frombuffer(f" {title} {text} ".encode(), dtype=np.uint8)
    blanks = np.flatnonzero(line == ord(" "))
    start, end = blanks[:-1], blanks[1:]
    alike = 31 * (end - start) + 67 * line[end - 1].astype(np.intp) + line[start + 1]
    return int(np.bincount(alike & 0xFFF).max())


# Lower case, and a blank for whatever ASCII has between words, but for the ends of lines; other bytes stay.
_CUT = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() or chr(code) == "\n" else ord(" ") for code in range(128)
) + bytes(range(128, 256))
# Of General Punctuation what ends a word, quotation marks and dashes among it: all but what is not seen and
# the two joining lines.
_ENDS_WORD = re.compile(rb"\xe2\x80[\x90-\xa7\xb0-\xbe]")
# The characters of most lines are all in one of these, each of which two tables fold at once.
_CODE_PAGES = ("cp1252", "cp1251", "cp1250", "cp1253", "cp1256")
# Letters that are folded into two, and so not by a table.
_TWO_LETTERS = {"ß": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"}


def _some_words(text: str, most: int) -> list[str]:
    """The texts of the first words of a text; the same as those of `words`, in a twentieth of the time."""
    # Bytes are looked up at once, characters one by one.
    cut = text[:_MOST_CHARACTERS].encode("utf-8", "surrogatepass")
    if not cut.isascii():
        cut = _ENDS_WORD.sub(b" ", cut)
    cut = cut.translate(_CUT)
    found: list[str] = []
    for line in (cut,) if cut.isascii() else cut.split(b"\n"):
        if line.isascii():
            found += line.decode("ascii").split()
        else:
            found += _words_of_line(line.decode("utf-8", "surrogatepass"))
        if len(found) >= most:
            del found[most:]
            break
    is_short = max(map(len, found), default=0) <= LONGEST_WORD
    return found if is_short else [word[:LONGEST_WORD] for word in found]


def _words_of_line(line: str) -> Iterable[str]:
    for letter, two in _TWO_LETTERS.items():
        if letter in line:
            line = line.replace(letter, two)
    for name in _CODE_PAGES:
        encoding, folded = _tables(name)
        with suppress(UnicodeEncodeError):
            return charmap_decode(charmap_encode(line, "strict", encoding)[0], "strict", folded)[0].split()
    return chain.from_iterable(
        (token,) if token.isascii() else _words_of(token) if len(token) < 40 else _words_of.__wrapped__(token)
        for token in line.split()
    )


@cache
def _tables(name: str) -> tuple[Any, str]:
    """How to encode a text in a code page, and what each of its characters is folded to.

    There is no code for characters that are not folded each by itself and into one.
    """
    chars = bytes(range(256)).decode(name, "replace")
    folded = [_folded_alone(char) for char in chars]
    known = [_NO_CODE if one is None else char for char, one in zip(chars, folded, strict=True)]
    return charmap_build("".join(known)), "".join(one or " " for one in folded)


def _folded_alone(char: str) -> str | None:
    """What a character is folded to wherever it stands, a blank where it parts words; None if not one."""
    between = " ".join(word.text for word in words(f"a{char}b"))[1:-1]
    is_one = len(between) == 1 and [word.text for word in words(char)] == between.split()
    return between if is_one and char != "\ufffd" else None


# Says in a table that a byte stands for no character.
_NO_CODE = "\ufffe"


@lru_cache(maxsize=1 << 16)
def _words_of(token: str) -> tuple[str, ...]:
    return tuple(word.text for word in words(token))


def _pieces_of_run(run: str) -> Iterator[tuple[int, int, str, bool]]:
    if run.isascii():
        yield 0, len(run), run.lower(), False
        return
    for segment in _SEGMENT.finditer(run):
        for part in _PART.finditer(_fold(segment[0])):
            if any(map(str.isalnum, part[0])):  # not a mark alone
                yield segment.start(), segment.end(), part[0], part["unspaced"] is not None


def _fold(text: str) -> str:
    folded = _DROP.sub("", unicodedata.normalize("NFKD", text)).casefold()
    # Case folding of a few letters gives marks again.
    folded = _DROP.sub("", unicodedata.normalize("NFKD", folded)).translate(_FOLDED)
    if not folded.isascii():
        folded = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in folded)
    return unicodedata.normalize("NFC", folded).replace("_", " ")
