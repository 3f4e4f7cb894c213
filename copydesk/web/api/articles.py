"""Articles: the list, one with what was removed from it, its revisions, two compared, and search."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from copydesk.web.api.lists import LARGEST, Flag, Id, Limit, asked_for, listed, position, row
from copydesk.web.api.models import Article, Comparison, Hit, OneArticle, Revision, list_model
from copydesk.web.asking import LONGEST, Cursor, Desk, Filters, get_article
from copydesk.web.cursors import read_time, write_cursor
from copydesk.web.problems import BadQuestion, NotHere
from pipeline.copies import AlignedSentence, align_sentences, comparison_of
from storage import reader
from storage.base import microseconds
from storage.reader import ArticleKey, StoredArticle, StoredRevision

router = APIRouter()

# Further results cost as much as all before them.
_LAST_OFFSET = 1000
_INCLUDE = "Comma between names."


@router.get("/articles", response_model=list_model(Article), response_model_exclude_unset=True)
def articles(
    request: Request,
    response: Response,
    engine: Desk,
    filters: Filters,
    text: Annotated[bool, Query(description="With the texts.")] = False,
    unique: Annotated[bool, Query(description="Canonical copies only.")] = False,
    group_id: Annotated[int | None, Query(ge=1, le=LARGEST, description="Of this story.")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """Articles, the latest publication first, those without a date last."""
    after = position(cursor, "articles", (int, int, int))
    key = None if after is None else ArticleKey(read_time(after[1]) if after[0] else None, int(after[2]))
    found = reader.list_articles(
        engine,
        filters.where,
        group_id=group_id,
        canonical_only=unique,
        with_text=text,
        after=key,
        limit=limit + 1,
    )
    return listed(request, response, found, limit, show=lambda one: one, cursor=_cursor)


def _cursor(article: dict[str, Any]) -> str:
    time = article["published_at"]
    return write_cursor("articles", int(time is not None), microseconds(time) if time else 0, article["id"])


@router.get("/articles/{id}", response_model=OneArticle, response_model_exclude_unset=True)
def article(
    engine: Desk,
    id: Id,
    include: Annotated[str, Query(max_length=LONGEST, description=f"removed, copies. {_INCLUDE}")] = "",
) -> Any:
    """One article with its text."""
    names = asked_for(include, ("removed", "copies"))
    found = row(get_article(engine, id))
    if "removed" in names:
        found["removed"] = [row(line) for line in reader.removed(engine, id)]
    if "copies" in names:
        found["copies"] = [row(pair) for pair in reader.copies(engine, id)]
    return found


@router.get(
    "/articles/{id}/revisions", response_model=list_model(Revision), response_model_exclude_unset=True
)
def revisions(
    request: Request,
    response: Response,
    engine: Desk,
    id: Id,
    text: Annotated[bool, Query(description="With the texts.")] = True,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Any:
    """Every text that was seen of an article, the first one first."""
    get_article(engine, id)
    after = position(cursor, "revisions", (int,))
    found = reader.revisions(engine, id, after=int(after[0]) if after else 0, limit=limit + 1)

    def show(revision: StoredRevision) -> dict[str, Any]:
        return {name: value for name, value in row(revision).items() if text or name != "text"}

    return listed(
        request,
        response,
        found,
        limit,
        show=show,
        cursor=lambda revision: write_cursor("revisions", revision.revision),
    )


@router.get("/diff", response_model=Comparison, response_model_exclude_unset=True)
def diff(
    engine: Desk,
    a: Annotated[int, Query(ge=1, le=LARGEST, description="An article.")],
    b: Annotated[int, Query(ge=1, le=LARGEST, description="The article that is compared with it.")],
    a_revision: Annotated[int | None, Query(ge=1, le=LARGEST, description="A revision of a.")] = None,
    b_revision: Annotated[int | None, Query(ge=1, le=LARGEST, description="A revision of b.")] = None,
) -> Any:
    """Two texts side by side, by sentence and word: of two articles, or of two revisions of one."""
    one, other = get_article(engine, a), get_article(engine, b)
    texts = [_text_of(engine, one, a_revision), _text_of(engine, other, b_revision)]
    sentences = align_sentences(*texts)
    return {
        "a": _without_text(one),
        "b": _without_text(other),
        "same": comparison_of(sentences).same,
        "sentences": [_sentence(sentence) for sentence in sentences],
    }


def _text_of(engine: Desk, article: StoredArticle, revision: int | None) -> str:
    if revision is None:
        return article.text
    for found in reader.revisions(engine, article.id, after=revision - 1, limit=1):
        if found.revision == revision:
            return found.text
    raise NotHere(f"Article {article.id} has no revision {revision}.")


def _sentence(sentence: AlignedSentence) -> dict[str, Any]:
    change = sentence.change
    return {
        "kind": "same" if change is None else change.kind.value,
        "a": sentence.canonical,
        "b": sentence.copy,
        "figures": change is not None and change.figures,
        "parts": [asdict(part) for part in change.parts] if change is not None else [],
    }


@router.get("/search", response_model=list_model(Hit), response_model_exclude_unset=True)
def search(
    request: Request,
    response: Response,
    engine: Desk,
    filters: Filters,
    q: Annotated[str, Query(min_length=1, max_length=LONGEST, description="As `copydesk search` takes it.")],
    unique: Flag = False,
    text: Annotated[bool, Query(description="With the texts.")] = False,
    cursor: Cursor = "",
    limit: Limit = 20,
) -> Any:
    """Articles by words of their title and text, the best first; at most 1,200 of them."""
    after = position(cursor, "search", (int,))
    offset = int(after[0]) if after else 0
    if not 0 <= offset <= _LAST_OFFSET:
        raise BadQuestion("cursor: not one that this list gave")
    more = 1 if offset + limit <= _LAST_OFFSET else 0
    hits = reader.search(engine, q, filters.where, canonical_only=unique, limit=limit + more, offset=offset)

    def show(hit: reader.Hit) -> dict[str, Any]:
        shown = row(hit.article) if text else _without_text(hit.article)
        return {**shown, "score": hit.score, "snippet": asdict(hit.snippet)}

    return listed(
        request,
        response,
        hits,
        limit,
        show=show,
        cursor=lambda _: write_cursor("search", offset + limit),
    )


def _without_text(article: StoredArticle) -> dict[str, Any]:
    return {name: value for name, value in row(article).items() if name != "text"}
