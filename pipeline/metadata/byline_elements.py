"""Bylines that the page marks up near its headline: by microdata, links to authors, names of elements.

Markup says who wrote a text in any language. It also marks who took the pictures, who checked the text, who
wrote the stories beside it and who comments on it; those are left out by their labels and their places.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import cache, cached_property, lru_cache
from typing import Any

from pipeline.metadata.names import is_credit, is_full_name, is_name, names_of
from pipeline.metadata.outlet import is_site
from pipeline.metadata.structured_data import cleaned, element_text
from pipeline.text import runs_key

# How certainly an element holds nothing but the author.
_ITEM, _REL, _NAMED, _LINK, _AUTHOR, _BYLINE, _SAID = range(7)
# Up to this rank a name may have one word, as agencies and pen names have.
_CERTAIN = _REL
# A byline is shorter, and the block of a byline with jobs, dates and what there is to be shared or followed.
_LONGEST, _LONGEST_BLOCK = 160, 400
_MOST_NAMES = 8

# A candidate for the byline: its rank and its element.
_Marked = tuple[int, Any]


class MarkedAuthors:
    """The names that a page marks as those of authors."""

    def __init__(self, root: Any, site: set[str], headline: str) -> None:
        self._root, self._site = root, site
        self._heading = _heading(root, headline)

    @cached_property
    def near(self) -> list[str]:
        """Names between the headline and the text."""
        return _names_in(self._zones[0], self._site)

    @cached_property
    def far(self) -> list[str]:
        """Names above the headline, else in the text and below it; empty if there are names near it."""
        if self.near:
            return []
        above = _names_in(_above(self._root, self._heading), self._site)
        return above or _names_in(self._zones[1], self._site)

    @cached_property
    def _zones(self) -> tuple[list[_Marked], list[_Marked]]:
        return _below(self._root if self._heading is None else self._heading)


# --- where a byline may stand ----------------------------------------------------------------------

_TAGS = (
    "h1", "h2", "h3", "h4", "h5", "h6", "a", "span", "p", "div", "li", "ul", "address", "strong", "b", "em",
    "i", "cite", "meta", "section", "aside", "button", "small",
)  # fmt: skip
# Only the last marked elements above the headline can be its byline.
_MOST_ABOVE = 3


def _below(heading: Any) -> tuple[list[_Marked], list[_Marked]]:
    """The marked elements from the headline to the third long paragraph, and those below that.

    There are none of the latter if the former have any by their markup. heading: the root of a page that has
    no headline.
    """
    head: list[_Marked] = []
    rest: list[_Marked] = []
    prose = 0
    for element in _from(heading):
        if element.tag == "p" and prose < 3 and len(element.text or "") > 120:
            prose += 1
            if prose == 3 and any(rank < _SAID for rank, _ in head):
                break
        rank = _rank(element)
        if rank is None and prose < 3 and element.text and _SAYS_BY.match(element.text.lstrip()):
            rank = _SAID
        if rank is not None and not _is_elsewhere(element):
            (head if prose < 3 else rest).append((rank, element))
    return head, rest


def _from(element: Any) -> Iterator[Any]:
    """The element, what is in it, and all that follows, in the order of the page."""
    yield from element.iter(_TAGS)
    for outer in (element, *element.iterancestors()):
        for following in outer.itersiblings():
            yield from following.iter(_TAGS)


def _above(root: Any, heading: Any | None) -> list[_Marked]:
    """The last marked elements above the headline."""
    if heading is None:
        return []
    before = list(itertools.takewhile(lambda element: element is not heading, root.iter(_TAGS)))
    found: list[_Marked] = []
    for element in reversed(before):
        rank = _rank(element)
        if rank is not None and not _is_elsewhere(element):
            found.append((rank, element))
            if len(found) == _MOST_ABOVE:
                break
    return found[::-1]


def _heading(root: Any, headline: str) -> Any | None:
    """The element of the headline: the first heading with its words, else the first h1."""
    wanted = runs_key(headline)
    first = None
    for heading in root.iter("h1", "h2", "h3"):
        if wanted and runs_key(element_text(heading)) == wanted:
            return heading
        if first is None and heading.tag == "h1":
            first = heading
    return first


# Names of elements for comments, menus, and stories beside the page's own.
_ELSEWHERE = re.compile(
    r"(?:^|\s)(?:\S*comment|related|recommend|sidebar|newsletter|caption|popular|trending|teaser|"
    r"most-read|\S*(?:summary-item|(?:story|post|article|news|blog)[-_]*(?:card|item|teaser|list)\b)|has-sub|"
    r"\S*menu)",
    re.I,
)
# Names of elements for those who checked a text or took its pictures.
_CHECKS = re.compile(
    r"review|fact[-_]*check|photographer|edited[-_]*by|editor[-_]*(?:wrapper|name|info)", re.I
)
_CHECKS_LEVELS = 4


def _is_elsewhere(element: Any) -> bool:
    """Whether the element belongs to comments, pictures, menus, other stories, or a checker of this one."""
    for level, outer in enumerate((element, *element.iterancestors())):
        if outer.tag in ("body", "main", "article"):
            return False
        if outer.tag in ("nav", "figure", "figcaption", "form"):
            return True
        names = outer.get("class") or ""
        if _ELSEWHERE.search(names) or (level < _CHECKS_LEVELS and _CHECKS.search(names)):
            return True
        # A link around a headline and its author is that of another story.
        if outer.tag == "a" and any(outer.find(f".//{tag}") is not None for tag in ("h2", "h3", "h4")):
            return True
    return False


# --- what marks a byline ---------------------------------------------------------------------------

_NAMING = ("class", "data-testid", "data-qa", "data-component")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Words in the names of elements. Not "authority", "authorize", "authoring".
_AUTHOR_WORD = re.compile(
    r"author(?!i[tz]|ing).*|writers?|columnists?|contributors?|journalists?|autor(?:en|es|a|as|in)?|auteurs?|"
    r"autor[ei]|redakteur|verfasser|skribent|forfatter|yazar|penulis"
)
_BYLINE_WORD = re.compile(r"byline.*")
# "by" as a word of its own: "posted-by", "gnt_ar_by", "writtenBy"; not in "xuzjBY".
_BY_WORD = re.compile(r"(?:^|[-_\s])by(?:$|[-_\sA-Z])|[a-z]By(?![a-z])")
# Elements named after these do not hold the name itself, or the name of somebody else.
_OTHER_WORDS = frozenset(
    [
        "comment",
        "comments",
        "photo",
        "photos",
        "photographer",
        "caption",
        "credit",
        "credits",
        "reviewer",
        "reviewed",
        "bio",
        "biography",
        "description",
        "role",
        "job",
        "position",
        "email",
        "mail",
        "social",
        "share",
        "follow",
        "avatar",
        "image",
        "img",
        "picture",
        "twitter",
        "related",
        "archive",
        "quote",
        "sort",
        "filter",
        "powered",
        "sponsored",
        "presented",
    ]
)


def _rank(element: Any) -> int | None:
    """How certainly the markup of an element says that it holds the author, or None."""
    item = element.get("itemprop")
    if item and "author" in item.split():
        return _ITEM
    names = " ".join(filter(None, map(element.get, _NAMING)))
    rank = None
    if names:
        rank = _known_rank(names) if len(names) <= _KNOWN_CHARS else _rank_of(names)
    if element.tag == "a":
        if "author" in (element.get("rel") or "").split():
            return _REL
        href = element.get("href") or ""
        if rank != _NAMED and _AUTHOR_LINK.search(href) and not _PROFILE_ELSEWHERE.match(href):
            return None if _is_in_prose(element) else _LINK
    return rank


# Text that begins an element. The lines near the headline leave out those that are mostly links.
_SAYS_BY = re.compile(r"(?:(?:written|posted|published|words|story|text)\s+)?(?:by|von|par|por)\b", re.I)


def _is_in_prose(link: Any) -> bool:
    outer = link.getparent()
    return outer is not None and outer.tag == "p" and len(element_text(outer)) > _LONGEST


def _rank_of(names: str) -> int | None:
    """Rank by the words in the names of an element: "post-author__name", "authorName", "Byline_link__x3a"."""
    words = {word.lower() for word in _WORD.findall(names)}
    if words & _OTHER_WORDS:
        return None
    for rank, pattern in ((_AUTHOR, _AUTHOR_WORD), (_BYLINE, _BYLINE_WORD)):
        if found := [word for word in words if pattern.fullmatch(word)]:
            return _NAMED if words & {"name", "names"} or any("name" in word for word in found) else rank
    return _BYLINE if _BY_WORD.search(names) else None


# Cached, because most elements share their names with many others of the page and of the site. Longer
# attribute values are not cached: templates do not have them.
_KNOWN_CHARS = 500
_known_rank = lru_cache(maxsize=10_000)(_rank_of)

_AUTHOR_LINK = re.compile(
    r"/(?:authors?|autor(?:en|es|a)?|auteurs?|autor[ei]|journalists?|writers?|contributors?|reporters?|"
    r"columnists?|by|profiles?|person|people|staff|team|yazar(?:lar)?|penulis)/[^/?#]|[?&]author(?:_name)?=",
    re.I,
)
_PROFILE_ELSEWHERE = re.compile(
    r"https?://(?:[\w-]+\.)*(?:bsky|facebook|twitter|x|linkedin|instagram|youtube|threads|github|medium)\.\w+/",
    re.I,
)


# --- the names in it -------------------------------------------------------------------------------


def _names_in(zone: Sequence[_Marked], site: set[str]) -> list[str]:
    """The names of the first byline of the best rank."""
    length_of = cache(lambda element: len(element_text(element)))
    for rank in sorted({rank for rank, _ in zone}):
        elements = [element for other, element in zone if other == rank]
        for number, first in enumerate(elements):
            names = _people_of(first, rank, site)
            if not names:
                continue
            holders = {first, *first.iterancestors()}
            for other in elements[number + 1 :]:
                # Both stand in one short element, as the names of one byline do.
                shared = next((outer for outer in other.iterancestors() if outer in holders), None)
                if shared is not None and length_of(shared) <= _LONGEST_BLOCK:
                    names += _people_of(other, rank, site)
            names = list(dict.fromkeys(names))
            # "By Ida Brandt and <a>Per Holm</a>": not every author has a page.
            outer = first.getparent()
            around = _people_of(outer, _BYLINE, site) if outer is not None else []
            return (around if set(around) > set(names) else names)[:_MOST_NAMES]
    return []


def _people_of(element: Any, rank: int, site: set[str]) -> list[str]:
    return [name for name in _names_of_element(element, rank) if not is_site(name, site)]


def _names_of_element(element: Any, rank: int) -> list[str]:
    if element.tag == "meta":
        return [name for name in names_of([element.get("content") or ""]) if is_full_name(name)]
    pieces = []
    chars = 0
    for text in element.itertext():
        if piece := cleaned(text):
            pieces.append(piece)
            chars += len(piece)
            if chars > _LONGEST:
                return []
    if _is_credited(element):
        return []
    names = _names_of_pieces(pieces, rank)
    if not names and len(pieces) > 1:
        # A page may print the first name and the surname in elements of their own.
        names = _names_of_pieces([" ".join(pieces)], rank)
    return names


def _names_of_pieces(pieces: Sequence[str], rank: int) -> list[str]:
    """The first names among the pieces, and those joined to them; jobs, places and dates follow."""
    names: list[str] = []
    is_joined = True
    for piece in pieces:
        if _JOINT.fullmatch(piece):
            is_joined = True
            continue
        if is_credit(piece) or (names and not is_joined):
            break
        if _LABEL.fullmatch(piece):
            continue
        found = [name for name in names_of([piece]) if _fits(name, rank)]
        names += found
        is_joined = piece.endswith((",", " and", " und", "&")) if found else is_joined
    return names


def _fits(name: str, rank: int) -> bool:
    if len(name.split()) > 5 or _NO_NAME.search(name):
        return False
    if rank <= _CERTAIN:
        return is_name(name) or is_full_name(name)
    return is_name(name) and is_full_name(name)


# Figures, and the words of links beside a byline.
_NO_NAME = re.compile(
    r"\d| & |»|\b(?:bio|posts?|articles|stories|learn|view|log ?in|authors?|more|about|meet|contact|"
    r"conditions|policy|profile|facebook|twitter|linkedin|instagram|bluesky|checked|based|website|read|shop|sign|"
    r"subscribe|search|menu)\b",
    re.I,
)
_JOINT = re.compile(r"(?:,|;|&|/|\||·|•|and|und|et|y|e|en|och|og|ja|i|и|та|with|mit|avec|con|com)", re.I)
_LABEL = re.compile(r"(?:[^\W\d_]+\s+){0,2}(?:by|von|par|por|di|da|door|av|af)\s*:?", re.I)


def _is_credited(element: Any) -> bool:
    """Whether the text before the element says that it names who took the pictures or checked the text."""
    for before in _texts_before(element):
        if not _JOINT.fullmatch(before):
            return is_credit(_STOP.split(before[-40:])[-1])
    return False


_STOP = re.compile(r"[.|•·;]\s+")


def _texts_before(element: Any, levels: int = 3) -> Iterator[str]:
    """The texts before the element, nearest first, in its parent and two more."""
    for _ in range(levels):
        outer = element.getparent()
        if outer is None:
            return
        previous = element.getprevious()
        while previous is not None:
            if text := cleaned(previous.tail or ""):
                yield text
            if isinstance(previous.tag, str) and (text := element_text(previous)):
                yield text
            previous = previous.getprevious()
        if text := cleaned(outer.text or ""):
            yield text
        element = outer
