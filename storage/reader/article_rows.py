"""Articles: by filters, id, URL or location; and every text that was seen of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Engine, select

from storage import schema
from storage.base import storable_name
from storage.reader.filters import EVERY_ARTICLE, ArticleFilter
from storage.reader.streaming import FETCH_IDS, FETCH_TEXTS, R, one_row, one_snapshot, stream
from storage.schema import StoredArticle, StoredRevision, view_tables


def articles(
    engine: Engine,
    where: ArticleFilter = EVERY_ARTICLE,
    *,
    group_id: int | None = None,
    canonical_only: bool = False,
    limit: int | None = None,
) -> Iterator[StoredArticle]:
    """Articles by id: all that meet the filter, those of one group, or canonical copies only."""
    return select_articles(
        engine, StoredArticle, where, group_id=group_id, canonical_only=canonical_only, limit=limit
    )


def article(engine: Engine, id: int) -> StoredArticle | None:
    view = view_tables["articles"]
    return one_row(engine, select(view).where(view.c.id == id), StoredArticle)


def article_by_url(engine: Engine, url: str) -> StoredArticle | None:
    """The article of a URL in canonical form."""
    view = view_tables["articles"]
    return one_row(engine, select(view).where(view.c.url == storable_name(url)), StoredArticle)


def article_by_location(engine: Engine, location: str) -> StoredArticle | None:
    """The article that the document at a location gave; the latest where it gave several."""
    view = view_tables["articles"]
    given = schema.document
    query = (
        select(view)
        .join(given, given.c.article_id == view.c.id)
        .where(given.c.location == storable_name(location))
        .order_by(given.c.fetched_us.desc(), view.c.id.desc())
        .limit(1)
    )
    return one_row(engine, query, StoredArticle)


def rules_version(engine: Engine, id: int) -> str | None:
    """The rules that made the article's current text, as `Settings.rules_version`; None for no article."""
    table = schema.article
    with engine.connect() as connection:
        return connection.scalar(select(table.c.rules_version).where(table.c.id == id))


def select_articles(
    engine: Engine,
    make: Callable[..., R],
    where: ArticleFilter,
    *,
    group_id: int | None = None,
    canonical_only: bool = False,
    limit: int | None = None,
) -> Iterator[R]:
    """Articles by id, each made of the columns of the view.

    Where an index finds them they come in its order. A database told to sort whole articles by id may hold
    all their texts at once (SQLite does), so the ids alone are sorted, and the rest is fetched by them.
    """
    view, table = view_tables["articles"], schema.article
    wanted = where.conditions(engine, table)
    if group_id is not None:
        wanted.append(table.c.group_id == group_id)
    if not wanted:
        query = select(view).order_by(view.c.id).limit(limit)
        if canonical_only:
            query = query.where(view.c.is_canonical)
        yield from stream(engine, query, make, FETCH_TEXTS)
        return
    if canonical_only:
        wanted.append(table.c.is_canonical)
    ids = select(table.c.id).where(*wanted).order_by(table.c.id).limit(limit)
    with one_snapshot(engine) as connection:
        streaming = {"stream_results": True, "yield_per": FETCH_IDS}
        found = connection.execute(ids, execution_options=streaming).scalars()
        for some in found.partitions(FETCH_TEXTS):
            for row in connection.execute(select(view).where(view.c.id.in_(some)).order_by(view.c.id)):
                yield make(*row)


def revisions(
    engine: Engine, article_id: int, *, after: int = 0, limit: int | None = None
) -> list[StoredRevision]:
    """The texts that were seen of an article, the first one first; empty if there is no such article.

    after: the number of the text to go on behind.
    """
    view = view_tables["revisions"]
    query = select(view).where(view.c.article_id == article_id).order_by(view.c.revision).limit(limit)
    if after:
        query = query.where(view.c.revision > after)
    return list(stream(engine, query, StoredRevision, FETCH_TEXTS))


def select_revisions(engine: Engine, make: Callable[..., R]) -> Iterator[R]:
    """All texts by article and number, each made of the columns of the view.

    A database told to sort them may hold all texts at once, so they are fetched by the ids of some articles.
    """
    view, table = view_tables["revisions"], schema.article
    ids = select(table.c.id).order_by(table.c.id)
    with one_snapshot(engine) as connection:
        streaming = {"stream_results": True, "yield_per": FETCH_IDS}
        found = connection.execute(ids, execution_options=streaming).scalars()
        for some in found.partitions(FETCH_TEXTS):
            query = select(view).where(view.c.article_id.in_(some))
            for row in connection.execute(query.order_by(view.c.article_id, view.c.revision)):
                yield make(*row)
