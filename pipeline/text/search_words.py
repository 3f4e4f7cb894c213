"""The words of full-text search: cut out of a text and folded, the same way for articles and for queries.

Both databases are given finished words, so that neither cuts or folds by rules of its own:

- A word is a run of letters, marks and digits. An apostrophe, a hyphen or a full stop ends it: `don't` is
  `don t`, `4.25` is `4 25`, and a query for either looks for the two next to each other.
- Folding removes case, accents and other marks over and under letters of Latin, Greek, Cyrillic, Hebrew and
  Arabic (`Škoda` is `skoda`, `ёлка` is `елка`). It replaces letters that are often typed as others (`ø`,
  `ł`, `ß`: `o`, `l`, `ss`), compatibility forms (fullwidth, ligatures), digits of other scripts, and the
  Arabic letters that are written for one another, as Lucene's ArabicNormalizer and PersianNormalizer do. The
  marks of Indic scripts are vowels, and stay.
- There is no stemming: a database holds many languages, and `bank*` finds the words that begin so.
- Scripts that are written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese), and Korean, which
  writes particles on to words, are cut into overlapping pairs of characters, as by Lucene's CJKBigramFilter.
  The last character of a run stands alone, so each character begins exactly one word. Two or more characters
  are found anywhere inside a sentence as consecutive pairs, a single one as the beginning of a word.

Workers make the words of each article. `storage.search` stores them, and reads queries with the same
functions.
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

from pipeline.document import SearchWords
from pipeline.text.stream_safe import stream_safe

# PostgreSQL knows positions up to 16,383 and 256 of one word, and takes 1 MB of words and positions for one
# article and 2 kB for one word (https://www.postgresql.org/docs/current/textsearch-limitations.html). Both
# databases get what stays below that: a title's first words, then the text's. A story of 16,000 words, or of
# 16,000 Chinese characters, is a small book.
MOST_TITLE_WORDS = 300
MOST_WORDS = 16_000
MOST_BYTES = 500_000
MOST_OCCURRENCES = 250
LONGEST_WORD = 100
# Characters that are read to find so many words.
_MOST_CHARACTERS = 400_000

# Stands for a word that was left out, so that the others keep their places. No text has it as a word.
LEFT_OUT = "\uf8ff"


# Ranges of Unicode that have marks. Han and Hangul, the largest part of Unicode, have none.
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
# Invisible characters within a word: soft hyphen, joiners, directions, byte order mark, variant selectors.
_INVISIBLE = "\u00ad\u061c\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe00-\ufe0f\U000e0100-\U000e01ef"
_MARKS = _class_of(frozenset({"Mn", "Mc", "Me"}))
# Folded away: marks over and under letters of the scripts named above, tatweel, and invisible characters.
_DROPPED = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe20-\ufe2f" + _INVISIBLE
)
_FOLDED = str.maketrans(
    {
        **dict(zip("øłđħıŧðƒɐəɛɔ", "oldhitdfaeeo", strict=True)),
        **{"æ": "ae", "œ": "oe", "þ": "th", "ŋ": "ng", "ĸ": "k", "ſ": "s"},
        **dict(zip("ىیےکةە", "يييكهه", strict=True)),
    }
)

_RUN = re.compile(f"[\\w{_MARKS}{_INVISIBLE}]+")
_SEGMENT = re.compile(f"(?P<unspaced>[{_UNSPACED}][{_UNSPACED}{_INVISIBLE}]*)|[^{_UNSPACED}]+")
_DROP = re.compile(f"[{_DROPPED}]+")
_PART = re.compile(f"(?P<unspaced>[{_UNSPACED}]+)|(?:(?![{_UNSPACED}])[\\w{_MARKS}])+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text that is folded as one: a word, or a run of a script without spaces.

    start, end: its place in the text. folded: the result of folding, never empty.
    """

    start: int
    end: int
    folded: str
    unspaced: bool


@dataclass(frozen=True, slots=True)
class FoldedWord:
    """A word as it is indexed, and its place in the text. unspaced: its script is written without spaces."""

    text: str
    start: int
    end: int
    unspaced: bool


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a text, in order; of its first 400,000 characters."""
    for run in _RUN.finditer(text[:_MOST_CHARACTERS].replace("_", " ")):
        at = run.start()
        for start, end, folded, unspaced in _pieces_of_run(run[0]):
            yield Piece(at + start, at + end, folded, unspaced)


def folded_words(text: str) -> Iterator[FoldedWord]:
    """The words of a text, in order, as they are indexed."""
    for piece in pieces(text):
        length = len(piece.folded)
        if not piece.unspaced:
            yield FoldedWord(piece.folded[:LONGEST_WORD], piece.start, piece.end, False)
            continue
        # Folding may join characters (halfwidth kana and marks). Then each word gets the place of the run.
        is_aligned = length == piece.end - piece.start
        for at in range(length):
            start, end = (piece.start + at, min(piece.start + at + 2, piece.end))
            if not is_aligned:
                start, end = piece.start, piece.end
            yield FoldedWord(piece.folded[at : at + 2], start, end, True)


def query_words(text: str) -> tuple[tuple[str, ...], bool]:
    """The consecutive words to look for when a text is searched for; whether the last is a beginning.

    They are those of `folded_words`, with one exception. A run at the end may go on in the article, so its
    last character is not looked for alone if it is part of a pair already.
    """
    found = list(pieces(text))
    wanted = [word.text for word in folded_words(text)]
    if not found or not found[-1].unspaced:
        return tuple(wanted), False
    if len(found[-1].folded) == 1:
        return tuple(wanted), True
    return tuple(wanted[:-1]), False


def make_search_words(title: str, text: str) -> SearchWords:
    """The words that full-text search indexes of an article, cut to what both databases can hold."""
    title_words = _first_words(title, MOST_TITLE_WORDS)
    text_words = _first_words(text, MOST_WORDS - len(title_words))
    # A character takes at most four bytes. A title of so many words is always far below the limit.
    if 4 * sum(map(len, text_words)) > MOST_BYTES:
        text_words = _fitting(text_words)
    if len(title_words) + len(text_words) > MOST_OCCURRENCES:
        _leave_out_frequent(title_words, text_words)
    return SearchWords(" ".join(title_words), " ".join(text_words))


def _fitting(found: list[str]) -> list[str]:
    """The first words that have MOST_BYTES bytes together."""
    size = 0
    for at, word in enumerate(found):
        size += len(word.encode())
        if size > MOST_BYTES:
            return found[:at]
    return found


def _leave_out_frequent(title_words: list[str], text_words: list[str]) -> None:
    """Replaces each occurrence of a word after the first MOST_OCCURRENCES by LEFT_OUT, in place."""
    counts = Counter(chain(title_words, text_words))
    seen = {word: 0 for word, count in counts.items() if count > MOST_OCCURRENCES}
    if not seen:
        return
    for part in (title_words, text_words):
        for at, word in enumerate(part):
            if word in seen:
                seen[word] += 1
                part[at] = word if seen[word] <= MOST_OCCURRENCES else LEFT_OUT


# ASCII in lower case, with a blank for everything but letters, digits and ends of lines. Other bytes stay.
_CUT = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() or chr(code) == "\n" else ord(" ") for code in range(128)
) + bytes(range(128, 256))
# Characters of General Punctuation that end a word: quotation marks, dashes and all others, except invisible
# characters and the two joining lines.
_ENDS_WORD = re.compile(rb"\xe2\x80[\x90-\xa7\xb0-\xbe]")
# Most lines can be encoded in one of these code pages, and a table then folds all their characters at once.
_CODE_PAGES = ("cp1252", "cp1251", "cp1250", "cp1253", "cp1256")
# Letters that become two letters, which a table of single characters cannot express.
_TWO_LETTERS = {"ß": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"}


def _first_words(text: str, most: int) -> list[str]:
    """The first words of a text, as `folded_words` has them, looked up in tables to be quick.

    docs/tuning.md: Search words.
    """
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
    """An encoding for a code page, and the folded character of each of its codes.

    Characters that do not fold each by itself into a single character have no code.
    """
    chars = bytes(range(256)).decode(name, "replace")
    folded = [_folded_alone(char) for char in chars]
    known = [_NO_CODE if one is None else char for char, one in zip(chars, folded, strict=True)]
    return charmap_build("".join(known)), "".join(one or " " for one in folded)


def _folded_alone(char: str) -> str | None:
    """The one character that a character always folds to, a blank if it separates words, or None."""
    between = " ".join(word.text for word in folded_words(f"a{char}b"))[1:-1]
    is_one = len(between) == 1 and [word.text for word in folded_words(char)] == between.split()
    return between if is_one and char != "\ufffd" else None


# Means in a decoding table: this byte has no character.
_NO_CODE = "\ufffe"


@lru_cache(maxsize=1 << 16)
def _words_of(token: str) -> tuple[str, ...]:
    return tuple(word.text for word in folded_words(token))


def _pieces_of_run(run: str) -> Iterator[tuple[int, int, str, bool]]:
    if run.isascii():
        yield 0, len(run), run.lower(), False
        return
    for segment in _SEGMENT.finditer(run):
        for part in _PART.finditer(_fold(segment[0])):
            if any(map(str.isalnum, part[0])):  # not a mark alone
                yield segment.start(), segment.end(), part[0], part["unspaced"] is not None


def _fold(text: str) -> str:
    folded = _DROP.sub("", unicodedata.normalize("NFKD", stream_safe(text))).casefold()
    # Case folding of a few letters gives marks again.
    folded = _DROP.sub("", unicodedata.normalize("NFKD", folded)).translate(_FOLDED)
    if not folded.isascii():
        folded = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in folded)
    return unicodedata.normalize("NFC", folded).replace("_", " ")
