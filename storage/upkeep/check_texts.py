"""Checks of texts, their documents and their pages."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, bindparam, delete, select, text, update

from storage import schema
from storage.base import chunks, from_microseconds
from storage.database import in_transaction
from storage.upkeep.checks import stream_rows

_WRONG_REVISIONS = text(
    """
    SELECT id, revision, 1 + (SELECT count(*) FROM revision WHERE article_id = article.id) AS there
    FROM article WHERE revision <> 1 + (SELECT count(*) FROM revision WHERE article_id = article.id)
    """
)

_CURRENT_TWICE = text(
    """
    SELECT article.id FROM article
    JOIN revision ON revision.article_id = article.id AND revision.text_hash = article.text_hash
    """
)

_TEXTLESS_DOCUMENTS = text(
    """
    SELECT location, article_id FROM document
    WHERE NOT EXISTS (SELECT 1 FROM article WHERE id = article_id AND article.text_hash = document.text_hash)
      AND NOT EXISTS (SELECT 1 FROM revision WHERE revision.article_id = document.article_id
                      AND revision.text_hash = document.text_hash)
    """
)

_UNGIVEN_TEXTS = text(
    """
    SELECT id, 'its text' AS what FROM article
    WHERE NOT EXISTS (SELECT 1 FROM document WHERE article_id = article.id
                      AND document.text_hash = article.text_hash)
    UNION ALL
    SELECT article_id, 'an older text' FROM revision
    WHERE NOT EXISTS (SELECT 1 FROM document WHERE document.article_id = revision.article_id
                      AND document.text_hash = revision.text_hash)
    """
)

_ORPHANED_PAGES = text(
    """
    SELECT id, location FROM page
    WHERE NOT EXISTS (SELECT 1 FROM article WHERE page_id = page.id)
      AND NOT EXISTS (SELECT 1 FROM revision WHERE page_id = page.id)
      AND NOT EXISTS (SELECT 1 FROM rejection WHERE page_id = page.id)
    """
)


def find_wrong_revisions(connection: Connection) -> Iterator[str]:
    for row in stream_rows(connection, _WRONG_REVISIONS):
        yield f"article {row.id}: revision says {row.revision}, {row.there} texts are there"
    for row in stream_rows(connection, _CURRENT_TWICE):
        yield f"article {row.id}: its current text is among the older ones as well"


def mend_revisions(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        twice = list(connection.execute(_CURRENT_TWICE).scalars())
        older, article = schema.revision, schema.article
        for part in chunks(twice):
            same = select(article.c.id).where(
                article.c.id == older.c.article_id, article.c.text_hash == older.c.text_hash
            )
            connection.execute(delete(older).where(older.c.article_id.in_(part), same.exists()))
        wrong = [{"at_id": row.id, "there": row.there} for row in connection.execute(_WRONG_REVISIONS)]
        if wrong:
            right = update(article).where(article.c.id == bindparam("at_id"))
            connection.execute(right.values(revision=bindparam("there")), wrong)
        return len(twice) + len(wrong)

    return in_transaction(engine, work)


def find_textless_documents(connection: Connection) -> Iterator[str]:
    for row in stream_rows(connection, _TEXTLESS_DOCUMENTS):
        yield f"{row.location}: gave a text of article {row.article_id} that is not there"


def drop_textless_documents(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        given, article, older = schema.document, schema.article, schema.revision
        current = select(article.c.id).where(
            article.c.id == given.c.article_id, article.c.text_hash == given.c.text_hash
        )
        once = select(older.c.article_id).where(
            older.c.article_id == given.c.article_id, older.c.text_hash == given.c.text_hash
        )
        return connection.execute(delete(given).where(~current.exists(), ~once.exists())).rowcount

    return in_transaction(engine, work)


def find_ungiven_texts(connection: Connection) -> Iterator[str]:
    for row in stream_rows(connection, _UNGIVEN_TEXTS):
        yield f"article {row.id}: no document gave {row.what}"


def find_orphaned_pages(connection: Connection) -> Iterator[str]:
    for row in stream_rows(connection, _ORPHANED_PAGES):
        yield f"page {row.id} ({row.location}) is of nothing"


def drop_orphaned_pages(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        ids = [row.id for row in connection.execute(_ORPHANED_PAGES)]
        for part in chunks(ids):
            connection.execute(delete(schema.page).where(schema.page.c.id.in_(part)))
        return len(ids)

    return in_transaction(engine, work)


def find_gone_too_early(connection: Connection) -> Iterator[str]:
    for id in _gone_too_early(connection):
        yield f"article {id}: it was fetched after it was found to be gone"


def _gone_too_early(connection: Connection) -> Iterator[int]:
    table = schema.article
    query = select(table.c.id, table.c.gone_at, table.c.fetched_us).where(table.c.gone_at.is_not(None))
    for row in stream_rows(connection, query):
        if row.gone_at < schema.to_second(from_microseconds(row.fetched_us)):
            yield row.id


def bring_back(engine: Engine) -> int:
    def work(connection: Connection) -> int:
        ids = list(_gone_too_early(connection))
        for part in chunks(ids):
            connection.execute(
                update(schema.article).where(schema.article.c.id.in_(part)).values(gone_at=None)
            )
        return len(ids)

    return in_transaction(engine, work)
