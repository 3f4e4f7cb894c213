"""What dateline, byline and sign-off share: lines, character classes, patterns that may name an agency."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from pipeline.document import Block
from pipeline.text import AGENCIES, ANY_AGENCY


class WireLine(NamedTuple):
    """A block with its position in the extraction, and the text that is left of it."""

    position: int
    block: Block
    text: str


CREDIT = (
    rf"(?:{ANY_AGENCY})(?:\s?(?:[/,;|&+]| and | und | et | y | e )\s?(?:{ANY_AGENCY}|[A-Za-z]{{2,5}})){{0,3}}"
)
CAPITAL = r"A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĹĻŁŃŅŇŌŐŒŔŘŚŞŠŢŤŪŮŰŲŹŻŽΑ-ΩА-ЯЁЄІЇҐ"
LOWER = r"a-zß-öø-ÿа-яёєіїґ"
WORD = rf"[{CAPITAL}][\w.'’-]*"
UPPER = rf"[{CAPITAL}][{CAPITAL}.'’ -]*[{CAPITAL}.]"

# Compiled on first use: a pattern in which each agency may stand takes milliseconds, and few pages name any.
pattern = cache(re.compile)

# A text that has no form of an agency matches no pattern with a credit in it. Forms in capitals are searched
# for by their first letters. Those in small letters are searched for as they begin, as are signs like ©.
_FORMS = [form for agency in AGENCIES for form in agency.forms]
_SMALL_FORMS = (*sorted({found[0] for form in _FORMS if (found := re.match("[a-z]+", form))}), "reuter")
_LARGE_FORMS = sorted(form for form in _FORMS if not form.startswith(_SMALL_FORMS))
_BY_LETTER = "|".join(
    f"{letter}(?:{'|'.join(form[1:] for form in forms)})"
    for letter, forms in groupby(_LARGE_FORMS, itemgetter(0))
)
_NAMED = re.compile(rf"(?:{_BY_LETTER})(?![^\W\d_])")


def names_agency(text: str) -> bool:
    """Whether the text may name an agency."""
    return any(map(text.__contains__, _SMALL_FORMS)) or _NAMED.search(text) is not None


@cache
def patterns(sources: tuple[str, ...], is_named: bool) -> tuple[re.Pattern[str], ...]:
    """The compiled patterns for a text; without those with a credit if it names no agency."""
    return tuple(pattern(source) for source in sources if is_named or "(?P<credit>" not in source)


def agency_of(match: re.Match[str] | None) -> str | None:
    """Canonical name of the first agency that the match's credit names."""
    credit = match.groupdict().get("credit") if match else None
    return _first_agency(credit) if credit else None


@lru_cache(maxsize=256)
def _first_agency(credit: str) -> str | None:
    found = [
        (match.start(), -len(match[0]), agency.name)
        for agency in AGENCIES
        if (match := pattern(agency.pattern).search(credit))
    ]
    return min(found)[2] if found else None
