"""Authors of a story from the most trusted statement: people and agencies, without "By", jobs, addresses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from pipeline.metadata.dates import without_dates
from pipeline.metadata.outlet import is_site
from pipeline.metadata.structured_data import StructuredData, cleaned, element_text, resolved
from pipeline.text import ANY_INITIALS, runs_key

_BY_WORDS = (
    r"(?:written|reported|posted|published|story|text|words|article|report)\s+by|by|von|par|por|di|da|door|przez"
    r"|rédigé par|publié par|escrito por|scritto da|geschrieben von"
)
# Words that introduce the author only before a colon or if they stand alone: "Author: …", "Redacción".
_AUTHOR_LABEL = (
    r"authors?|autor(?:in|en|a|es|as|ka|zy)?|autor(?:in)?/autor(?:in)?|auteurs?|autori|autore|autrice|auteures?|"
    r"verfasser(?:in)?|автор[ыиа]?|автори|текст|texto?|testo|redacción|tekst|skribent|forfatter|written|reporter"
)
_BY = re.compile(
    rf"^\s*(?:(?:{_BY_WORDS})\b\s*:?|(?:{_AUTHOR_LABEL})\b\s*(?::|(?=[A-ZÀ-ÞА-ЯІЇЄҐ])))\s*", re.I
)
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


def authors_of(root: Any, data: StructuredData, site: set[str], lines: Sequence[str]) -> tuple[str, ...]:
    """Returns people and agencies from the most trusted statement that names any.

    The outlet itself is an author only if a machine-readable statement says so and the page names no other
    author.
    """
    outlet: list[str] = []
    for stated in _stated_authors(root, data, site, lines):
        others = [n for n in stated if not is_site(n, site) and not _HOST.search(n)]
        # A name of one word may be a town, a section or a login, so it does not replace the outlet.
        if others and (not outlet or any(_FULL_NAME.search(n) for n in others)):
            return tuple(_without_initialled(others))
        outlet = outlet or stated
    return tuple(outlet)


def _stated_authors(
    root: Any, data: StructuredData, site: set[str], lines: Sequence[str]
) -> Iterator[list[str]]:
    yield _ld_authors(data)
    for names in _META_AUTHORS:
        stated = [v for v in data.meta(*names) if not v.startswith(("http", "@", "/"))]
        # Bibliographic metadata has the surname first: "Brandt, Ida".
        turned = "citation_author" in names
        yield _names([_SURNAME_FIRST.sub(r"\2 \1", v) if turned else v for v in stated])
    labels = zip(data.meta("twitter:label1"), data.meta("twitter:data1"), strict=False)
    yield _names(value for label, value in labels if _WRITTEN_BY.search(label))
    # The outlet's name in a visible line may be the masthead, so it is not used as an author.
    yield [n for n in _visible_authors(root, site) if not is_site(n, site)]
    yield [n for n in _by_lines(lines) if not is_site(n, site)]


_SURNAME_FIRST = re.compile(r"^\s*([^,]+),\s*([^,]+?)\s*$")


def _without_initialled(names: list[str]) -> list[str]:
    """Removes names that repeat a longer one with an initial: "I. Brandt" beside "Ida Brandt"."""

    def repeats(short: str, full: str) -> bool:
        a, b = _bare(short).split(), _bare(full).split()
        return (
            short != full
            and len(a) >= 2
            and len(b) >= 2
            and len(a[0]) == 1 < len(b[0])
            and a[0] == b[0][0]
            and a[-1] == b[-1]
        )

    return [name for name in names if not any(repeats(name, other) for other in names)]


def _bare(name: str) -> str:
    """The name folded and without accents, for comparison."""
    plain = runs_key(name)
    if plain.isascii():
        return plain
    decomposed = unicodedata.normalize("NFKD", plain)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


# Only in so many lines below the headline may an author after "By" have a single word.
_NEAR = 5


def _by_lines(lines: Sequence[str]) -> list[str]:
    """Names from a line near the headline with "By" and names, and at most a date and a place beside them."""
    for number, line in enumerate(lines):
        label = _LABEL_ALONE.fullmatch(line.strip())
        following = lines[number + 1] if number + 1 < len(lines) else ""
        whole = f"by {following}" if label and len(following) <= 60 else line
        found = _names_in_byline(whole, alone_allowed=number < _NEAR)
        if found:
            return found
    return []


_LABEL_ALONE = re.compile(rf"(?:{_BY_WORDS}|{_AUTHOR_LABEL})\s*:?", re.I)
_BYLINE_END = re.compile(
    r"\n|\s*[|•·●–—]|\s-\s|\s*\d|\s*,?\s+(?:in|from|aus|on|am|le|el|em)\s"
    r"|\s*\b(?:published|updated|posted|modified|last|photo|photos|image|foto|"
    r"mis à jour|publié|aktualisiert|veröffentlicht|stand|pubblicato|publicado|actualizado|"
    r"atualizado|gepubliceerd|опубликовано|опубліковано|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday)\b",
    re.I,
)
_PARTICLE = re.compile(
    r"(?:de|da|do|dos|das|di|del|della|der|den|van|von|vom|zu|bin|al|el|la|le|ten|ter|y|e|af|av)"
)


def _names_in_byline(line: str, *, alone_allowed: bool) -> list[str]:
    """Names after "By" in a line such as "April 26, 2025 | By Ida Brandt and dpa"; empty without "By"."""
    if len(line) > 140:
        return []
    for part in re.split(r"\n|\s*[|•·●]\s*", without_dates(line)):
        rest = _BY.sub("", part, count=1)
        if rest == part or not rest or rest.endswith((".", ":", "?", "!")):
            continue
        rest = _BYLINE_END.split(f"{rest} ", maxsplit=1)[0].strip(" ,;:")
        if len(rest.split()) > 8:
            continue
        found = [n for n in _names([rest]) if _is_name(n)]
        if any(_FULL_NAME.search(n) for n in found) or (alone_allowed and found == [rest]):
            return found
    return []


def _is_name(name: str) -> bool:
    """Whether every word begins with a capital or is a particle, or the name is an agency's initials."""
    if _INITIALS.fullmatch(name):
        return True
    words = name.split()
    capitals = [not w[0].islower() or bool(_PARTICLE.fullmatch(w)) for w in words]
    return (
        words[0][0].isalpha() and not words[0][0].islower() and all(capitals) and not _NOT_A_NAME.search(name)
    )


_META_AUTHORS = (
    ("author", "byl", "parsely-author", "sailthru.author", "article:author_name", "cxenseparse:author"),
    ("citation_author", "twitter:misc:written by"),
    ("article:author", "og:article:author", "dc.creator", "dcterms.creator", "twitter:creator"),
)
_WRITTEN_BY = re.compile(r"written by|author|verfasst|geschrieben|écrit|escrito|scritto|автор", re.I)
_HOST = re.compile(r"^(?:www\.)?[\w-]+\.(?:com|org|net|[a-z]{2})$", re.I)


def _ld_authors(data: StructuredData) -> list[str]:
    values: list[str] = []
    for key in ("author", "creator"):
        authors = data.article.get(key)
        for author in authors if isinstance(authors, list) else [authors]:
            author = resolved(author, data)
            if isinstance(author, dict):
                names = author.get("name")
                values += [n for n in (names if isinstance(names, list) else [names]) if isinstance(n, str)]
            elif isinstance(author, str):
                values.append(author)
        found = _names(v for v in values if not v.startswith("http"))
        if found:
            return found
    return []


# Longer statements are not bylines, and the patterns take time quadratic in the length.
_LONGEST_BYLINE = 1000


def _names(values: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for value in values:
        value = cleaned(_MAIL.sub(" ", cleaned(value[:_LONGEST_BYLINE])))
        value = _BY.sub("", value).strip(" ,;:-–—|()")
        for part in _split_names(value):
            part = _BY.sub("", _NOT_OF_NAME.sub("", part)).strip(" ,;:-–—|()")
            part = _JOB_AFTER_NAME.sub("", part).strip() if len(part.split()) > 2 else part
            if part and len(part) <= 80 and runs_key(part) and not _NO_LETTERS.fullmatch(part):
                found.setdefault(_bare(part), part)
    return [name for name in found.values() if not (_PLACEHOLDER.fullmatch(name) or _CHECKED_BY.match(name))]


_NO_LETTERS = re.compile(r"[\d\W]+")
# A person who edited or reviewed a text did not write it.
_CHECKED_BY = re.compile(
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


_AUTHOR_CLASSES = (
    "author-name",
    "author__name",
    "author_name",
    "authorname",
    "byline-name",
    "byline__name",
    "author",
    "authors",
    "byline",
    "autor",
    "auteur",
    "writer",
)


def _visible_authors(root: Any, site: set[str]) -> list[str]:
    """Names near the headline from microdata, author links, and elements with a class for authors."""
    ranked: dict[int, list[Any]] = {}
    below = root.find(".//h1") is None
    prose = 0
    for element in root.iter("h1", "a", "span", "p", "div", "li", "address", "strong", "cite", "meta"):
        if element.tag == "h1":
            below = True
        if not below:
            continue
        # The authors of other stories are below the text.
        if element.tag == "p" and len(element.text or "") > 120:
            prose += 1
            if prose > 2 and ranked:
                break
        rank = _author_rank(element)
        if rank is not None:
            ranked.setdefault(rank, []).append(element)
    for rank in sorted(ranked):
        texts = []
        for element in ranked[rank][:3]:
            text = element.get("content") if element.tag == "meta" else element_text(element)
            if text and len(text) <= 80 and len(text.split()) <= 8:
                texts.append(text)
        found = [n for n in _names(texts) if _is_name(n) or (rank <= _NAMED and _FULL_NAME.search(n))]
        found = [n for n in found if rank <= _NAMED or _FULL_NAME.search(n)]
        found = [n for n in found if not is_site(n, site)]
        if found:
            return found[:4]
    return []


# Up to this rank an element is explicitly marked as the author, so a name may have one word (agencies).
_NAMED = 2
# At least two words, without a colon or a digit. Other texts in such elements are sections, places or jobs.
_FULL_NAME = re.compile(r"^[^\W\d_][^\d:@/]*\s[^\d:@/]+$")
_AUTHOR_LINK = re.compile(r"/(?:author|authors|autor|autoren|auteur|journalist)/", re.I)


_MAY_BE_AUTHOR = re.compile(rf"(?:{'|'.join(_AUTHOR_CLASSES)})(?:\s|$)")


def _author_rank(element: Any) -> int | None:
    """How likely an element has the author's name: 0 is most likely, None means no."""
    rank = _named_rank(element)
    if rank is not None and any(
        "comment" in (e.get("class") or "").lower() for e in (element, *element.iterancestors("div", "li"))
    ):
        return None
    return rank


def _named_rank(element: Any) -> int | None:
    if element.get("itemprop") == "author":
        return 0
    if element.tag == "a":
        if "author" in (element.get("rel") or "").split():
            return 1
        if _AUTHOR_LINK.search(element.get("href") or ""):
            return 2
    names = element.get("class")
    if not names:
        return None
    return _known_class_rank(names) if len(names) <= _KNOWN_CHARS else _class_rank(names)


def _class_rank(names: str) -> int | None:
    names = names.lower()
    if not _MAY_BE_AUTHOR.search(names):
        return None
    for token in names.split():
        for number, name in enumerate(_AUTHOR_CLASSES):
            if token == name or token.endswith(("-" + name, "_" + name)):
                return 3 + number
    return None


# Cached, because most elements share their classes with many others of the page and of the site. Longer
# attribute values are not cached: templates do not have them.
_KNOWN_CHARS = 500
_known_class_rank = lru_cache(maxsize=10_000)(_class_rank)
