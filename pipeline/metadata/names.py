"""Names of people and agencies in a byline: parted, without "By", jobs, addresses and degrees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pipeline.metadata.structured_data import cleaned
from pipeline.text import ANY_INITIALS, runs_key

BY_WORDS = (
    r"(?:written|reported|posted|published|story|text|words|article|report)\s+by|by|von|par|por|di|da|door|przez"
    r"|rédigé par|publié par|escrito por|scritto da|geschrieben von"
)
# Words that introduce the author only before a colon or if they stand alone: "Author: …", "Redacción".
AUTHOR_LABEL = (
    r"authors?|autor(?:in|en|a|es|as|ka|zy)?|autor(?:in)?/autor(?:in)?|auteurs?|autori|autore|autrice|auteures?|"
    r"verfasser(?:in)?|автор[ыиа]?|автори|текст|texto?|testo|redacción|tekst|skribent|forfatter|written|reporter"
)
BY = re.compile(rf"^\s*(?:(?:{BY_WORDS})\b\s*:?|(?:{AUTHOR_LABEL})\b\s*(?::|(?=[A-ZÀ-ÞА-ЯІЇЄҐ])))\s*", re.I)
_MAIL = re.compile(r"\S+@\S+")
_CONJUNCTION = re.compile(
    r"\s+(?:and|und|et|en|och|og|ja|with|avec|mit|con|com)\s+|\s+&\s+"
    r"|\s+(?:y|e|i|и|та|і|й)\s+(?=[^\W\d_])",
    re.I,
)
_NAME_SPLIT = re.compile(r"\s*[,;|/•·]\s*(?:(?:and|und|et|y|e|og)\s+)?|" + _CONJUNCTION.pattern, re.I)
_NOT_OF_NAME = re.compile(
    r"\s*\([^)]*\)?$|\s+기자$|\s*記者$|\s*记者$"
    r"|^(?:view all (?:posts|articles|stories) by|(?:more )?(?:posts|articles|stories) (?:by|from)|more from)"
    r"\s+",
    re.I,
)
_ROLE = (
    r"(?:reporter|editor|correspondent|journalist|writer|columnist|contributor|producer|"
    r"redakteur(?:in)?|korrespondent(?:in)?|journaliste|rédact(?:eur|rice)|correspondante?|periodista|"
    r"corresponsal|giornalista|redattore|redattrice|redator|jornalista|dziennikarz|корреспондент|кореспондент)"
)
# A job that follows a name without a separator. Its first word is never part of a name.
_JOB_AFTER_NAME = re.compile(
    r"(?<=\S\s)(?:(?:senior|chief|staff|deputy|associate|assistant|managing|executive|contributing|freelance|"
    r"special|political|business|sports?|features?|digital|news|health|science|technology|autos?|content|"
    r"marketing|data|breaking|investigative|foreign|national|local)\s+(?:[^\W\d_]+\s+){0,3})?" + _ROLE + "$",
    re.I,
)
_NOT_A_NAME = re.compile(
    rf"\b(?:{_ROLE}|editors|staff|bureau|chief|redaktion|"
    r"published|updated|min read|minutes?|hours? ago|read more|follow|subscribe|share|comments?|"
    r"(?:edited|reviewed|checked|fact-checked|approved) by|director|manager|professor|expert|specialist|"
    r"coordinator|founder|ceo|head of|president)\b",
    re.I,
)
_CREDENTIAL = re.compile(
    r"(?:M\.?D|Ph\.?D|M\.?S(?:c|W)?|M\.?A|B\.?A|B\.?Sc|MBA|RDN?|R\.?N|CFP®?|CFA|CPA|DVM|VMD|DDS|D\.?O|J\.?D|Esq|"
    r"Jr|Sr|LCSW|NP|MPH|PsyD|EdD|CPT|LVT|DACVB|FACLM|CPP|PSP|II|III|IV)\.?"
)
# Agencies beside a name: initials in capitals, or known ones in lower case. "ots" marks press releases.
_INITIALS = re.compile(rf"[^\W\d_a-zà-ÿа-яіїєґ]{{2,5}}|{ANY_INITIALS}|ots")
_OF_INSTITUTION = re.compile(r"\b(?:of|for|the|für|pour|para|per|voor|dla)\b", re.I)
_PLACEHOLDER = re.compile(
    r"admin(?:istrator)?|web ?master|root|user|guest|anonymous|unknown|null|undefined|none|n/?a|author|by"
    r"|default|[\w-]+(?:\.[\w-]+){2,}|[a-z]+\.(?!com|news|info|online|media|today|press)[a-z]{4,}",
    re.I,
)


# Longer statements are not bylines, and the patterns take time quadratic in the length.
_LONGEST_BYLINE = 1000


def names_of(values: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for value in values:
        value = cleaned(_MAIL.sub(" ", cleaned(value[:_LONGEST_BYLINE])))
        value = BY.sub("", value).strip(" ,;:-–—|()")
        for part in _split_names(value):
            part = BY.sub("", _NOT_OF_NAME.sub("", part)).strip(" ,;:-–—|()")
            part = _JOB_AFTER_NAME.sub("", part).strip() if len(part.split()) > 2 else part
            if part and len(part) <= 80 and runs_key(part) and not _NO_LETTERS.fullmatch(part):
                found.setdefault(bare_name(part), part)
    return [name for name in found.values() if not (_PLACEHOLDER.fullmatch(name) or _CHECKEDBY.match(name))]


_NO_LETTERS = re.compile(r"[\d\W]+")
# A person who edited or reviewed a text did not write it.
_CHECKEDBY = re.compile(
    r"(?:(?:medically |fact[- ])?(?:edited|reviewed|checked|approved)|updated) by\b", re.I
)


def _split_names(value: str) -> list[str]:
    parts = [p.strip() for p in _NAME_SPLIT.split(value) if p and p.strip()]
    if len(parts) <= 1:
        return parts
    kept = [p for p in parts if not _NOT_A_NAME.search(p) and len(p.split()) <= 5]
    named = [p for p in kept if not _CREDENTIAL.fullmatch(p)]
    if len(named) < len(kept):
        # Beside an academic degree, initials are not an agency.
        named = [p for p in named if not _INITIALS.fullmatch(p)]
    if not named:
        return [parts[0]]
    if len(named) < len(kept) and len(named) == 1:
        return named
    # A conjunction joins names, unless it is part of one: "Smith & Sons", "Centre for Food and Health".
    # Without a conjunction, a comma may separate a town or a surname.
    if _CONJUNCTION.search(value) and "," not in value:
        short = [p for p in named if len(p.split()) < 2 and not _INITIALS.fullmatch(p)]
        is_one = len(short) == len(parts) or (short and _OF_INSTITUTION.search(value))
        return [" ".join(value.split())] if is_one else named
    if any(len(p.split()) < 2 for p in named) and len(named) <= 2:
        if len(parts[0].split()) >= 2:
            return [p for p in named if p == parts[0] or len(p.split()) >= 2 or _INITIALS.fullmatch(p)]
        if all(_INITIALS.fullmatch(p) for p in named):
            return named
        return [" ".join(value.split())] if len(named) == len(parts) else named[:1]
    return named


def is_name(name: str) -> bool:
    """Whether every word begins with a capital or is a particle, or the name is an agency's initials."""
    if _INITIALS.fullmatch(name):
        return True
    words = name.split()
    capitals = [not w[0].islower() or bool(_PARTICLE.fullmatch(w)) for w in words]
    return (
        words[0][0].isalpha() and not words[0][0].islower() and all(capitals) and not _NOT_A_NAME.search(name)
    )


_PARTICLE = re.compile(
    r"(?:de|da|do|dos|das|di|del|della|der|den|van|von|vom|zu|bin|al|el|la|le|ten|ter|y|e|af|av)"
)
# At least two words, without a colon or a digit. Other texts in such elements are sections, places or jobs.
FULL_NAME = re.compile(r"^[^\W\d_][^\d:@/]*\s[^\d:@/]+$")


def without_initialled(names: list[str]) -> list[str]:
    """Removes names that repeat a longer one with an initial: "I. Brandt" beside "Ida Brandt"."""

    def repeats(short: str, full: str) -> bool:
        a, b = bare_name(short).split(), bare_name(full).split()
        return (
            short != full
            and len(a) >= 2
            and len(b) >= 2
            and len(a[0]) == 1 < len(b[0])
            and a[0] == b[0][0]
            and a[-1] == b[-1]
        )

    return [name for name in names if not any(repeats(name, other) for other in names)]


def bare_name(name: str) -> str:
    """The name folded and without accents, for comparison."""
    plain = runs_key(name)
    if plain.isascii():
        return plain
    decomposed = unicodedata.normalize("NFKD", plain)
    return "".join(c for c in decomposed if not unicodedata.combining(c))
