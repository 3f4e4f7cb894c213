"""Replaces fingerprints when their version changed, and refuses to mix versions."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, Engine, delete, func, select, update

from pipeline.copies import fingerprint
from pipeline.settings import Settings
from storage import schema
from storage.database import DatabaseError, in_transaction, shown_url
from storage.writing import groups, revisions


def require_one_fingerprint(engine: Engine, settings: Settings) -> None:
    """Raises DatabaseError if stored fingerprints were made by different settings or a different Copydesk.

    Fingerprints of two versions never meet in the index: copies among articles of both would not be found.
    So who is going to add articles asks first. Reads a table of one row.
    """
    versions = other_fingerprints(engine, settings)
    if versions:
        raise DatabaseError(
            f"{shown_url(engine)} has fingerprints of version {', '.join(versions)}, these settings make"
            f" {settings.index_version}: run copydesk reprocess --fingerprints"
        )


def other_fingerprints(engine: Engine, settings: Settings) -> list[str]:
    """The fingerprint versions in the database that differ from the settings' own."""
    table = schema.sketch
    with engine.connect() as connection:
        query = select(table.c.version).where(table.c.version != settings.index_version)
        return list(connection.execute(query.order_by(table.c.version)).scalars())


def count_refingerprint(engine: Engine, settings: Settings) -> int:
    """How many articles have fingerprints of a different version than the settings'."""
    table, sketch = schema.signature, schema.sketch
    query = select(func.count()).select_from(table).join(sketch, sketch.c.id == table.c.sketch_id)
    with engine.connect() as connection:
        return connection.scalar(query.where(sketch.c.version != settings.index_version)) or 0


def refingerprint_batch(engine: Engine, settings: Settings, after: int) -> tuple[int, int | None]:
    """Replaces fingerprints of a different version, from the stored texts, in one transaction.

    after: the group to go on after, 0 for the first. Returns how many were made, and the last group of
    them; None if there was none left after that one. Whole groups are done at once, so that readers
    never see one taken apart in between (except for groups of more than a thousand).
    """

    def renew(connection: Connection) -> tuple[int, int | None]:
        ids, last = _group_with_others(connection, settings, after)
        if not ids:
            return 0, None
        stories = revisions.load_stories(connection, ids)
        entered = [
            replace(indexed, fingerprint=fingerprint(indexed.story.text, settings.fingerprint))
            for indexed in stories
        ]
        left = groups.remove_stories(connection, ids, settings)
        groups.add_stories(connection, entered, left, settings)
        return len(ids), last

    return in_transaction(engine, renew)


def refingerprint_revisions(engine: Engine, settings: Settings) -> None:
    """Replaces the fingerprints of older revisions, and deletes versions that are not used any more."""
    table, version = schema.revision, settings.fingerprint.version

    def renew(connection: Connection) -> int:
        query = select(table.c.article_id, table.c.text_hash, table.c.text)
        rows = connection.execute(query.where(table.c.sketch != version).limit(_REVISIONS)).all()
        for row in rows:
            made = fingerprint(row.text, settings.fingerprint)
            connection.execute(
                update(table)
                .where(table.c.article_id == row.article_id, table.c.text_hash == row.text_hash)
                .values(
                    sketch=made.version if made else None,
                    signature=made.signature if made else None,
                    bands=revisions.pack_keys(made.bands) if made else None,
                )
            )
        return len(rows)

    while in_transaction(engine, renew):
        pass

    def forget(connection: Connection) -> None:
        sketch = schema.sketch
        used = select(schema.signature.c.sketch_id).where(schema.signature.c.sketch_id == sketch.c.id)
        connection.execute(delete(sketch).where(sketch.c.version != settings.index_version, ~used.exists()))

    in_transaction(engine, forget)


# Number of articles and of revisions that get a new fingerprint in one transaction. A group is completed up
# to the maximum.
_RENEWED, _RENEWED_MOST, _REVISIONS = 64, 1024, 500


def _group_with_others(
    connection: Connection, settings: Settings, after: int
) -> tuple[list[int], int | None]:
    """Ids of articles with fingerprints of a different version, by whole groups; and the last group."""
    table, signature, sketch = schema.article, schema.signature, schema.sketch
    query = (
        select(table.c.id, table.c.group_id)
        .join(signature, signature.c.article_id == table.c.id)
        .join(sketch, sketch.c.id == signature.c.sketch_id)
        .where(sketch.c.version != settings.index_version, table.c.group_id > after)
        .order_by(table.c.group_id, table.c.id)
    )
    rows = list(connection.execute(query.limit(_RENEWED)))
    if not rows:
        return [], None
    last = rows[-1].group_id
    rest = query.where(table.c.group_id == last, table.c.id > rows[-1].id).limit(_RENEWED_MOST)
    rows += connection.execute(rest)
    # The rest of a larger group comes next.
    is_whole = len(rows) < _RENEWED + _RENEWED_MOST
    return [row.id for row in rows], last if is_whole else last - 1
