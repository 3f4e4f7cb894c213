"""The pages of articles: one with what was removed from it, its revisions, and search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from copydesk.page_order import in_page_order
from copydesk.web.asking import LONGEST, Desk, Filters, get_article
from copydesk.web.comparing import Side, comparison
from copydesk.web.problems import NotHere
from copydesk.web.rendering import page, shown_time, web_link
from pipeline.errors import OperatorError
from storage import reader
from storage.reader import Hit, StoredArticle, StoredRevision

router = APIRouter(include_in_schema=False)

_HITS = 20
# Further results cost as much as all before them.
_LAST_OFFSET = 1000


@router.get("/articles/{id}")
def article(
    request: Request, engine: Desk, id: int, removed: Annotated[str, Query(max_length=1)] = ""
) -> Response:
    """The clean text, with the removed lines in their places on request."""
    found = get_article(engine, id)
    lines = reader.removed(engine, id)
    copies = [member for member in reader.members(engine, found.group_id) if member.id != id]
    values = {
        "article": found,
        "lines": list(in_page_order(found.text, lines)),
        "removed": len(lines),
        "shows_removed": bool(removed),
        "copies": copies,
        "facts": [(name, value) for name, value in _facts(found) if value not in (None, "")],
    }
    return page(request, "article.html", values)


@router.get("/articles/{id}/revisions")
def revisions(
    request: Request,
    engine: Desk,
    id: int,
    a: Annotated[int | None, Query(ge=1)] = None,
    b: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Every text that was seen of an article, the newest first; or two of them side by side, by number."""
    found = get_article(engine, id)
    texts = reader.revisions(engine, id)
    if a is None or b is None:
        values: dict[str, object] = {"article": found, "revisions": texts[::-1]}
        return page(request, "revisions.html", values)
    by_number = {text.revision: text for text in texts}
    for number in (a, b):
        if number not in by_number:
            raise NotHere(f"Article {id} has no revision {number}.")
    one, other = by_number[a], by_number[b]
    sides = {"one": _side(one), "other": _side(other)}
    back = f"/articles/{id}/revisions"
    return page(request, "diff.html", {**comparison(one.text, other.text), **sides, "back": back})


def _side(text: StoredRevision) -> Side:
    name = f"Revision {text.revision}{', the current one' if text.is_current else ''}"
    return Side(name, None, text.title, text.language, text.seen_at, text.word_count)


def _facts(article: StoredArticle) -> Iterator[tuple[str, object]]:
    url = web_link(article.url)
    link = Markup('<a href="{0}" rel="noopener noreferrer nofollow">{0}</a>')
    yield "Address", link.format(url) if url else article.url
    yield "Fetched as", article.location if article.location != article.url else None
    yield "Publisher", article.publisher
    yield "Published", shown_time(article.published_at)
    yield "First seen", shown_time(article.first_seen_at)
    yield "Updated", shown_time(article.updated_at)
    yield "Authors", ", ".join(article.authors)
    yield "Byline", article.byline
    yield "Dateline", article.dateline
    yield "Agency", article.agency
    yield "Language", article.language
    yield "Section", article.section
    yield "Summary", article.description
    yield "Keywords", ", ".join(article.keywords or ())
    yield "Rights", _rights(article)
    yield "Article", article.id
    yield "Story", Markup('<a href="/stories/{0}">{0}</a>').format(article.group_id)


def _rights(article: StoredArticle) -> str:
    return "; ".join(f"{one['name']} {one['value']} ({one['source']})" for one in article.rights or ())


@dataclass(frozen=True, slots=True)
class ShownHit:
    """parts: of the snippet, each with whether it is a match."""

    article: StoredArticle
    parts: tuple[tuple[str, bool], ...]


@router.get("/search")
def search(
    request: Request,
    engine: Desk,
    filters: Filters,
    q: Annotated[str, Query(max_length=LONGEST)] = "",
    unique: Annotated[str, Query(max_length=5)] = "",
    offset: Annotated[int, Query(ge=0, le=_LAST_OFFSET)] = 0,
) -> Response:
    """Articles by words of their title and text, the best first."""
    query = q.strip()
    hits, fault = None, None
    if query:
        try:
            found = reader.search(
                engine, query, filters.where, canonical_only=bool(unique), limit=_HITS + 1, offset=offset
            )
            hits = [ShownHit(hit.article, tuple(_parts(hit))) for hit in found]
        except OperatorError as error:
            fault = str(error)
    more = hits is not None and len(hits) > _HITS and offset + _HITS <= _LAST_OFFSET
    values = {
        "query": query,
        "asked": filters,
        "unique": bool(unique),
        "hits": hits[:_HITS] if hits is not None else None,
        "fault": fault,
        "offset": offset,
        "next": offset + _HITS if more else None,
        "parameters": {"q": query, **filters.parameters, "unique": "1" if unique else ""},
    }
    return page(request, "search.html", values, status=400 if fault else 200)


def _parts(hit: Hit) -> Iterator[tuple[str, bool]]:
    at = 0
    for start, end in hit.snippet.marks:
        yield hit.snippet.text[at:start], False
        yield hit.snippet.text[start:end], True
        at = end
    yield hit.snippet.text[at:], False
