"""Authors of a story from the most trusted statement: people and agencies, without "By", jobs, addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipeline.metadata.byline_elements import MarkedAuthors
from pipeline.metadata.byline_lines import names_by_place, names_in_lines
from pipeline.metadata.names import bare_name, is_full_name, is_person, names_of, without_initialled
from pipeline.metadata.outlet import is_site
from pipeline.metadata.structured_data import StructuredData, resolved, types_of
from pipeline.text import agency_of_name, runs_key


def authors_of(
    root: Any,
    data: StructuredData,
    site: set[str],
    headline: str,
    lines: Sequence[str],
    language: str | None,
) -> tuple[str, ...]:
    """Returns people and agencies from the most trusted statement that names any. docs/tuning.md: Bylines

    The outlet itself is an author only if a machine-readable statement says so and the page names no other
    author.
    """
    outlet: list[str] = []
    for stated in _stated_authors(data):
        names = _authors_among(stated, site, instead_of=outlet)
        if names and not all(map(_is_account, names)):
            shown = _shown_of(names, root, site, headline, lines) if len(names) > 1 else names
            return (*shown, *_joined_agencies(stated, shown, lines))
        outlet = outlet or names or stated
    # The outlet's name in a visible line may be the masthead, so it is not used as an author.
    marked = MarkedAuthors(root, site, headline)
    is_account = bool(outlet) and all(map(_is_account, outlet))
    # Each is read only if the ones before it name nobody.
    ways: tuple[Callable[[], list[str]], ...] = (
        lambda: _nearest(marked.near, lines),
        lambda: names_by_place(lines, language),
        lambda: [] if is_account else marked.far,
    )
    for read_names in ways:
        if names := _authors_among(read_names(), site, instead_of=outlet):
            return tuple(names)
    return tuple(outlet)


def _authors_among(stated: list[str], site: set[str], *, instead_of: list[str]) -> list[str]:
    """The people and agencies among the names; empty if they may not replace the outlet."""
    others = [n for n in stated if not is_site(n, site) and not _HOST.search(n)]
    # A name of one word may be a town, a section or a login, so it does not replace the outlet.
    if not others or (instead_of and not any(is_full_name(n) for n in others)):
        return []
    return _with_people_first(without_initialled(others))


def _is_account(name: str) -> bool:
    """Whether the name may be that of an account: one word in Latin letters that is no agency."""
    return _ONE_WORD.fullmatch(name) is not None and not agency_of_name(name)


_ONE_WORD = re.compile(r"(?![^a-zà-ÿ]+$)[A-Za-zÀ-ɏ'’_-]+")


def _shown_of(names: list[str], root: Any, site: set[str], headline: str, lines: Sequence[str]) -> list[str]:
    """Those of the stated names that the byline shows, if it shows only some of them.

    Scripts also name who took the pictures, who edited the text, and the desk.
    """
    near = MarkedAuthors(root, site, headline).near
    shown = {bare_name(name) for name in _nearest(near, lines)}
    kept = [name for name in names if bare_name(name) in shown]
    if not kept or len(kept) < len(shown):
        return names
    return [name for name in names if name in kept or agency_of_name(name)]


def _joined_agencies(stated: list[str], shown: list[str], lines: Sequence[str]) -> list[str]:
    """Stated names of one word that a line joins to a shown person: "By Ida Brandt and Northwire".

    An agency that we do not know is taken for a town otherwise.
    """
    doubted = [name for name in stated if name not in shown and _ONE_WORD.fullmatch(name)]
    if not doubted:
        return []
    keys = [f" {runs_key(line)} " for line in lines]
    return [
        name
        for name in doubted
        if any(
            f" {runs_key(person)} {word} {runs_key(name)} " in key
            for key in keys
            for person in shown
            for word in ("and", "und", "et", "y", "e", "och", "og", "en")
        )
    ]


def _nearest(marked: list[str], lines: Sequence[str]) -> list[str]:
    """The marked names, or those that a line directly below the headline says with "By"."""
    said = names_in_lines(lines[:_DIRECTLY_BELOW])
    begins = any(b.startswith(a) for a in map(bare_name, marked) for b in map(bare_name, said))
    if said and not begins and all(map(is_person, said)):
        return said
    return marked or names_in_lines(lines)


# The headline and what stands between it and a byline: a summary, a kicker, a date.
_DIRECTLY_BELOW = 5


def _with_people_first(names: list[str]) -> list[str]:
    """Only the people and the agencies if the names have any person: not the outlet, a team, a town."""
    people = [name for name in names if is_person(name)]
    return [name for name in names if name in people or agency_of_name(name)] if people else names


def _stated_authors(data: StructuredData) -> Iterator[list[str]]:
    yield _ld_authors(data)
    for names in _META_AUTHORS:
        stated = [v for v in data.meta(*names) if not v.startswith(("http", "@", "/"))]
        # Bibliographic metadata has the surname first: "Brandt, Ida".
        turned = "citation_author" in names
        yield names_of([_SURNAME_FIRST.sub(r"\2 \1", v) if turned else v for v in stated])
    labels = zip(data.meta("twitter:label1"), data.meta("twitter:data1"), strict=False)
    yield names_of(value for label, value in labels if _WRITTEN_BY.search(label))


_SURNAME_FIRST = re.compile(r"^\s*([^,]+),\s*([^,]+?)\s*$")
_META_AUTHORS = (
    ("author", "byl", "parsely-author", "sailthru.author", "article:author_name", "cxenseparse:author"),
    ("citation_author", "twitter:misc:written by"),
    ("article:author", "og:article:author", "dc.creator", "dcterms.creator", "twitter:creator"),
)
_WRITTEN_BY = re.compile(r"written by|author|verfasst|geschrieben|écrit|escrito|scritto|автор", re.I)
_HOST = re.compile(r"^(?:www\.)?[\w-]+\.(?:com|org|net|[a-z]{2})$", re.I)


def _ld_authors(data: StructuredData) -> list[str]:
    for key in ("author", "creator"):
        people: list[str] = []
        organizations: list[str] = []
        authors = data.article.get(key)
        for author in authors if isinstance(authors, list) else [authors]:
            author = resolved(author, data)
            if isinstance(author, dict):
                names = author.get("name")
                stated = [n for n in (names if isinstance(names, list) else [names]) if isinstance(n, str)]
                (organizations if "Organization" in types_of(author) else people).extend(stated)
            elif isinstance(author, str):
                people.append(author)
        found = names_of(v for v in people if not v.startswith("http"))
        others = names_of(v for v in organizations if not v.startswith("http"))
        if any(map(is_person, found)):
            others = [name for name in others if agency_of_name(name)]
        if found or others:
            return list(dict.fromkeys([*found, *others]))
    return []
