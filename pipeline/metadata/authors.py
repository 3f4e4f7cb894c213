"""Authors of a story from the most trusted statement: people and agencies, without "By", jobs, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.metadata.names import FULL_NAME, names_of, without_initialled
from pipeline.metadata.outlet import is_site
from pipeline.metadata.structured_data import StructuredData, resolved
from pipeline.metadata.visible_byline import names_in_lines, visible_authors


def authors_of(root: Any, data: StructuredData, site: set[str], lines: Sequence[str]) -> tuple[str, ...]:
    """Returns people and agencies from the most trusted statement that names any.

    The outlet itself is an author only if a machine-readable statement says so and the page names no other
    author.
    """
    outlet: list[str] = []
    for stated in _stated_authors(root, data, site, lines):
        others = [n for n in stated if not is_site(n, site) and not _HOST.search(n)]
        # A name of one word may be a town, a section or a login, so it does not replace the outlet.
        if others and (not outlet or any(FULL_NAME.search(n) for n in others)):
            return tuple(without_initialled(others))
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
        yield names_of([_SURNAME_FIRST.sub(r"\2 \1", v) if turned else v for v in stated])
    labels = zip(data.meta("twitter:label1"), data.meta("twitter:data1"), strict=False)
    yield names_of(value for label, value in labels if _WRITTEN_BY.search(label))
    # The outlet's name in a visible line may be the masthead, so it is not used as an author.
    yield [n for n in visible_authors(root, site) if not is_site(n, site)]
    yield [n for n in names_in_lines(lines) if not is_site(n, site)]


_SURNAME_FIRST = re.compile(r"^\s*([^,]+),\s*([^,]+?)\s*$")
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
        found = names_of(v for v in values if not v.startswith("http"))
        if found:
            return found
    return []
