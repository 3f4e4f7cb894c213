"""Removes the sign-off at the end of a story: who reported and edited it, and the agency's tag."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.clean.byline import BYLINE_WORDS, PERSONS
from pipeline.clean.wire_patterns import (
    CAPITAL,
    CREDIT,
    WORD,
    WireLine,
    agency_of,
    names_agency,
    pattern,
    patterns,
)
from pipeline.document import Removed
from pipeline.text import AFTER_SENTENCE, ANY_BARE

# The sign-off is within so many blocks from the end.
LAST_BLOCKS = 5

_WORKED = (
    r"(?:(?:additional |further |other )?(?:reporting|report|writing|written|rewritten|compiled|edited|"
    r"editing|graphics?|photography|production|translat(?:ed|ion|ing)|adaptation|text|research)"
    r"(?:,? (?:and|&) (?:additional )?(?:writing|editing|reporting|translation|graphics))?"
    r"(?: in [\w .]{2,30})?)"
)
_SIGNOFF_LINES = (
    rf"(?i)[(\[*_]*{_WORKED} by:? (?-i:[{CAPITAL}]).{{3,500}}",
    rf"[-–—\s(\[/]*(?P<credit>{CREDIT}|reuter)[)\]/]*\s*[.\x03]*",
    # dpa abc xx n1 de ; EFE abc/de
    rf"(?P<credit>{CREDIT})(?: [a-z]{{1,3}}\d?)*(?: [a-z]{{2,4}}(?:/[a-z]{{2,4}})*)",
    # Doe reported from Oslo.
    rf"{WORD}(?:(?:, and |, | and | ){WORD}){{0,6}} reported from {WORD}.{{0,200}}",
    # rt/sms (AP, Reuters)
    rf"[a-zäöü]{{1,4}}(?:[/,][a-zäöü]{{1,4}})* \((?P<credit>{CREDIT})\)",
    (
        r"(?:©|\([cC]\)|[Cc]opyright|COPYRIGHT)\s*(?:\d{4})?,? ?(?:by |[Tt]he )?"
        rf"(?P<credit>{CREDIT})(?:\W.{{0,240}})?"
    ),
    r"-{2,9}\s*.{0,80}\b(?:[Oo]ffices?|[Nn]ewsroom|[Bb]ureau)\b.{0,60}",
    (
        r"[(\[]?(?i:with (?:inputs?|files|material|(?:additional )?reporting|reports?|agency inputs?)|"
        r"mit (?:material|informationen|agenturmaterial)|con información|com informações)"
        rf"(?: (?:from|by|de|von|der|des|da|l['’]))*:? ?(?:.{{0,60}}?\b)?(?P<credit>{CREDIT})\b.{{0,80}}"
    ),
    # mit dpa ; avec AFP et Reuters
    rf"[(\[]?(?i:with|mit|avec|con|com) (?:l['’])?(?P<credit>{CREDIT})[)\]]?\.?",
    (
        r"(?i)[(\[]?(?:except for the headline, )?this (?:story|article|report|copy|news item) "
        r"(?:has|was|is) (?:not (?:been )?|been )?(?:edited|auto|syndicated|generated|published from|sourced|"
        r"created from|taken from).{0,300}"
    ),
    (
        rf"(?:.{{0,300}}\b)?(?P<credit>{CREDIT})\b.{{0,300}}"
        r"\bcontributed (?:to this (?:report|story|article)|reporting)\b.{0,40}"
    ),
    # rt/sms ; MDR (dst) ; (dmk)
    r"(?:[A-ZÄÖÜ]{2,6} )?\([a-zäöü]{2,4}\)|[a-zäöü]{2,3}(?:/[a-zäöü]{2,4})+",
    r"(?i)(?:N{4}|ENDS?|#{2,}|-30-|\(?END\)?|\x03)",
)
_SIGNOFF_TAILS = (
    rf"(?i){AFTER_SENTENCE}\s*[(\[]\s*{_WORKED} by:? (?-i:[{CAPITAL}])[^()]{{3,400}}[)\]]\.?\s*$",
    rf"{AFTER_SENTENCE}\s*(?:[-–—]+\s*)?[(\[/](?P<credit>{CREDIT})[)\]/]\.?\s*\x03?\s*$",
    rf"{AFTER_SENTENCE}\s*[-–—]+\s*(?P<credit>{CREDIT})\.?\s*$",
    rf"{AFTER_SENTENCE}\s+(?P<credit>{ANY_BARE})\s*\x03?\s*$",
    r"\s+(?P<credit>REUTER|Reuter|reuter)[\s.]*\x03?\s*$",
    r"\s*\x03\s*$",
)
# Endings of the tails that name no agency.
_TAIL_ENDS = (")", "]", ").", "].", "\x03")

_WRITTEN = rf"(?i:\bwritten by):? (?P<who>{PERSONS})"

PATTERNS = (*_SIGNOFF_LINES, *_SIGNOFF_TAILS, _WRITTEN)


def take_signoff(lines: list[WireLine], desk: str | None) -> tuple[list[WireLine], str | None, list[Removed]]:
    """Returns the lines without the sign-off, the agency that it names, and what was removed.

    desk: an unknown name in the dateline's brackets. It is an agency if the sign-off has it too.
    """
    agency: str | None = None
    removed: list[Removed] = []
    kept = list(lines)
    # From the end upwards. A line that does not match may be between two lines of the sign-off.
    for index in range(len(kept) - 1, max(-1, len(kept) - 1 - LAST_BLOCKS), -1):
        position, _, text = kept[index]
        is_named = names_agency(text)
        match = _whole_line(text, is_named)
        is_desk = desk is not None and text.strip(" ()[]-–—.") == desk
        if (match or is_desk) and index > 0:
            agency = desk if is_desk else agency_of(match) or agency
            removed.append(Removed(position, text, "wire.signoff"))
            kept[index] = kept[index]._replace(text="")
            continue
        while (tail := _tail(text, is_named)) and tail.start() > 0:
            agency = agency_of(tail) or agency
            removed.append(Removed(position, tail[0].strip(" \x03") or "\x03", "wire.signoff"))
            text = text[: tail.start()].rstrip()
        kept[index] = kept[index]._replace(text=text)
        if len(text.split()) > BYLINE_WORDS:
            break
    return [line for line in kept if line.text], agency, removed


def written_by(signoff: Iterable[Removed]) -> str | None:
    """The names after "Written by" in a sign-off: they are a byline. None if it has none."""
    texts = (part.text for part in signoff if "ritten by" in part.text)
    found = (pattern(_WRITTEN).search(text) for text in texts)
    return next((match["who"] for match in found if match), None)


def _whole_line(text: str, is_named: bool) -> re.Match[str] | None:
    return next(
        (m for compiled in patterns(_SIGNOFF_LINES, is_named) if (m := compiled.fullmatch(text))), None
    )


def _tail(text: str, is_named: bool) -> re.Match[str] | None:
    if not (is_named or text.rstrip().endswith(_TAIL_ENDS)):
        return None
    found = patterns(_SIGNOFF_TAILS, is_named)
    return next((match for compiled in found if (match := compiled.search(text))), None)
