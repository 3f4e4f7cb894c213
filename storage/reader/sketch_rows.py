"""Stored signatures as datasketch's objects."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, select

from pipeline.copies import Sketch, sketch_of
from pipeline.document import Fingerprint
from pipeline.settings import FingerprintSettings
from storage.database import DatabaseError, shown_url
from storage.reader.streaming import stream
from storage.schema import damaged_value, signature
from storage.schema import sketch as versions


def sketch(engine: Engine, id: int) -> Sketch | None:
    """The sketch of an article; None if there is no such article, or it has none (a stub, no words)."""
    return next((made for _, made in _sketches(engine, id)), None)


def sketches(engine: Engine) -> Iterator[tuple[int, Sketch]]:
    """Id and sketch of every article that has one, by id."""
    return _sketches(engine, None)


def _sketches(engine: Engine, id: int | None) -> Iterator[tuple[int, Sketch]]:
    """Raises DatabaseError at one that another version of Copydesk made: the two cannot be compared."""
    settings = FingerprintSettings()
    query = (
        select(signature.c.article_id, versions.c.version, signature.c.signature)
        .join(versions, versions.c.id == signature.c.sketch_id)
        .order_by(signature.c.article_id)
    )
    query = query if id is None else query.where(signature.c.article_id == id)

    def made(article_id: int, version: str, values: bytes) -> tuple[int, Sketch]:
        stored = Fingerprint(version.partition(" ")[0], values, ())
        if stored.version != settings.version:
            raise DatabaseError(
                f"{shown_url(engine)} has a fingerprint of version {stored.version}, this Copydesk makes"
                f" {settings.version}: run copydesk reprocess --fingerprints"
            )
        try:
            return article_id, sketch_of(stored, settings)
        except ValueError as error:
            raise damaged_value(f"the signature of article {article_id} cannot be read ({error})") from error

    return stream(engine, query, made)
