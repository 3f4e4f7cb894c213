"""A small typed way to read a base, for the pipeline, the command line and other programs.

    articles, article, article_by_url, article_by_location    articles, by what they are asked for
    search                                                    articles by their words, the best first
    groups, group, members, copies                            stories, who carries them, and the evidence
    changes, changed_articles, last_change                    what is new, other or gone since the last time
    removed, rejections, runs, counts                         what was taken out or turned away, and how much
    rows                                                      any public view as dictionaries, for exports

Rows are frozen dataclasses with the columns of the public views. What returns an iterator streams: it
holds one connection and some rows (50 of articles, 500 of others) until it is exhausted or closed, and
sees the base as it was when it began. Nothing here waits for a writer, or makes one wait. `storage.export`
writes files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import zstandard
from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, func, literal, or_, select
from sqlalchemy.exc import DBAPIError

from pipeline.document import Document, MediaType, Origin
from pipeline.settings import Settings
from pipeline.sites import NO_SITE_RULES, SiteRulebook
from pipeline.urls import site_of
from storage import schema
from storage.base import TRANSIENT, SourceKey, among, claims_of, from_microseconds, source_key, storable_name
from storage.database import DatabaseError, explain, persistently
from storage.schema import (
    VIEWS,
    Change,
    Copy,
    RemovedLine,
    RunRow,
    StoredArticle,
    StoredRejection,
    StoryGroup,
    view_tables,
)
from storage.search import Snippet, make_snippet, parse_query, rank_matches
from storage.writing import chunks

__all__ = [
    "Change",
    "ChangedArticle",
    "Copy",
    "Counts",
    "FetchState",
    "Hit",
    "RemovedLine",
    "RunRow",
    "Snippet",
    "SourceKey",
    "StoredArticle",
    "StoredRejection",
    "StoryGroup",
    "article",
    "article_by_location",
    "article_by_url",
    "articles",
    "changed_articles",
    "changes",
    "copies",
    "counts",
    "database_id",
    "document",
    "fetch_state",
    "group",
    "groups",
    "known",
    "known_urls",
    "last_change",
    "members",
    "rejections",
    "removed",
    "rows",
    "rules_version",
    "run",
    "runs",
    "search",
    "source_key",
]

R = TypeVar("R")

# Rows fetched at once, and of those with texts, which may be megabytes each.
_FETCH, _FETCH_TEXTS, _FETCH_IDS = 500, 50, 5000


@dataclass(frozen=True, slots=True)
class ChangedArticle:
    """An article that changed, as it is now. article: None where it is gone, or is not of those asked for."""

    change: int
    id: int
    article: StoredArticle | None


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that a search found. score: greater is better; says nothing beside that of another query."""

    article: StoredArticle
    score: float
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is. groups: all of them; copied_groups: those of more than one article.

    largest_group: id of the one with most articles, the oldest of several; None in an empty base.
    largest_size: how many it has. A template or a disclaimer printed without end shows here first.
    """

    articles: int
    groups: int
    copied_groups: int
    largest_group: int | None
    largest_size: int
    pairs: int
    sites: int
    revisions: int
    removed_lines: int
    rejections: int
    pages: int
    page_bytes: int


@dataclass(frozen=True, slots=True)
class FetchState:
    """What a feed or sitemap was last served with; `children`, `read_as`: see `revisits.Validators`."""

    url: str
    etag: str | None
    last_modified: str | None
    fetched_at: datetime
    children: tuple[tuple[str, str], ...]
    read_as: str | None


def known(
    engine: Engine,
    keys: Iterable[SourceKey],
    rules_version: str | None = None,
    site_rules: SiteRulebook = NO_SITE_RULES,
) -> set[SourceKey]:
    """Those of the keys whose documents need not be processed: the same bytes, by the same rules, are stored.

    keys: as `source_key` makes them. rules_version: today's general rules where it is None. site_rules: those
    of today's sites; what was made by rules of a site that is not among them is known, and so it is whatever
    was learned of its site since. A document that timed out or failed for a fault of ours is never known: it
    is worth another try.
    """
    rules = rules_version or Settings().rules_version
    by_name: dict[tuple[str, bytes], SourceKey] = {(storable_name(k.location), k.sha256): k for k in keys}
    again = [reason.value for reason in TRANSIENT]
    document, rejection, article = schema.document, schema.rejection, schema.article
    site = article.c.site if site_rules.sites else literal("")
    made = select(document.c.location, document.c.digest, document.c.rules_version, site)
    if site_rules.sites:
        made = made.join(article, article.c.id == document.c.article_id)
    refused = select(rejection.c.location, rejection.c.digest, rejection.c.rules_version, rejection.c.url)
    refused = refused.where(rejection.c.reason.not_in(again))

    def read() -> set[SourceKey]:
        done: set[SourceKey] = set()
        with engine.connect() as connection:
            for part in chunks({location for location, _ in by_name}):
                for location, digest, version, site in connection.execute(
                    made.where(among(document.c.location, part))
                ):
                    if (location, digest) in by_name and not site_rules.is_outdated_but_for_learning(
                        version, rules, site
                    ):
                        done.add(by_name[location, digest])
                for location, digest, version, url in connection.execute(
                    refused.where(among(rejection.c.location, part))
                ):
                    if (location, digest) in by_name and not site_rules.is_outdated_rejection(
                        version, rules, site_of(url) if url and site_rules.sites else ""
                    ):
                        done.add(by_name[location, digest])
        return done

    return persistently(engine, read)


def known_urls(engine: Engine, urls: Iterable[str], *, fetched_since: datetime | None = None) -> set[str]:
    """Those of the URLs that are stored: as an article's own, or as the one that it was fetched from.

    An article that is gone from its site is not among them: who names it says that it is back. fetched_since:
    those that `writer.put_fetch_states` kept as fetched from then on as well, whatever came of it.
    """
    article, given, state = schema.article, schema.document, schema.fetch_state
    gone = select(article.c.id).where(article.c.id == given.c.article_id, article.c.gone_at.is_not(None))
    columns: list[tuple[ColumnElement[str], ColumnElement[bool]]] = [
        (article.c.url, article.c.gone_at.is_(None)),
        (given.c.alias, ~gone.exists()),
        (given.c.location, ~gone.exists()),
    ]
    wanted = {storable_name(url): url for url in urls}

    def read() -> set[str]:
        found: set[str] = set()
        with engine.connect() as connection:
            for part in chunks(wanted):
                for column, is_there in columns:
                    query = select(column).where(column.in_(part), is_there)
                    found.update(connection.execute(query).scalars())
                if fetched_since is not None:
                    recent = select(state.c.url).where(
                        state.c.url.in_(part), state.c.fetched_at >= fetched_since
                    )
                    found.update(connection.execute(recent).scalars())
        return found

    return {wanted[name] for name in persistently(engine, read)}


def fetch_state(engine: Engine, url: str) -> FetchState | None:
    """What `writer.put_fetch_state` last kept for the URL."""
    table = schema.fetch_state

    def read() -> FetchState | None:
        with engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.url == storable_name(url))).one_or_none()
        if row is None:
            return None
        children = tuple((child, kind) for child, kind in row.children or ())
        return FetchState(row.url, row.etag, row.last_modified, row.fetched_at, children, row.read_as)

    return persistently(engine, read)


def articles(
    engine: Engine,
    *,
    site: str | None = None,
    language: str | None = None,
    since: datetime | None = None,
    group_id: int | None = None,
    canonical_only: bool = False,
    limit: int | None = None,
) -> Iterator[StoredArticle]:
    """Articles by id. since: those whose text is new or changed from then on (`updated_at`)."""
    return _articles(engine, StoredArticle, site, language, since, group_id, canonical_only, limit)


def article(engine: Engine, id: int) -> StoredArticle | None:
    view = view_tables["articles"]
    return _one(engine, select(view).where(view.c.id == id), StoredArticle)


def article_by_url(engine: Engine, url: str) -> StoredArticle | None:
    """The article of a URL in canonical form."""
    view = view_tables["articles"]
    return _one(engine, select(view).where(view.c.url == storable_name(url)), StoredArticle)


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
    return _one(engine, query, StoredArticle)


def removed(engine: Engine, id: int) -> list[RemovedLine]:
    """What was taken out of the article's current text, in the order of the page."""
    table = schema.removal
    query = select(table.c.article_id, table.c.position, table.c.rule, table.c.text).where(
        table.c.article_id == id
    )
    return list(_stream(engine, query.order_by(table.c.line), RemovedLine))


def rules_version(engine: Engine, id: int) -> str | None:
    """The rules that made the article's current text, as `Settings.rules_version`; None for no article."""
    table = schema.article
    with engine.connect() as connection:
        return connection.scalar(select(table.c.rules_version).where(table.c.id == id))


def copies(engine: Engine, id: int) -> list[Copy]:
    """Every verified pair that the article is part of."""
    view = view_tables["copies"]
    query = select(view).where(or_(view.c.article_id == id, view.c.other_id == id))
    return list(_stream(engine, query.order_by(view.c.article_id, view.c.other_id), Copy))


def groups(engine: Engine, *, min_size: int = 2, limit: int | None = None) -> Iterator[StoryGroup]:
    """Groups of at least `min_size` articles, the largest first, then the oldest."""
    view = view_tables["story_groups"]
    query = select(view).where(view.c.size >= min_size).order_by(view.c.size.desc(), view.c.id)
    return _stream(engine, query if limit is None else query.limit(limit), StoryGroup)


def group(engine: Engine, id: int) -> StoryGroup | None:
    view = view_tables["story_groups"]
    return _one(engine, select(view).where(view.c.id == id), StoryGroup)


def members(engine: Engine, group_id: int) -> list[StoredArticle]:
    """The articles of a group, the earliest published first, undated ones last."""
    found = list(articles(engine, group_id=group_id))
    return sorted(found, key=lambda a: (a.published_at is None, a.published_at or a.first_seen_at, a.id))


def changes(engine: Engine, after: int = 0, *, limit: int | None = None) -> Iterator[Change]:
    """What changed after a change, in order; each article that did once, at its last change.

    after: the `change` of the last row that was read, 0 for all. Reading on after the last row misses
    nothing and repeats nothing, however many writers there are and however often a reader stops: changes
    are numbered in the order in which they are committed. Of an article that changed again while this is
    read, the later change is given by the next call.
    """
    view = view_tables["changes"]
    query = select(view).where(view.c.change > after).order_by(view.c.change)
    return _stream(engine, query if limit is None else query.limit(limit), Change)


def changed_articles(
    engine: Engine,
    after: int = 0,
    *,
    site: str | None = None,
    language: str | None = None,
    canonical_only: bool = False,
) -> Iterator[ChangedArticle]:
    """As `changes`, with the articles themselves: who puts in place what has an article, and takes out what
    has none, keeps an exact copy.

    The filters choose articles; what changed and is not, or no longer, of those has `article` None, so that
    a copy of the canonical ones loses what stopped being canonical.
    """
    view, change = view_tables["articles"], schema.change
    wanted = [view.c.id == change.c.article_id]
    if site is not None:
        wanted.append(view.c.site == storable_name(site))
    if language is not None:
        wanted.append(view.c.language == storable_name(language))
    if canonical_only:
        wanted.append(view.c.is_canonical)
    query = (
        select(change.c.number, change.c.article_id, view)
        .outerjoin_from(change, view, and_(*wanted))
        .where(change.c.number > after)
        .order_by(change.c.number)
    )

    def make(number: int, id: int, *row: Any) -> ChangedArticle:
        return ChangedArticle(number, id, None if row[0] is None else StoredArticle(*row))

    return _stream(engine, query, make, _FETCH_TEXTS)


def database_id(engine: Engine) -> int:
    """A number that no other base has: a cursor is good for the base that it came from."""
    with engine.connect() as connection:
        named = schema.counter.c.name == schema.DATABASE_ID
        return int(connection.execute(select(schema.counter.c.value).where(named)).scalar_one())


def last_change(engine: Engine) -> int:
    """The number of the last change, to read on from; 0 in an empty base."""
    with engine.connect() as connection:
        return int(connection.scalar(select(func.max(schema.change.c.number))) or 0)


def search(
    engine: Engine,
    query: str,
    *,
    site: str | None = None,
    language: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    canonical_only: bool = False,
    limit: int = 20,
    offset: int = 0,
) -> list[Hit]:
    """Articles in whose current title or text the query is found, the best first, then the newest.

    query: as `storage.search.query` says; QueryError where it looks for nothing. since, until: published
    from then on, and before then; articles without a date are in neither. A page of results is `limit` of
    them from the `offset`-th on.
    """
    asked, table = parse_query(query), schema.article
    conditions: list[ColumnElement[bool]] = []
    if site is not None:
        conditions.append(table.c.site == storable_name(site))
    if language is not None:
        conditions.append(table.c.language == storable_name(language))
    if since is not None:
        conditions.append(table.c.published_at >= since)
    if until is not None:
        conditions.append(table.c.published_at < until)
    view = view_tables["articles"]
    with _one_snapshot(engine) as connection:
        scores = dict(rank_matches(connection, asked, conditions, canonical_only, limit, offset))
        found = {
            row.id: StoredArticle(*row)
            for part in chunks(scores)
            for row in connection.execute(select(view).where(view.c.id.in_(part)))
        }
    return [Hit(found[id], score, make_snippet(found[id].text, asked)) for id, score in scores.items()]


def rejections(engine: Engine, run_id: int | None = None) -> Iterator[StoredRejection]:
    """Locations whose present end is a rejection, by location; of one run, or of all."""
    view = view_tables["rejections"]
    query = select(view).order_by(view.c.location)
    return _stream(engine, query if run_id is None else query.where(view.c.run_id == run_id), StoredRejection)


def runs(engine: Engine) -> list[RunRow]:
    """Every run, the latest first."""
    view = view_tables["runs"]
    return list(_stream(engine, select(view).order_by(view.c.id.desc()), RunRow))


def run(engine: Engine, id: int) -> RunRow | None:
    view = view_tables["runs"]
    return _one(engine, select(view).where(view.c.id == id), RunRow)


def counts(engine: Engine) -> Counts:
    """How much there is; reads every article's index entry, so it takes longer as the base grows."""
    table = schema.article
    sized = select(table.c.group_id, func.count().label("size")).group_by(table.c.group_id)
    sizes = sized.subquery()
    largest = select(sizes).order_by(sizes.c.size.desc(), sizes.c.group_id).limit(1)
    with engine.connect() as connection:
        first = connection.execute(largest).first()

        def scalar(query: Select[Any]) -> int:
            return int(connection.scalar(query) or 0)

        return Counts(
            articles=scalar(select(func.count()).select_from(table)),
            groups=scalar(select(func.count()).select_from(sizes)),
            copied_groups=scalar(select(func.count()).select_from(sizes).where(sizes.c.size > 1)),
            largest_group=first.group_id if first else None,
            largest_size=first.size if first else 0,
            pairs=scalar(select(func.count()).select_from(schema.pair)),
            sites=scalar(select(func.count(func.nullif(table.c.site, "").distinct()))),
            revisions=scalar(select(func.count()).select_from(schema.revision)),
            removed_lines=scalar(select(func.count()).select_from(schema.removal)),
            rejections=scalar(select(func.count()).select_from(schema.rejection)),
            pages=scalar(select(func.count()).select_from(schema.page)),
            page_bytes=scalar(select(func.sum(schema.page.c.size))),
        )


def document(engine: Engine, article_id: int) -> Document | None:
    """The document that gave the article's current text, as it was fetched; None where it was pruned."""
    table = schema.page
    query = select(table).join(schema.article, schema.article.c.page_id == table.c.id)
    with engine.connect() as connection:
        row = connection.execute(query.where(schema.article.c.id == article_id)).mappings().one_or_none()
    return None if row is None else document_of(row)


def rows(
    engine: Engine,
    view: str,
    *,
    site: str | None = None,
    language: str | None = None,
    since: datetime | None = None,
    canonical_only: bool = False,
    after: int = 0,
) -> Iterator[dict[str, Any]]:
    """The rows of a public view as dictionaries, in the order of its columns; for exports of any size.

    The filters are for `articles` and `unique_articles`, which come by id. `since` (by `at`) and `after` are
    for `changes`, which come by `change`; other views take none of them.
    """
    names = [column.name for column in next(v for v in VIEWS if v.name == view).columns]

    def make(*values: Any) -> dict[str, Any]:
        return dict(zip(names, values, strict=True))

    is_changes = view == "changes"
    if view in ("articles", "unique_articles") and not after:
        unique = canonical_only or view == "unique_articles"
        return _articles(engine, make, site, language, since, None, unique, None)
    if site or language or canonical_only or ((since or after) and not is_changes):
        raise ValueError(f"the view {view} takes no filters of articles")
    table = view_tables[view]
    query = select(table).order_by(*(table.c[name] for name in _ORDER[view]))
    if view == "removed_text":
        # By its key, or a database without room for all of it would have to sort it.
        removal = schema.removal
        query = select(removal.c.article_id, removal.c.position, removal.c.rule, removal.c.text)
        query = query.order_by(removal.c.article_id, removal.c.line)
    if is_changes:
        query = query.where(table.c.change > after)
        if since is not None:
            query = query.where(table.c.at >= since)
    return _stream(engine, query, make)


_ORDER = {
    "story_groups": ("id",),
    "copies": ("article_id", "other_id"),
    "removed_text": ("article_id", "position"),
    "rejections": ("location",),
    "changes": ("change",),
    "runs": ("id",),
    "site_runs": ("run_id", "site"),
}


def _articles(
    engine: Engine,
    make: Callable[..., R],
    site: str | None,
    language: str | None,
    since: datetime | None,
    group_id: int | None,
    canonical_only: bool,
    limit: int | None,
) -> Iterator[R]:
    """Articles by id, each made of the columns of the view.

    Where an index finds them they come in its order. A database told to sort whole articles by id may hold
    all their texts at once (SQLite does), so the ids alone are sorted, and the rest is fetched by them.
    """
    view, table = view_tables["articles"], schema.article
    wanted: list[ColumnElement[bool]] = []
    if site is not None:
        wanted.append(table.c.site == storable_name(site))
    if language is not None:
        wanted.append(table.c.language == storable_name(language))
    if since is not None:
        wanted.append(table.c.updated_at >= since)
    if group_id is not None:
        wanted.append(table.c.group_id == group_id)
    if not wanted:
        query = select(view).order_by(view.c.id).limit(limit)
        if canonical_only:
            query = query.where(view.c.is_canonical)
        yield from _stream(engine, query, make, _FETCH_TEXTS)
        return
    if canonical_only:
        wanted.append(table.c.is_canonical)
    ids = select(table.c.id).where(*wanted).order_by(table.c.id).limit(limit)
    with _one_snapshot(engine) as connection:
        streaming = {"stream_results": True, "yield_per": _FETCH_IDS}
        found = connection.execute(ids, execution_options=streaming).scalars()
        for some in found.partitions(_FETCH_TEXTS):
            for row in connection.execute(select(view).where(view.c.id.in_(some)).order_by(view.c.id)):
                yield make(*row)


@contextmanager
def _one_snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection whose statements all see the base as it is at the first of them; raises DatabaseError."""
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":  # on SQLite every transaction is so
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    except DBAPIError as error:
        raise DatabaseError(explain(error, engine)) from error


def document_of(row: Mapping[Any, Any]) -> Document:
    """The document that a row of the page table was made of."""
    return Document(
        location=row["location"],
        url=row["url"],
        body=zstandard.ZstdDecompressor().decompress(row["body"], max_output_size=row["size"]),
        media_type=MediaType(row["media_type"]),
        fetched_at=from_microseconds(row["fetched_us"]),
        origin=Origin(row["origin"]),
        encoding=row["encoding"],
        publisher=row["publisher"],
        claims=claims_of(row["claims"]),
    )


def _stream(engine: Engine, query: Select[Any], make: Callable[..., R], fetch: int = _FETCH) -> Iterator[R]:
    streaming = {"stream_results": True, "yield_per": fetch}
    with _one_snapshot(engine) as connection:
        for row in connection.execute(query, execution_options=streaming):
            yield make(*row)


def _one(engine: Engine, query: Select[Any], make: type[R]) -> R | None:
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    return make(*row) if row else None
