"""Removes bylines from a story, and reads the names of the people and agencies that wrote it."""

from __future__ import annotations

import re

from pipeline.clean.dateline import BARE_BLOCKS, LEAD_BLOCKS
from pipeline.clean.wire_patterns import (
    CREDIT,
    UPPER,
    WORD,
    WireLine,
    agency_of,
    names_agency,
    pattern,
)
from pipeline.document import Removed
from pipeline.text import ANY_AGENCY

# A byline is a line of names. Longer lines are sentences.
BYLINE_WORDS = 24
BYLINE_CHARS = 200

_PERSON = (
    rf"(?!(?:{ANY_AGENCY}|Staff|Special|Senior|Chief|Web|News)\b)"
    rf"{WORD}(?: (?:(?:van|von|de|der|den|da|dos|di|la|le|bin|al|el) )*{WORD}){{1,4}}"
)
_AND = r"(?:,? (?:and|und|et|y|e|i|en|и|та|&|with|mit) |, | ?[/|] ?)"
_BY = r"(?:By|BY|Von|VON|Par|PAR|Por|POR|Di|Door|Autore?|Автор|Written by|Text|Текст)"
_ROLE = (
    r"(?:(?:Special|Senior|Chief|Staff|Political|Sports|Business|Foreign|National|News|Web|AP|"
    r"Associated Press|Reuters|Contributing|Guest|Deputy|Managing|Executive|City|Digital|Data|"
    r"Science|Health|Crime|Court)\s+)*"
    r"(?:[Ww]riters?|[Rr]eporters?|[Cc]orrespondents?|[Ee]ditors?|[Cc]ontributors?|[Cc]olumnists?|[Ss]taff|"
    r"[Dd]esk|[Jj]ournalists?|[Ss]taff [Ww]riters?)"
)
_STAMP = (
    r"(?:\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}"
    r"|[^\W\d_]{3,10}\.? \d{1,2},? \d{4}|\d{1,2}\.? [^\W\d_]{3,10}\.? \d{4})"
)
_AFTER_BYLINE = (
    rf"(?:(?:{_AND}| )?\(?(?:{_ROLE}|(?:for |of )?(?:the )?(?:{ANY_AGENCY})\b"
    rf"|{_STAMP}(?:[ ,|]+\d{{1,2}}:\d\d.{{0,12}})?"
    r"|@\w+|[\w.+-]+@[\w.-]+\.\w+|Updated.{0,30}|Published.{0,30})\)?){0,4}"
)
_HEBREW = r"[א-ת][א-ת'\"׳״-]+"
_SIGNED_AGENCY = rf"(?:^|[ ,|/(])(?P<credit>{ANY_AGENCY})(?=$|[ ,|/)])"
PERSONS = rf"{_PERSON}(?:{_AND}{_PERSON})*"
_BY_SOMEBODY = rf"{_BY}:? (?P<who>{PERSONS}|(?:{CREDIT})|{_ROLE}){_AFTER_BYLINE}\.?"
_SIGNED = rf"(?P<who>{PERSONS}){_AND}(?:{_ROLE}|(?:{CREDIT})){_AFTER_BYLINE}\.?"
_STAFF = rf"(?P<who>(?:(?:{CREDIT})\s)?{_ROLE}){_AFTER_BYLINE}\.?"
_ONLY_ROLE = rf"(?:(?:{CREDIT}) )?{_ROLE}"
# Hebrew has no capitals, so a line of names is a byline only if it begins with the word for "by".
_IN_HEBREW = (
    rf"(?:מאת:?|כתבו?:|כתבה:) (?P<who>{_HEBREW}(?: {_HEBREW}){{1,3}}(?:,? {_HEBREW} {_HEBREW})?)"
    rf"(?:[ ,|]+{_STAMP})?\.?"
)
# A line must have one of these to match `_BY_SOMEBODY`, or `_SIGNED` and `_STAFF`.
_BY_WORD = re.compile(rf"{_BY}:? ")
_IN_ROLE = ("riter", "eporter", "orrespondent", "ditor", "ontributor", "olumnist", "taff", "esk", "ournalist")
# By Jane Doe LONDON (Reuters) -
_BYLINE_HEAD = rf"By (?P<who>{_PERSON}?(?:{_AND}{_PERSON}?)*) (?={UPPER}.{{0,40}}\((?:{CREDIT})\))"

PATTERNS = (_BY_SOMEBODY, _SIGNED, _STAFF, _IN_HEBREW, _ONLY_ROLE, _BYLINE_HEAD, _SIGNED_AGENCY)


def take_bylines(lines: list[WireLine]) -> tuple[list[WireLine], str | None, str | None, list[Removed]]:
    """Returns the lines without bylines, the names in the first byline, the agency, and what was removed."""
    byline: str | None = None
    agency: str | None = None
    removed: list[Removed] = []
    kept: list[WireLine] = []
    for index, line in enumerate(lines):
        at_edge = index < LEAD_BLOCKS or index >= len(lines) - 2
        if at_edge and not (removed and index >= LEAD_BLOCKS):
            match = _byline(line.text)
            if match:
                byline = byline or match["who"].strip()
                agency = agency or agency_of(pattern(_SIGNED_AGENCY).search(line.text))
                removed.append(Removed(line.position, line.text, "wire.byline"))
                continue
            head = _byline_before_dateline(line.text) if index < BARE_BLOCKS else None
            if head:
                byline = byline or head["who"]
                removed.append(Removed(line.position, head[0].strip(), "wire.byline"))
                line = line._replace(text=line.text[head.end() :].strip())
        kept.append(line)
    return kept, byline, agency, removed


def authors_of(byline: str | None) -> tuple[str, ...]:
    """The people and agencies that the byline names; empty if it has only a role, such as "Staff writer"."""
    if byline is None or pattern(_ONLY_ROLE).fullmatch(byline):
        return ()
    return tuple(name for name in re.split(_AND, byline) if name)


def _byline(text: str) -> re.Match[str] | None:
    """Matches a whole line as a byline. A pattern is tried only if the line has the words that it needs."""
    if len(text) > BYLINE_CHARS or len(text.split()) > BYLINE_WORDS:
        return None
    match = pattern(_BY_SOMEBODY).fullmatch(text) if _BY_WORD.match(text) else None
    has_role = any(map(text.__contains__, _IN_ROLE))
    if match is None and (has_role or names_agency(text)):
        match = pattern(_SIGNED).fullmatch(text)
    if match is None and has_role:
        match = pattern(_STAFF).fullmatch(text)
    if match is None and text.startswith(("מאת", "כתב")):
        match = pattern(_IN_HEBREW).fullmatch(text)
    return match


def _byline_before_dateline(text: str) -> re.Match[str] | None:
    if not (text.startswith("By ") and names_agency(text)):
        return None
    return pattern(_BYLINE_HEAD).match(text)
