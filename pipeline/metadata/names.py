"""Names of people and agencies in a byline: parted, without "By", jobs, addresses and degrees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pipeline.metadata.dates import is_month
from pipeline.metadata.structured_data import cleaned
from pipeline.text import ANY_INITIALS, agency_of_name, runs_key

BY_WORDS = (
    r"(?:(?:written|reported|posted|published|story|text|words|article|report|opinion|analysis|commentary|"
    r"review|interview|column|perspective|essay|guest post)\s+)?by|as told to|von|par|por|di|da|door|przez"
    r"|rédigé par|publié par|escrito por|scritto da|geschrieben von"
)
# Words that introduce the author only before a colon or if they stand alone: "Author: …", "Redacción".
AUTHOR_LABEL = (
    r"authors?|autor(?:in|en|a|es|as|ka|zy)?|auteurs?|autori|autore|autrice|auteures?|"
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
    r"coordinator|founder|ceo|vp|head of|president|analyst|consultant|strategist|advis[eo]r|attorney|lawyer|"
    r"officer|disclosure|researcher|scientist)\b",
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
    """The people and agencies that the values name, each once, in their order.

    Who took the pictures, checked or translated the text is left out, as is the place of a correspondent.
    """
    found: dict[str, str] = {}
    for value in values:
        value = cleaned(_MAIL.sub(" ", cleaned(value[:_LONGEST_BYLINE])))
        is_other = False
        for part in _split_names(BY.sub("", value).strip(_EDGES)):
            # A credit holds for the names that follow it, up to the next "By".
            is_other = (is_other or is_credit(part)) and not BY.match(part)
            if is_other or _PICTURE_AGENCY.search(part):
                continue
            for name in _parted(_alone(part)):
                if name and len(name) <= 80 and runs_key(name) and not _NO_LETTERS.fullmatch(name):
                    found.setdefault(bare_name(name), name)
    return [name for name in found.values() if not _PLACEHOLDER.fullmatch(name)]


_EDGES = " ,;:-–—|()"
_NO_LETTERS = re.compile(r"[\d\W]+")
# Who took the pictures, drew, checked, edited or translated a text did not write it.
_CREDIT = re.compile(
    r"(?:main |lead |cover |featured? |header )?(?:photo(?:s|graph(?:s|y|er|ers)?)?|pictures?|images?|fotos?|"
    r"fotograf(?:ie|i|ía|ia)?|bild(?:er)?|videos?|visuals?|graphics?|grafik|illustrat(?:ions?|or)|artwork|"
    r"design|code|source|credits?|translat(?:ion|or)|editors?|editing|producers?|production)"
    r"(?:\s+(?:by|von|par|por|de|di)\b|(?:\s+credits?)?\s*(?:[:=]|$))"
    r"|(?:(?:medically |fact[- ]|expert |clinically |peer )?(?:edited|reviewed|checked|approved|verified)|"
    r"updated|photographed|illustrated|translated|compiled and edited|filmed|produced|curated)\s+by\b",
    re.I,
)


def is_credit(text: str) -> bool:
    """Whether the text begins with the label of somebody who did not write: "Photos by", "Edited by"."""
    return _CREDIT.match(text) is not None


_PICTURE_AGENCY = re.compile(
    r"\b(?:getty(?: images)?|shutterstock|istock(?: ?photos?)?|alamy|unsplash|pixabay|pexels|"
    r"depositphotos|adobe ?stock|dreamstime|imago(?: images)?|picture[- ]alliance|zuma press|nurphoto|sipa|"
    r"ap photo|afp photo|wikimedia|flickr)\b",
    re.I,
)


def _alone(part: str) -> str:
    """The name without its label, job, place, outlet and remarks."""
    part = BY.sub("", _NOT_OF_NAME.sub("", part)).strip(_EDGES)
    part = _JOB_AFTER_NAME.sub("", part).strip() if len(part.split()) > 2 else part
    beside = _BESIDE_NAME.fullmatch(part)
    return beside["name"].strip(_EDGES) if beside and not _INSTITUTION.search(beside["name"]) else part


# "Ida Brandt in Malmö", "Ida Brandt for the Linden Post", "Ida Brandt - Linden Post"
_BESIDE_NAME = re.compile(
    r"(?P<name>[^\W\d_]\S*(?:\s\S+)+?)\s+(?:(?:in|at|for|aus|für)\s+(?=[^\W\d_a-z])|[-–—]\s).*"
)
_INSTITUTION = re.compile(
    r"\b(?:cent(?:er|re)|institute?|foundation|association|coalition|committee|council)\b", re.I
)


# Behind a name of two to four words.
_AGENCY_AFTER_NAME = re.compile(
    r"\s(?P<agency>(?:The )?Associated Press|Reuters|AFP|Agence France-Presse|dpa|Bloomberg)$"
)
_NAME_WORDS = range(2, 5)


def _parted(name: str) -> list[str]:
    """The names in one that a page printed without anything between them: "Ida BrandtPer Holm".

    A job or a month that is printed in this way is left out.
    """
    beside = _AGENCY_AFTER_NAME.search(name)
    if beside and len(name[: beside.start()].split()) in _NAME_WORDS and name[0].isalpha():
        return [name[: beside.start()], beside["agency"]]
    cuts = [match.start() for match in _RUN_TOGETHER.finditer(name)]
    if not cuts:
        return [name]
    parts = [name[a:b].strip() for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    names = [part for part in parts if not (_NOT_A_NAME.search(part) or is_month(part))]
    return names if names and all(len(part.split()) >= 2 for part in names) else [name]


# A capital within a word, if what is before it is longer than "Mc", "Mac", "Van" and the like.
_RUN_TOGETHER = re.compile(r"(?<=[^\W\d_A-Z][^\W\d_A-Z][^\W\d_A-Z])(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ])")


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
_FULL_NAME = re.compile(r"^[^\W\d_][^\d:@/]*\s[^\d:@/]+$")
# Names in Chinese, Japanese and Korean letters are often written without a blank.
_UNSPACED_NAME = re.compile(
    r"[\u4e00-\u9fff\u3005]{2,4}[\u3041-\u309f]{0,3}|[\u30a1-\u30ff]{2,8}|[\uac00-\ud7a3]{2,4}"
)
_DEPARTMENT = re.compile(r"編集|编辑|編輯|部$|社$|局$|網$|网$|新聞|新闻|通信|기자$|뉴스|신문|편집")


def is_full_name(name: str) -> bool:
    """Whether it has the shape of a first name with a surname; those of institutions may have it too."""
    if _UNSPACED_NAME.fullmatch(name):
        return not _DEPARTMENT.search(name)
    return bool(_FULL_NAME.search(name)) and not _SENTENCE_END.search(name)


# "Jr." and initials may end a name, a word before a full stop does not.
_SENTENCE_END = re.compile(r"[^\W\d_]{4,}[.!?]$|[!?]$")


def is_person(name: str) -> bool:
    """Whether the name is that of a person: two words or more, and none that only institutions have."""
    return is_full_name(name) and not _OF_OUTLET.search(name) and not agency_of_name(name)


_OF_OUTLET = re.compile(
    r"^the\s|\b(?:news|newsroom|newsdesk|staff|desk|editors|editorial|media|network|magazine|agency|"
    r"agencies|services?|correspondents|reporters|images|wire|contributors|company|inc|university|institute|"
    r"times|herald|tribune|gazette|chronicle|journal|newspaper|cent(?:er|re)|foundation|"
    r"tv|radio|online|redaktion|redacci[oó]n|redazione|rédaction|redactie|redakcja|редакция|редакція)\b",
    re.I,
)


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
