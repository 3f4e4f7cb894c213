"""Removes the dateline of a story: place, date and agency before its first sentence."""

from __future__ import annotations

import re

from pipeline.clean.wire_patterns import (
    CAPITAL,
    CREDIT,
    LOWER,
    UPPER,
    WORD,
    WireLine,
    names_agency,
    pattern,
    patterns,
)
from pipeline.document import BlockKind, Removed

# The dateline is in one of the first blocks. A summary in bullets, a photo line or standfirst may precede it.
LEAD_BLOCKS = 10
# Without an agency (a place and a dash) it is weak evidence, so only the first paragraphs may have it.
BARE_BLOCKS = 3
# A place has at most so many words; more are a headline in capitals.
PLACE_WORDS = 3

_DASH = r"(?:\s*(?:--+|[-–—―−]|\.-|:)\s*)"
_SMALL = (
    r"(?:de|del|la|le|los|las|el|du|da|do|dos|di|der|den|am|an|im|of|the|upon|sur|et|y|al|bei|ob|aan|on|in)"
)
_PLACE_NAME = rf"{WORD}(?: (?:{_SMALL} ){{0,2}}{WORD}){{0,4}}(?: [(\[]{WORD}(?: {WORD}){{0,3}}[)\]])?"
_DAY = (
    r"(?:le )?(?:[^\W\d_]{3,12}\.? \d{1,2}(?!\d)"
    r"|\d{1,2}(?:er|\.|st|nd|rd|th)? ?(?:de |d['’])?[^\W\d_]{3,12}\.?)"
    r"(?:,? (?:de |del )?(?:19|20)\d\d)?"
)
_PLACES = rf"{_PLACE_NAME}(?:(?:,? ?[/|] ?|, | and | und | et | y ){_PLACE_NAME}){{0,3}}"

# Patterns (sources) of a dateline at the start of a paragraph. Groups: place (with its date), credit.
_WITH_AGENCY = (
    # (ANSA) - ROMA, 12 MAR -
    rf"[(\[](?P<credit>{CREDIT})[)\]]{_DASH}(?P<place>{UPPER}(?:, {_DAY}))\s*{_DASH}",
    # LONDON, March 7 (Reuters) - ; Madrid, 3 mar (EFE).- ; (AP) - ; Berlin (dpa/bb) -
    (
        rf"(?P<place>(?:{_PLACES})?(?:[,.]? ?{_DAY})?) ?[(\[](?P<credit>{CREDIT})[)\]]"
        rf"(?:\.?{_DASH}(?=[^\s{LOWER}])|(?<=[)\]])\.? (?=[\"“„«'‘]?[{CAPITAL}\d]))"
    ),
    # МОСКВА, 5 марта. /ТАСС/. ; МОСКВА, 5 мар - РИА Новости. ; Москва. 5 марта. INTERFAX.RU -
    (
        rf"(?P<place>{_PLACES}[,.] {_DAY})[.,]?\s*[-–—/(]*\s*"
        rf"(?P<credit>{CREDIT})\s*[/)]*(?:\s*[.:]|{_DASH})\s*"
    ),
    # КИЇВ. Укрінформ.
    rf"(?P<place>{UPPER})\.\s*[/(]?(?P<credit>{CREDIT})[/)]?(?:\s*[.:]|{_DASH})\s*",
)
# The datelines of East Asian agencies begin with one of these characters.
_EASTERN_BEGIN = tuple("（(新中［[【〔")
_EASTERN = (
    # 新华社北京3月5日电
    (
        r"[（(]?(?P<credit>新华社|新華社|中央社(?:記者\S{0,12})?)(?P<place>\S{1,14}?\d{1,2}月?\d{0,2}日?)[电電]"
        r"(?:\s*[（(][^）)]{1,30}[）)]|[）)])?\s*"
    ),
    # 【ロンドン共同】 ; [ロンドン 5日 ロイター] -
    (
        r"[［\[【〔](?P<place>[^］\]】〕]{1,24}?)\s*(?P<credit>ロイター|共同|時事|ＡＦＰ|AFP|聯合ニュース)"
        r"(?:通信|＝[^］\]】〕]{1,12})?[］\]】〕]\s*[-－—=＝]?\s*"
    ),
)
# NEW YORK - ; KYIV, Ukraine - ; WASHINGTON, March 3 -
_BARE = re.compile(
    rf"(?P<place>{UPPER}(?:/{UPPER})*(?:, {WORD}(?: {WORD}){{0,2}})?(?:,? {_DAY})?)"
    rf"(?: ?\((?P<desk>[^)]{{2,30}})\))?\s*(?:--+|[–—―]| - )\s*(?=[\"“„«'‘]?[{CAPITAL}])"
)
# Words in capitals before a dash that are not a place.
_NO_PLACE = re.compile(
    r"\b(?:BREAKING|UPDATED?|LIVE|WATCH|EXCLUSIVE|OPINION|ANALYSIS|REVIEW|VIDEO|PHOTOS?|CORRECTION|NOTE|Q|A|"
    r"EDITOR|EDITORIAL|SPOILER|WARNING|ALERT|NEWS|FACTBOX|TIMELINE|EXPLAINER|INTERVIEW|FEATURE|STEP|PART|DAY|"
    r"FREE|BEST|TOP|TIP|PROS|CONS|EILMELDUNG|KOMMENTAR|СРОЧНО|ОБНОВЛЕНО|ВИДЕО|ВІДЕО|ФОТО)\b"
)

PATTERNS = (*_WITH_AGENCY, *_EASTERN)


def take_dateline(lines: list[WireLine]) -> tuple[list[WireLine], re.Match[str] | None, list[Removed]]:
    """Returns the lines without the dateline, its match, and what was removed.

    The match has the group `place`, and `credit` or `desk` if it names an agency.
    """
    paragraphs = 0
    for index, line in enumerate(lines[:LEAD_BLOCKS]):
        is_paragraph = line.block.kind is BlockKind.PARAGRAPH
        match = _with_agency(line.text)
        if match is None and is_paragraph and paragraphs < BARE_BLOCKS:
            match = _bare(line.text)
        paragraphs += is_paragraph
        if match and match.end() < len(line.text):
            rest = line._replace(text=line.text[match.end() :].strip())
            removed = Removed(line.position, match[0].strip(), "wire.dateline")
            return [*lines[:index], rest, *lines[index + 1 :]], match, [removed]
    return lines, None, []


def _with_agency(text: str) -> re.Match[str] | None:
    for compiled in patterns(_WITH_AGENCY, names_agency(text)):
        if match := compiled.match(text):
            return match
    if text.startswith(_EASTERN_BEGIN):
        for source in _EASTERN:
            if match := pattern(source).match(text):
                return match
    return None


def _bare(text: str) -> re.Match[str] | None:
    match = _BARE.match(text)
    return match if match and _may_be_place(match["place"]) else None


def _may_be_place(place: str) -> bool:
    names = re.split(r"[,/(]", place)
    return not _NO_PLACE.search(place) and all(len(name.split()) <= PLACE_WORDS for name in names)
