"""Reads what a batch of outcomes can change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from pipeline.copies import ArticleCopy
from pipeline.document import Article, Fingerprint, Outcome, Removed
from storage import schema
from storage.base import chunks, microseconds, page_digest, text_hash
from storage.schema import TEXT_COLUMNS
from storage.writing.revisions.fingerprints import load_fingerprints, unpack_keys
from storage.writing.revisions.pending import (
    DocumentKey,
    DocumentRow,
    IndexedStory,
    PendingArticle,
    PendingBatch,
    TextRevision,
)


def load(connection: Connection, outcomes: Sequence[Outcome]) -> PendingBatch:
    """Reads what the outcomes can change; bounded by the batch, whatever the size of the database."""
    counters = {row.name: row.value for row in connection.execute(select(schema.counter))}
    batch = PendingBatch(next_article=counters.get("article", 0) + 1, next_page=counters.get("page", 0) + 1)
    for part in chunks({outcome.location for outcome in outcomes}):
        _load_documents(batch, connection, schema.document.c.location.in_(part))
        for row in connection.execute(
            select(schema.rejection).where(schema.rejection.c.location.in_(part))
        ).mappings():
            batch.stored_rejections[row["location"]] = dict(row)
    table = schema.article
    for part in chunks({outcome.url for outcome in outcomes if isinstance(outcome, Article)}):
        batch.ids.update(
            (url, id)
            for url, id in connection.execute(select(table.c.url, table.c.id).where(table.c.url.in_(part)))
        )
    wanted: set[int] = set()
    for outcome in outcomes:
        # Most documents are new; their digest is computed when they are settled.
        found = batch.documents.get(document_key(outcome)) if batch.documents and outcome.page else None
        if isinstance(outcome, Article):
            id = batch.ids.get(outcome.url)
            if is_known(found, outcome, id):
                continue
            wanted.update(i for i in (id, found and found.article_id) if i)
        elif found:
            wanted.add(found.article_id)
        elif outcome.is_gone:
            wanted.update(d.article_id for d in batch.documents.values() if d.location == outcome.location)
    _load_articles(batch, connection, wanted)
    batch.stored_documents = dict(batch.documents)
    batch.rejections = dict(batch.stored_rejections)
    return batch


def _load_documents(batch: PendingBatch, connection: Connection, condition: Any) -> None:
    for row in connection.execute(select(schema.document).where(condition)):
        found = DocumentRow(*row)
        batch.documents[found.location, found.digest] = found


def _load_articles(batch: PendingBatch, connection: Connection, ids: Iterable[int]) -> None:
    for part in chunks(ids):
        removed = _removed_lines(connection, part)
        prints = load_fingerprints(connection, part)
        for row in connection.execute(select(schema.article).where(schema.article.c.id.in_(part))).mappings():
            pending = PendingArticle(row["id"], row["url"], row["site"], row["first_seen_at"], row=dict(row))
            pending.gone_at = row["gone_at"]
            batch.ids[pending.url] = pending.id
            batch.articles[pending.id] = pending
            text = text_of_row(dict(row), removed.get(pending.id, ()), prints.get(pending.id))
            pending.stored[row["text_hash"]] = text
        for row in connection.execute(
            select(schema.revision).where(schema.revision.c.article_id.in_(part))
        ).mappings():
            lines = tuple(Removed(*line) for line in row["removed"])
            print_ = None
            if row["sketch"] is not None:
                print_ = Fingerprint(row["sketch"], row["signature"], unpack_keys(row["bands"]))
            batch.articles[row["article_id"]].stored[row["text_hash"]] = text_of_row(dict(row), lines, print_)
        _load_documents(batch, connection, schema.document.c.article_id.in_(part))
    for pending in batch.articles.values():
        pending.texts = dict(pending.stored)


def load_stories(connection: Connection, ids: Sequence[int]) -> list[IndexedStory]:
    """The current texts of these articles as the index needs them, without fingerprints; by id."""
    table = schema.article
    found: list[IndexedStory] = []
    for part in chunks(ids):
        for row in connection.execute(select(table).where(table.c.id.in_(part))).mappings():
            pending = PendingArticle(row["id"], row["url"], row["site"], row["first_seen_at"])
            found.append(indexed_story(pending, text_of_row(dict(row), (), None), pending.first_seen_at))
    return sorted(found, key=lambda indexed: indexed.story.id)


def _removed_lines(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Removed, ...]]:
    table = schema.removal
    lines: dict[int, list[Removed]] = {}
    for row in connection.execute(
        select(table.c.article_id, table.c.position, table.c.text, table.c.rule)
        .where(table.c.article_id.in_(ids))
        .order_by(table.c.article_id, table.c.line)
    ):
        lines.setdefault(row.article_id, []).append(Removed(row.position, row.text, row.rule))
    return {id: tuple(found) for id, found in lines.items()}


def text_of_row(
    row: Mapping[str, Any], removed: tuple[Removed, ...], fingerprint: Fingerprint | None
) -> TextRevision:
    columns = {name: row[name] for name in TEXT_COLUMNS if name != "page_id"}
    return TextRevision(columns, removed, fingerprint, row["page_id"])


def document_key(outcome: Outcome) -> DocumentKey:
    assert outcome.page is not None
    return outcome.location, page_digest(outcome.page)


def is_known(found: DocumentRow | None, article: Article, id: int | None) -> bool:
    return (
        found is not None
        and found.article_id == id
        and found.rules_version == article.rules_version
        and found.fetched_us >= microseconds(article.page.fetched_at)
        and found.text_hash == text_hash(article.title, article.text)
    )


def indexed_story(pending: PendingArticle, text: TextRevision, first_seen_at: datetime) -> IndexedStory:
    columns = text.columns
    story = ArticleCopy(
        id=pending.id,
        url=pending.url,
        title=columns["title"],
        text=columns["text"],
        fetched_at=first_seen_at,
        published_at=columns["published_at"],
        language=columns["language"],
        agency=columns["agency"],
        site=pending.site,
    )
    return IndexedStory(story, text.fingerprint, columns["syndicated_from"], columns["text_hash"])
