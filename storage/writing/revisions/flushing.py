"""Writes what settling changed, except the near-duplicate index and the groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from pipeline.document import PageBytes, SearchWords
from pipeline.sites import NO_SITE_RULES, SiteRulebook
from pipeline.text import make_search_words
from storage import schema, search
from storage.base import chunks, set_counter
from storage.database import insert_rows
from storage.writing.revisions.fingerprints import pack_keys
from storage.writing.revisions.loading import indexed_story
from storage.writing.revisions.pending import IndexChanges, IndexedStory, PendingBatch, TextRevision
from storage.writing.revisions.rows import article_values, page_row


def index_changes(batch: PendingBatch) -> IndexChanges:
    """Which stories have to leave the near-duplicate index, and which have to be added."""
    left: list[int] = []
    entered: list[IndexedStory] = []
    for pending in batch.articles.values():
        stored = pending.stored.get(pending.row["text_hash"]) if pending.row else None
        old = indexed_story(pending, stored, pending.row["first_seen_at"]) if pending.row and stored else None
        new = indexed_story(pending, pending.current, pending.first_seen_at) if pending.texts else None
        if old == new:
            continue
        if old:
            left.append(pending.id)
        if new:
            entered.append(new)
    return IndexChanges(tuple(left), tuple(entered))


def flush(connection: Connection, batch: PendingBatch, site_rules: SiteRulebook = NO_SITE_RULES) -> None:
    """Writes what settling changed, except the index and the groups. site_rules: know the keys of sites."""
    pages_before = {text.page_id for pending in batch.articles.values() for text in pending.stored.values()}
    pages_before |= {row["page_id"] for row in batch.stored_rejections.values()}
    _flush_pages(connection, batch)
    _flush_articles(connection, batch, site_rules)
    _flush_revisions(connection, batch)
    _flush_removals(connection, batch)
    _flush_documents(connection, batch)
    _flush_rejections(connection, batch)
    pages_after = {text.page_id for pending in batch.articles.values() for text in pending.texts.values()}
    pages_after |= {row["page_id"] for row in batch.rejections.values()}
    for part in chunks(sorted(id for id in pages_before - pages_after if id is not None)):
        connection.execute(delete(schema.page).where(schema.page.c.id.in_(part)))
    for name, value in (("article", batch.next_article - 1), ("page", batch.next_page - 1)):
        set_counter(connection, name, value)


def _flush_pages(connection: Connection, batch: PendingBatch) -> None:
    """Gives every page that is not stored an id, and stores it."""
    rows = []

    def take(page: PageBytes, location: str) -> int:
        id = batch.next_page
        batch.next_page += 1
        rows.append({"id": id, **page_row(page, location), "body": page.compressed})
        return id

    for pending in batch.articles.values():
        for hash, text in pending.texts.items():
            if text.page is not None:
                id = take(text.page, text.columns["location"])
                pending.texts[hash] = replace(text, page=None, page_id=id)
    for location, page in batch.rejected_pages.items():
        batch.rejections[location]["page_id"] = take(page, location)
    insert_rows(connection, schema.page, rows)


def _flush_articles(connection: Connection, batch: PendingBatch, site_rules: SiteRulebook) -> None:
    table = schema.article
    new, gone = [], []
    kept: dict[int, dict[str, Any]] = {}
    for pending in batch.articles.values():
        if not pending.texts:
            if pending.row is not None:
                gone.append(pending.id)
            continue
        current = pending.current
        known = pending.row["site_key"] if pending.row is not None else None
        row = {
            "id": pending.id,
            **article_values(pending),
            **current.columns,
            "page_id": current.page_id,
            "site_key": site_rules.key_of(pending.site) or known,
        }
        if pending.row is None:
            new.append({**row, "group_id": pending.id, "is_canonical": True})
            continue
        changed = {name: value for name, value in row.items() if pending.row[name] != value}
        if changed:
            kept[pending.id] = changed
    retold = [id for id, changed in kept.items() if "text_hash" in changed]
    search.remove_from_index(connection, [*gone, *retold])
    for id, changed in kept.items():
        connection.execute(update(table).where(table.c.id == id).values(changed))
    for part in chunks(gone):
        connection.execute(delete(table).where(table.c.id.in_(part)))
    insert_rows(connection, table, new)
    indexed = [*retold, *(row["id"] for row in new)]
    search.add_to_index(connection, [(id, _words_of(batch.articles[id].current)) for id in indexed])


def _words_of(text: TextRevision) -> SearchWords:
    """The words that the worker made; made again for a text that was stored before and is current again."""
    return text.search_words or make_search_words(text.columns["title"], text.columns["text"])


def _flush_revisions(connection: Connection, batch: PendingBatch) -> None:
    table = schema.revision
    new: list[dict[str, Any]] = []
    gone: list[tuple[int, bytes]] = []
    for pending in batch.articles.values():
        if not pending.texts or (pending.row is None and len(pending.texts) == 1):
            continue
        current = pending.current.columns["text_hash"]
        stored_current = pending.row["text_hash"] if pending.row else None
        was = {hash: text for hash, text in pending.stored.items() if hash != stored_current}
        now = {hash: text for hash, text in pending.texts.items() if hash != current}
        gone.extend((pending.id, hash) for hash, text in was.items() if now.get(hash) is not text)
        for hash, text in now.items():
            if was.get(hash) is text:
                continue
            print_ = text.fingerprint
            new.append(
                {
                    "article_id": pending.id,
                    **text.columns,
                    "page_id": text.page_id,
                    "removed": [[line.position, line.text, line.rule] for line in text.removed],
                    "sketch": print_.version if print_ else None,
                    "signature": print_.signature if print_ else None,
                    "bands": pack_keys(print_.bands) if print_ else None,
                }
            )
    if gone:
        connection.execute(
            delete(table).where(
                table.c.article_id == bindparam("at_id"), table.c.text_hash == bindparam("at_hash")
            ),
            [{"at_id": id, "at_hash": hash} for id, hash in gone],
        )
    insert_rows(connection, table, new)


def _flush_removals(connection: Connection, batch: PendingBatch) -> None:
    table = schema.removal
    new: list[dict[str, Any]] = []
    gone: list[int] = []
    for pending in batch.articles.values():
        if not pending.texts:
            continue
        lines = pending.current.removed
        if pending.row is not None:
            if pending.stored[pending.row["text_hash"]].removed == lines:
                continue
            gone.append(pending.id)
        new.extend(
            {
                "article_id": pending.id,
                "line": number,
                "position": line.position,
                "rule": line.rule,
                "text": line.text,
            }
            for number, line in enumerate(lines)
        )
    for part in chunks(gone):
        connection.execute(delete(table).where(table.c.article_id.in_(part)))
    insert_rows(connection, table, new)
    _note_changes(connection, gone)


def _note_changes(connection: Connection, ids: Iterable[int]) -> None:
    """Gives articles the next numbers in `change`, as triggers do for changes of `article` itself."""
    table, any_ = schema.change, schema.change.alias()
    following = select(func.max(any_.c.number) + 1).scalar_subquery()
    rows = [{"changed": id} for id in sorted(ids)]
    if rows:
        connection.execute(
            update(table)
            .where(table.c.article_id == bindparam("changed"))
            .values(number=following, at=datetime.now(UTC)),
            rows,
        )


def note_news(connection: Connection, batch: PendingBatch) -> None:
    """Notes in `change` which articles got a current text that no document brought before, for watchlists.

    Without watchlists nothing is noted: one that is made later begins with what comes after it.
    """
    news = [
        id
        for id, hashes in batch.news.items()
        if batch.articles[id].texts and batch.articles[id].current.columns["text_hash"] in hashes
    ]
    if not news or connection.scalar(select(schema.watchlist.c.id).limit(1)) is None:
        return
    table = schema.change
    for part in chunks(news):
        connection.execute(update(table).where(table.c.article_id.in_(part)).values(news=table.c.number))


def _flush_documents(connection: Connection, batch: PendingBatch) -> None:
    table = schema.document
    gone = [key for key, row in batch.stored_documents.items() if batch.documents.get(key) != row]
    new = [row for key, row in batch.documents.items() if batch.stored_documents.get(key) != row]
    if gone:
        connection.execute(
            delete(table).where(
                table.c.location == bindparam("at_location"), table.c.digest == bindparam("at_digest")
            ),
            [{"at_location": location, "at_digest": digest} for location, digest in gone],
        )
    names = [column.name for column in table.columns]
    insert_rows(connection, table, [{name: getattr(row, name) for name in names} for row in new])


def _flush_rejections(connection: Connection, batch: PendingBatch) -> None:
    table = schema.rejection
    gone = [at for at, row in batch.stored_rejections.items() if batch.rejections.get(at) is not row]
    new = [row for at, row in batch.rejections.items() if batch.stored_rejections.get(at) is not row]
    for part in chunks(gone):
        connection.execute(delete(table).where(table.c.location.in_(part)))
    insert_rows(connection, table, new)
