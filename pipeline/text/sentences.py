"""Where a sentence ends: the marks, whether a line ends with one, and a text cut into its sentences.

The marks are the same everywhere. Some callers look for fewer of them, and say which with `marks`: a headline
may end with a question mark but hardly with a full stop.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.text.writing_systems import THAI_AND_LAO

# Latin and others; Han and kana; Urdu, Hindi, Armenian, Ethiopic, Burmese, Khmer.
FULL_STOPS = ".。｡．۔।॥։።။។"
EXCLAMATIONS = "!！"
QUESTIONS = "?？؟"
STOPS = FULL_STOPS + EXCLAMATIONS + QUESTIONS + (_ELLIPSES := "…‥")
# Quotation marks and brackets that may follow the stop.
CLOSING = "\"'”’“»«›)\\]}」』）】》〉"
# For the beginning of a regular expression: what it matches follows a sentence, at the end of a line.
AFTER_SENTENCE = f"(?<=[{STOPS}{CLOSING}])"

_CLOSING_CHARS = CLOSING.replace("\\", "")
# Thai and Lao end a sentence with a space, if with anything; so many letters are taken for one.
_LONG_UNSTOPPED = re.compile(rf"(?:[{THAI_AND_LAO}](?:(?![{THAI_AND_LAO}])\W)*+){{60}}")

# These need no space after them, and so may be followed by a closing mark of their own width only.
_WIDE_STOPS = "。！？｡．"
_NARROW_STOPS = "".join(stop for stop in STOPS if stop not in _WIDE_STOPS)
_WIDE_CLOSING = "\"'”’)）」』】》〉"
_OPENING = "\"'“”„‘‚«»‹([{「『（【《〈¿¡-–— "
_POSSIBLE_END = re.compile(
    rf"(?:[。！？｡]|．(?!\d))[{_WIDE_CLOSING}]*"
    rf"|(?<![{_NARROW_STOPS}])[{STOPS}]++[{CLOSING}]*(?=\s)"
    rf"|(?<=[{THAI_AND_LAO}])\s+(?=[{THAI_AND_LAO}])"
)
_HIRAGANA = re.compile("[\u3041-\u309f]")
_LAST_WORD = re.compile(r"\S+$")
_ORDINAL = re.compile(r"\d{1,2}")
# What stands before a full stop that ends no sentence; a single letter never does.
_ABBREVIATIONS = (
    "mr mrs ms dr prof st sen rep gov gen col capt lt sgt hon rev jr sr vs etc inc corp ltd co no nos "
    "jan feb mar apr jun jul aug sep sept oct nov dec mt ft approx est dept "
    "nr bzw ca hr fr usw vgl str tel mio mrd abs art sog "
    "mme mlle mm cf av env "
    "sra srta dra ud uds núm pág avda "
    "sig sigg dott avv ing "
    "dhr mevr mw drs ir blz "
    "г гг ул тыс млн млрд руб им см рис стр акад проф св обл вул м"
)
_ABBREVIATED = frozenset(_ABBREVIATIONS.split())
# A longer sentence is cut at a space, so that a hostile text costs no more than a long one.
_LONGEST = 2000


def ends_sentence(text: str, marks: str = STOPS, *, ellipsis: bool = True) -> bool:
    """Whether the text ends with one of `marks`, and at most closing quotation marks and brackets after it.

    ellipsis: whether dots that leave something out count as a full stop does.
    """
    text = text.rstrip()
    if text.endswith("»"):  # in French with a space before it
        text = text[:-1].rstrip()
    text = text.rstrip(_CLOSING_CHARS)
    if not ellipsis and (text[-2:-1] == "." or text[-1:] in _ELLIPSES):
        return False
    return text != "" and text[-1] in marks


def has_long_unstopped(text: str) -> bool:
    """Whether the text is long enough for a sentence of a language that ends sentences with a space."""
    return _LONG_UNSTOPPED.search(text) is not None


def sentences(text: str) -> list[str]:
    """The sentences of a text in order, none longer than 2,000 characters; every line ends one.

    Nothing but white space is lost. Where a sentence ends is a guess in every language: a full stop after an
    abbreviation, an initial or an ordinal ends none.
    """
    return [sentence for line in text.splitlines() for sentence in _of_line(line)]


def _of_line(line: str) -> Iterator[str]:
    start = 0
    for match in _POSSIBLE_END.finditer(line):
        if _is_end(line, match):
            yield from _shortened(line[start : match.end()].strip())
            start = match.end()
    yield from _shortened(line[start:].strip())


def _is_end(line: str, match: re.Match[str]) -> bool:
    mark = match[0]
    if mark[0] in _WIDE_STOPS:
        # 「…。」と述べた goes on after the quotation
        return len(mark) == 1 or not _HIRAGANA.match(line, match.end())
    if mark.isspace():
        return True
    rest = line[match.end() :].lstrip(_OPENING)
    if rest and rest[0].islower():
        return False
    if mark == ".":
        found = _LAST_WORD.search(line, 0, match.start())
        word = found[0].lstrip(_OPENING).casefold() if found else ""
        is_short = len(word) == 1 and not word.isdecimal()
        return not (is_short or "." in word or word in _ABBREVIATED or _ORDINAL.fullmatch(word))
    return True


def _shortened(sentence: str) -> Iterator[str]:
    while len(sentence) > _LONGEST:
        at = sentence.rfind(" ", 1, _LONGEST)
        at = at if at > 0 else _LONGEST
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    if sentence:
        yield sentence
