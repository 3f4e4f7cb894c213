"""Bylines that the page shows: marked-up names near the headline, and lines with "By"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pipeline.metadata.dates import without_dates
from pipeline.metadata.names import AUTHOR_LABEL, BY, BY_WORDS, FULL_NAME, is_name, names_of
from pipeline.metadata.outlet import is_site
from pipeline.metadata.structured_data import element_text

# Only in so many lines below the headline may an author after "By" have a single word.
_NEAR = 5


def names_in_lines(lines: Sequence[str]) -> list[str]:
    """Names from a line near the headline with "By" and names, and at most a date and a place beside them."""
    for number, line in enumerate(lines):
        label = _LABEL_ALONE.fullmatch(line.strip())
        following = lines[number + 1] if number + 1 < len(lines) else ""
        whole = f"by {following}" if label and len(following) <= 60 else line
        found = _names_in_byline(whole, alone_allowed=number < _NEAR)
        if found:
            return found
    return []


_LABEL_ALONE = re.compile(rf"(?:{BY_WORDS}|{AUTHOR_LABEL})\s*:?", re.I)
_BYLINE_END = re.compile(
    r"\n|\s*[|•·●–—]|\s-\s|\s*\d|\s*,?\s+(?:in|from|aus|on|am|le|el|em)\s"
    r"|\s*\b(?:published|updated|posted|modified|last|photo|photos|image|foto|"
    r"mis à jour|publié|aktualisiert|veröffentlicht|stand|pubblicato|publicado|actualizado|"
    r"atualizado|gepubliceerd|опубликовано|опубліковано|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday)\b",
    re.I,
)


def _names_in_byline(line: str, *, alone_allowed: bool) -> list[str]:
    """Names after "By" in a line such as "April 26, 2025 | By Ida Brandt and dpa"; empty without "By"."""
    if len(line) > 140:
        return []
    for part in re.split(r"\n|\s*[|•·●]\s*", without_dates(line)):
        rest = BY.sub("", part, count=1)
        if rest == part or not rest or rest.endswith((".", ":", "?", "!")):
            continue
        rest = _BYLINE_END.split(f"{rest} ", maxsplit=1)[0].strip(" ,;:")
        if len(rest.split()) > 8:
            continue
        found = [n for n in names_of([rest]) if is_name(n)]
        if any(FULL_NAME.search(n) for n in found) or (alone_allowed and found == [rest]):
            return found
    return []


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


def visible_authors(root: Any, site: set[str]) -> list[str]:
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
        found = [n for n in names_of(texts) if is_name(n) or (rank <= _NAMED and FULL_NAME.search(n))]
        found = [n for n in found if rank <= _NAMED or FULL_NAME.search(n)]
        found = [n for n in found if not is_site(n, site)]
        if found:
            return found[:4]
    return []


# Up to this rank an element is explicitly marked as the author, so a name may have one word (agencies).
_NAMED = 2
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
