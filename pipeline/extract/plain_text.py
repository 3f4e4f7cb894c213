"""Copied plain text: a page as somebody pasted it, or a wire item as it came down the line.

What markup would say has to be read off the lines: which of them is the headline, where a paragraph
ends, what stood in the masthead. Text copied from the web also carries the encoding accidents of
every program it went through.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import ftfy
from ftfy.badness import is_bad

from pipeline.document import Block, BlockKind, DocumentRejected, Extraction, Reason, Removed, Stage
from pipeline.metadata import StatedTime, parse_time
from pipeline.settings import Settings
from pipeline.text import (
    FULL_STOPS,
    HANGUL,
    UNSPACED,
    WORD,
    ends_sentence,
    identify_language,
    sentences,
    words,
    words_key,
)

# The headline is looked for in this many lines, down to the first paragraph of the story.
HEAD_LINES = 12
# A line of this many words, or fewer where it ends as a sentence, is the story and no masthead.
BODY_WORDS = 30
BODY_SENTENCE_WORDS = 9
# Below this score no line is taken for the headline.
TITLE_SCORE = 1.5
# Longest line that a text wrapped by hand or by a terminal has.
MAX_WRAP = 120
# Shorter lines are verse, a list or an address.
MIN_WRAP = 30
# Share of line breaks inside sentences that are followed by a small letter, from which a text counts as
# wrapped. Wrapped prose has 0.7 in English and 0.5 in German; text with a line a paragraph next to none.
WRAPPED_SHARE = 0.3
# A wrapped line leaves no more room than this share of the width, save the last of its paragraph.
FILLED = 0.75
# Where a text without a headline gets one from its first sentence, cut at this length.
MADE_TITLE_CHARS = 100

_TEXT_FIXES = ftfy.TextFixerConfig(uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False)
# What ftfy may mend besides wrong decoding: an escaped character, a line end, controls, marks of places in
# annotations. A line without it that is composed (NFC) and not `is_bad` comes back as it was.
_MENDED = re.compile(
    "[&\r\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028\u2029\u206a-\u206f\ud800-\udfff\ufeff\ufff9-\ufffc]"
)
# Of these what ftfy drops wherever it stands: wire copy ends with such a mark.
_DROPPED = dict.fromkeys((*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F))
# ftfy takes longer lines apart.
_LONGEST_LINE = 100_000
# A line may break after any of these, without a hyphen.
_BREAKABLE = re.compile(rf"[{UNSPACED}{HANGUL}]")
_UNSPACED = re.compile(rf"[{UNSPACED}]")
_BULLET = re.compile(r"\s*(?:[•◦▪‣∙·●○■□➤►*]|-(?=\s+[^\W\d_]))\s+(?=\S)")
_MD_HEADING = re.compile(r"(#{1,6})\s+(\S.*?)\s*#*$")
_MD_QUOTE = re.compile(r"\s*>+\s+(?=\S)")
_MD_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_MD_LINK = re.compile(r"\[([^\]]+)\]\((?:https?://|/|#|mailto:)[^)\s]*(?:\s+\"[^\"]*\")?\)")
_MD_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_MD_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+)(?<=\S)\*(?![\w*])")
_RULE = re.compile(r"\s*(?:[-=_*~#]\s*){3,}$")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_DIVIDED = re.compile(r"[^\W\d_]-$")
_COLUMNS = re.compile(r"\S {3,}(?=\S)")
# What a bullet, a quotation, a heading or a rule begins with; other lines are spared a closer look.
_MARKS = frozenset("•◦▪‣∙·●○■□➤►*-=_~#>")

_MONTH = r"[^\W\d_]{3,12}\.?"
_DAY = (
    rf"(?:{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.)? (?:de |d['’])?{_MONTH},?(?: de)? \d{{4}}"
    r"|\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}年\d{1,2}月\d{1,2}日)"
)
_CLOCK = r"\d{1,2}[:.h]\d\d(?::\d\d)?(?: ?[ap]\.?m\.?)?(?: ?\(?[A-Z]{2,4}\)?)?"
_DATE_LINE = re.compile(
    rf"(?:[^\W\d_]{{2,14}},? )?{_DAY}(?:[ ,|/·–—-]*(?:at |um |à |a las )?{_CLOCK})?(?: Uhr)?", re.I
)
_STAMP = re.compile(
    r"(?:(?:first |originally |last )?(?:published|updated|posted|modified)|veröffentlicht|aktualisiert|"
    r"publié|mis à jour|publicad[oa]|actualizad[oa]|atualizad[oa]|pubblicato|aggiornato|"
    r"gepubliceerd|opublikowano|опубликовано|обновлено|опубліковано|оновлено)"
    rf"(?: on| am| le| el| em| il| op)?\s*[:|]?\s*(?P<date>(?:[^\W\d_]{{2,14}},? )?{_DAY}.{{0,30}})",
    re.I,
)
_BYLINE_STAMP = re.compile(rf"(?P<by>[^|]{{2,60}}?)\s*\|\s*(?P<date>{_DAY}(?:[ ,|]+{_CLOCK})?)", re.I)
_BREADCRUMB = re.compile(r"\S+(?: ?[>›»/|→] ?\S[^>›»/|→]{0,40}){2,}$")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+\.\S+")
_BYLINE = re.compile(r"(?:By|Von|Par|Por|Di|Door|Автор)\b:?\s+(?=[^\W\d_a-zа-я])")
_NAME = r"[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){1,3}"
_AUTHORS = re.compile(rf"By:? (?P<names>{_NAME}(?:(?:, and |, | and ){_NAME})*)(?:\s*[,|].{{0,60}})?")


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """One paragraph, list item or heading of the text, unwrapped. level: of a Markdown heading, else 0."""

    kind: BlockKind
    text: str
    link_density: float = 0.0
    level: int = 0


def extract_text(
    text: str, url: str, fetched_at: datetime, settings: Settings, *, title: str | None = None
) -> Extraction:
    """Reads copied text: headline, paragraphs, and what stood around them.

    title: the headline as the source states it, where it does; the text is then only searched for
    its repetition. fetched_at: aware UTC; no date found is later.

    Raises DocumentRejected where the text has no words.
    """
    del url, settings
    paragraphs = _paragraphs(repaired(text))
    if not any(WORD.search(paragraph.text) for paragraph in paragraphs):
        raise DocumentRejected(Stage.EXTRACT, Reason.EMPTY, "no words in the text")
    stated = " ".join(repaired(title).split()) if title else ""
    begin, headline = _stated_title(paragraphs, stated) if stated else _found_title(paragraphs)
    masthead, body = paragraphs[:begin], paragraphs[begin:]
    removed = [Removed(0, paragraph.text, "copied.masthead") for paragraph in masthead]
    key = words_key(headline)
    titles = [paragraph for paragraph in body[:HEAD_LINES] if key and words_key(paragraph.text) == key]
    # The headline itself is not lost but in its field; only what repeats it is clutter.
    removed += [Removed(0, paragraph.text, "copied.repeated-title") for paragraph in titles[1:]]
    story = [p for n, p in enumerate(body) if n >= HEAD_LINES or p not in titles] or body
    stamp = _stamped(story[:HEAD_LINES], fetched_at)
    return Extraction(
        blocks=tuple(Block(p.kind, p.text, p.link_density) for p in story),
        title=headline or _made_title(story),
        removed=tuple(removed),
        authors=_authors(story[:HEAD_LINES]),
        published_at=stamp.at if stamp else None,
        published_offset=stamp.offset if stamp else None,
        published_source="text" if stamp else None,
        language=identify_language(" ".join([headline, *(p.text for p in story)])),
    )


# ---------------------------------------------------------------- encoding accidents


def repaired(text: str) -> str:
    """The text without the traces of wrong decoding, control characters and odd line ends.

    ftfy knows the code pages of the West and Centre; the pages that it leaves out (Greek, Hebrew,
    Arabic, Baltic, Vietnamese) turn the same curly quotes into other letters, which are looked up here.
    """
    if text.isascii() and _is_sound(text):
        return text
    found, spelled = _mojibake()
    text = found.sub(lambda m: spelled[m.group()], text)
    fixes = _TEXT_FIXES
    lines: list[str] = _LINE.findall(text)
    for number, line in enumerate(lines):
        if not _is_sound(line):
            dropped = line.translate(_DROPPED) if line.isascii() else line
            lines[number] = dropped if _is_sound(dropped) else ftfy.fix_text(line, fixes)
        if "<" in line:  # markup is quoted here, and what is escaped in it is meant so
            fixes = fixes._replace(unescape_html=False)
    return "".join(lines)


def _is_sound(text: str) -> bool:
    """Whether ftfy would leave a line alone, as it does nearly every one."""
    if _MENDED.search(text):
        return False
    return text.isascii() or (
        len(text) < _LONGEST_LINE and unicodedata.is_normalized("NFC", text) and not is_bad(text)
    )


@cache
def _mojibake() -> tuple[re.Pattern[str], dict[str, str]]:
    """What typographic punctuation becomes when its UTF-8 is read in those code pages."""
    spelled: dict[str, str] = {}
    for page in ("cp1253", "cp1255", "cp1256", "cp1257", "cp1258"):
        for char in "‘’‚“”„–—…•€™‹›\u2009\u200a\u200b\u202f":
            # Programs read bytes that a page leaves free as Windows-1252 does, or as controls.
            for spare in ("cp1252", "latin-1"):
                wrong = "".join(_read(byte, page, spare) for byte in char.encode())
                spelled.setdefault(wrong, char)
    alternatives = sorted(spelled, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, alternatives))), spelled


def _read(byte: int, page: str, spare: str) -> str:
    for encoding in (page, spare, "latin-1"):
        try:
            return bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 reads every byte")


# ---------------------------------------------------------------- lines to paragraphs


class _Line(NamedTuple):
    """A line, what there is of it behind its indentation, and how wide that is."""

    text: str
    bare: str
    indent: int


def _paragraphs(text: str) -> list[_Paragraph]:
    lines = [_line(line.rstrip()) for line in text.expandtabs(4).splitlines()]
    chunks = _unwrapped(lines) if _is_wrapped(lines) else [line.text for line in lines if line.text]
    return [paragraph for chunk in chunks if (paragraph := _paragraph(chunk))]


def _line(text: str) -> _Line:
    bare = text.lstrip()
    return _Line(text, bare, len(text) - len(bare))


def _paragraph(line: str) -> _Paragraph | None:
    kind, level = BlockKind.PARAGRAPH, 0
    first = line.lstrip()[:1]
    if first in _MARKS:
        if _RULE.match(line):
            return None
        if heading := _MD_HEADING.match(line.strip()):
            kind, level, line = BlockKind.HEADING, len(heading.group(1)), heading.group(2)
        elif quote := _MD_QUOTE.match(line):
            kind, line = BlockKind.QUOTE, line[quote.end() :]
        elif bullet := _BULLET.match(line):
            kind, line = BlockKind.LIST_ITEM, line[bullet.end() :]
    elif first == "!" and (image := _MD_IMAGE.fullmatch(line.strip())):
        kind, line = BlockKind.CAPTION, image.group(1)
    linked = 0
    if "[" in line:
        linked = sum(len(match.group(1)) for match in _MD_LINK.finditer(line))
        line = _MD_LINK.sub(r"\1", _MD_IMAGE.sub("", line))
    if "*" in line or "__" in line:
        line = _MD_EMPHASIS.sub(r"\1", _MD_STRONG.sub(r"\2", line))
    line = " ".join(line.split())
    if not line:
        return None
    return _Paragraph(kind, line, min(1.0, linked / len(line)), level)


def _is_wrapped(lines: Sequence[_Line]) -> bool:
    """Whether line breaks stand inside sentences, as terminals and mail programs set them."""
    breaks = [
        (a.text, b.bare)
        for a, b in pairwise(lines)
        if a.text and b.text and b.indent <= a.indent and not _is_bullet(b.text, b.bare)
    ]
    width = max((len(a) for a, _ in breaks), default=0)
    if not MIN_WRAP <= width <= MAX_WRAP:
        return False
    # After a finished sentence a break says nothing: it may end the paragraph or not.
    inside = [(a, b) for a, b in breaks if not ends_sentence(a, ellipsis=False)]
    filled = sum(_reaches(a, b, FILLED * width) for a, b in inside)
    small = sum([b[0].islower() for _, b in inside])
    if small and small >= WRAPPED_SHARE * len(inside) and 2 * filled >= len(inside):
        return True
    # Scripts without small letters: lines filled to one width, and broken inside sentences.
    if any(char.islower() for _, b in breaks for char in b):
        return False
    return len(breaks) >= 3 and filled >= 0.7 * len(breaks)


def _reaches(line: str, following: str, width: float) -> bool:
    """Whether the line is wider than that with the next word, which a shorter one had room for."""
    # The first word is cut out only where it matters.
    return len(line) + 1 > width or len(line) + 1 + len(_first_word(following)) > width


def _is_bullet(text: str, bare: str) -> bool:
    return bare[:1] in _MARKS and _BULLET.match(text) is not None


def _first_word(line: str) -> str:
    words = line.split(None, 1)
    word = words[0] if words else ""
    # Where nothing parts words, a line can break after any character.
    return word[:1] if _begins_breakable(word) else word


def _begins_breakable(text: str) -> bool:
    return _BREAKABLE.match(text) is not None


def _unwrapped(lines: Sequence[_Line]) -> list[str]:
    width = max((len(line.text) for line in lines), default=0)
    chunks: list[str] = []
    last: _Line | None = None  # of the chunk that is open
    is_marked = False  # whether its first line is, as a bullet is
    for line in lines:
        if not line.text:
            last = None
            continue
        if last is not None and _continues(last, line, chunks[-1] if is_marked else "", width):
            chunks[-1] = _joined(chunks[-1], line.bare)
        else:
            chunks.append(line.text)
            is_marked = line.bare[0] in _MARKS
        last = line
    return chunks


def _continues(last: _Line, line: _Line, marked: str, width: int) -> bool:
    """Whether the line belongs to the paragraph of the line before it.

    marked: that paragraph where it may be a bullet's.
    """
    text, bare = line.text, line.bare
    if bare[0] in _MARKS and (_BULLET.match(text) or _MD_HEADING.match(text) or _RULE.match(text)):
        return False
    if _is_row(bare) or _is_row(last.bare):
        return False
    if marked and _BULLET.match(marked):
        return True
    if line.indent > last.indent:
        return False
    if bare[0].islower() or not ends_sentence(last.text, ellipsis=False):
        return True
    had_room = len(last.text) + 1 + len(_first_word(bare)) < 0.7 * width
    return not had_room


def _is_row(bare: str) -> bool:
    """Columns set with blanks: a row of a table."""
    return "   " in bare and _COLUMNS.search(bare) is not None


def _joined(chunk: str, line: str) -> str:
    if _begins_breakable(chunk[-1:]) and _begins_breakable(line):
        return chunk + line
    if chunk.endswith("-") and _DIVIDED.search(chunk) and line[0].islower():
        return chunk + line
    return f"{chunk} {line}"


# ---------------------------------------------------------------- headline and masthead


def _stated_title(paragraphs: Sequence[_Paragraph], title: str) -> tuple[int, str]:
    """Where the story begins under a headline that the source states, and the headline."""
    key = words_key(title)
    for index, paragraph in enumerate(paragraphs[:HEAD_LINES]):
        if key and words_key(paragraph.text) == key:
            return index, title
        if _is_body(paragraph):
            break
    return 0, title


def _found_title(paragraphs: Sequence[_Paragraph]) -> tuple[int, str]:
    """Index of the headline's line, and the headline; (0, "") where no line looks like one."""
    head: list[_Paragraph] = []
    for paragraph in paragraphs[:HEAD_LINES]:
        if _is_body(paragraph) or paragraph.kind is BlockKind.LIST_ITEM:
            break
        head.append(paragraph)
    rest = Counter(word for paragraph in paragraphs[len(head) :] for word in words(paragraph.text))
    keys = Counter(words_key(paragraph.text) for paragraph in head)
    scored = [(_title_score(p, keys, rest) - 0.1 * index, -index) for index, p in enumerate(head)]
    best, place = max(scored, default=(0.0, 0))
    if best < TITLE_SCORE:
        return 0, ""
    return -place, _without_site(head[-place].text, head)


def _is_body(paragraph: _Paragraph) -> bool:
    count = len(words(paragraph.text))
    return count >= BODY_WORDS or (
        count >= BODY_SENTENCE_WORDS and _ends_with_full_stop(paragraph.text) and paragraph.level == 0
    )


def _title_score(paragraph: _Paragraph, keys: Counter[str], rest: Counter[str]) -> float:
    """How much a line of the head looks like the headline.

    What tells it from a site's name and slogan: it is repeated, it has a headline's length, and the
    story below uses its words.
    """
    text = paragraph.text
    if is_furniture(text):
        return -9.0
    found = words(text)
    characters = sum(map(_is_unspaced, found))
    length = len(found) - characters * 0.7
    score = 2.0 if 4 <= length <= 25 else 0.0 if length >= 3 else -2.0
    content = [word for word in found if len(word) >= 4 or _is_unspaced(word)]
    if content:
        score += 3.0 * sum(word in rest for word in content) / len(content)
    if keys[" ".join(found)] > 1:
        score += 4.0
    if paragraph.level == 1:
        score += 4.0
    if _ends_with_full_stop(text):
        score -= 1.5
    return score


def _ends_with_full_stop(text: str) -> bool:
    """A headline may ask or exclaim, but seldom ends with a full stop."""
    return ends_sentence(text, FULL_STOPS, ellipsis=False)


def _is_unspaced(word: str) -> bool:
    return _UNSPACED.match(word) is not None


def is_furniture(text: str) -> bool:
    """A line of the masthead by its form alone: a date, a path through the site, an address, a byline."""
    return bool(
        _DATE_LINE.fullmatch(text)
        or _STAMP.match(text)
        or _BYLINE_STAMP.fullmatch(text)
        or _BREADCRUMB.fullmatch(text)
        or _ADDRESS.fullmatch(text)
        or _BYLINE.match(text)
    )


def _without_site(title: str, head: Iterable[_Paragraph]) -> str:
    """The headline without " - Site" where the masthead or a second copy of it shows what the site is."""
    others = {words_key(paragraph.text) for paragraph in head}
    for match in re.finditer(r"\s+[-–—|]\s+", title):
        if words_key(title[match.end() :]) in others or words_key(title[: match.start()]) in others:
            return title[: match.start()].strip()
    return title


def _made_title(story: Sequence[_Paragraph]) -> str:
    """The first sentence, cut to a headline's length."""
    first = story[0].text if story else ""
    sentence = next(iter(sentences(first)), "")
    if len(sentence) <= MADE_TITLE_CHARS:
        return sentence
    return sentence[:MADE_TITLE_CHARS].rsplit(" ", 1)[0].rstrip(" ,;:-–—") + "…"


def _stamped(head: Iterable[_Paragraph], fetched_at: datetime) -> StatedTime | None:
    """When the text says it was published: a labelled date or one beside the byline, under the headline.

    A bare date is not believed: mastheads carry the day on which the page was looked at.
    """
    for paragraph in head:
        match = _STAMP.match(paragraph.text) or (
            _BYLINE_STAMP.fullmatch(paragraph.text) if "|" in paragraph.text else None
        )
        if match:
            stated = match.group("date")
            day = re.search(_DAY, stated)
            found = parse_time(stated, fetched_at) or (day and parse_time(day.group(), fetched_at))
            if found:
                return found
    return None


def _authors(head: Iterable[_Paragraph]) -> tuple[str, ...]:
    for paragraph in head:
        match = _AUTHORS.fullmatch(paragraph.text)
        if match:
            return tuple(re.split(r", and |, | and ", match.group("names")))
    return ()
