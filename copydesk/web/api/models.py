"""The forms of answers, made of the records of the views: names, types and meanings stand there alone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, get_type_hints

from pydantic import BaseModel, Field, create_model

from copydesk.web.problems import MEDIA_TYPE
from storage.reader import ArticleCount, Story
from storage.schema import (
    VIEWS,
    Change,
    Copy,
    RemovedLine,
    RunRow,
    SiteRun,
    StoredArticle,
    StoredRejection,
    StoredRevision,
    StoryGroup,
)
from storage.watching import MatchedStory, Rule

Model = type[BaseModel]


def row_model(name: str, view: str, record: type, *, optional: Collection[str] = (), **more: Any) -> Model:
    """The form of a row of a view. optional: columns that a question may leave out. more: further fields."""
    hints = get_type_hints(record)
    fields: dict[str, Any] = {}
    for column in next(one for one in VIEWS if one.name == view).columns:
        said = "; ".join(part for part in (column.meaning, column.unit) if part)
        field = Field(description=said)
        if column.name in optional:
            field = Field(default_factory=str, description=said)
        fields[column.name] = (hints[column.name], field)
    return create_model(name, **fields, **more)


def list_model(item: Model) -> Model:
    """The form of a page of a list."""
    next_page = Field(description="`cursor` of the next page; null on the last one")
    return create_model(
        f"{item.__name__}List",
        items=(list[item], Field(description="in the order of the list")),  # type: ignore[valid-type]
        next=(str | None, next_page),
    )


def _more(record: type, without: type) -> dict[str, Any]:
    """The fields that a record has beside the columns of a view."""
    known = get_type_hints(without)
    return {name: (hint, ...) for name, hint in get_type_hints(record).items() if name not in known}


class Snippet(BaseModel):
    """A piece of the text, and where in it the matches stand."""

    text: str
    marks: list[tuple[int, int]]


class WordPart(BaseModel):
    """Words of a changed sentence: same, added or dropped."""

    kind: str
    text: str


class SentencePair(BaseModel):
    """A sentence of either text; null where a text has nothing beside the other's.

    kind: same, added, dropped or changed. figures: a changed sentence has other figures.
    """

    kind: str
    a: str | None
    b: str | None
    figures: bool
    parts: list[WordPart]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


Removed = row_model("RemovedLine", "removed_text", RemovedLine)
Pair = row_model("Copy", "copies", Copy)
Article = row_model("Article", "articles", StoredArticle, optional=("text",))
OneArticle = create_model(
    "OneArticle",
    __base__=Article,
    removed=(list[Removed], Field(default_factory=list, description="with include=removed")),  # type: ignore[valid-type]
    copies=(list[Pair], Field(default_factory=list, description="with include=copies")),  # type: ignore[valid-type]
)
Revision = row_model("Revision", "revisions", StoredRevision, optional=("text",))
Hit = create_model("Hit", __base__=Article, score=(float, ...), snippet=(Snippet, ...))
StoryRow = row_model("Story", "story_groups", StoryGroup, **_more(Story, StoryGroup))
OneStory = row_model(
    "OneStory",
    "story_groups",
    StoryGroup,
    canonical=(Article, Field(description="its canonical copy, with text")),
    members=(list[Article], Field(description="the first 500 of its articles, without their texts")),  # type: ignore[valid-type]
    copies=(list[Pair], Field(description="the first 1,000 verified pairs of its articles")),  # type: ignore[valid-type]
)
Moment = create_model(
    "Moment",
    __base__=Article,
    time=(datetime, Field(description="published_at, else first_seen_at")),
)
Comparison = create_model(
    "Comparison",
    a=(Article, ...),
    b=(Article, ...),
    same=(int, Field(description="sentences of b whose words are in a")),
    sentences=(list[SentencePair], Field(description="all sentences of both, in the order of b")),
)
ChangeRow = row_model(
    "Change",
    "changes",
    Change,
    article=(
        Article | None,
        Field(default=None, description="with include=article: as it is now; null if it is gone"),
    ),
)
_COUNT: dict[str, Any] = {name: (hint, ...) for name, hint in get_type_hints(ArticleCount).items()}
Count = create_model("Count", **_COUNT)
CrawlOfSite = row_model("SiteRun", "site_runs", SiteRun)
Site = create_model(
    "Site",
    site=(str, ...),
    last=(CrawlOfSite, Field(description="its last crawl")),
    succeeded_at=(datetime | None, Field(description="start of the last crawl that went well")),
    stored_at=(datetime | None, Field(description="start of the last crawl with a new article")),
    alerts=(list[dict[str, Any]], Field(description="what was unusual in the last crawl that was judged")),
)
_RULE: dict[str, Any] = {name: (hint, ...) for name, hint in get_type_hints(Rule).items()}
WatchlistRow = create_model("Watchlist", id=(int, ...), **_RULE, created_at=(datetime, ...))
_MATCHED: dict[str, Any] = {name: (hint, ...) for name, hint in get_type_hints(MatchedStory).items()}
MatchedStoryRow = create_model("MatchedStory", **_MATCHED)
Rejection = row_model("Rejection", "rejections", StoredRejection)
Run = row_model("Run", "runs", RunRow)

_PROBLEM = {"content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "A parameter, or the Host, says nothing that can be answered", **_PROBLEM},
    401: {"description": "The token is needed", **_PROBLEM},
    404: {"description": "There is no such thing", **_PROBLEM},
    422: {"description": "A parameter is malformed", **_PROBLEM},
    503: {"description": "It takes too long, or the database cannot be read", **_PROBLEM},
}
