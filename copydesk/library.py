"""What a program may use of Copydesk; `copydesk` itself exports it.

import copydesk

mine = copydesk.sketch(text)
with copydesk.open("sqlite:///copydesk.db") as db:
    stored = db.sketch(7)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from copydesk.options import DEFAULT_DATABASE
from pipeline import copies
from pipeline.copies import Sketch
from pipeline.settings import FingerprintSettings
from storage import reader
from storage.database import Engine, open_database

__all__ = ["Database", "Sketch", "open", "shingle_hashes", "sketch"]


def shingle_hashes(text: str) -> NDArray[np.uint32]:
    """The hashes of a text's shingles in order, repeats included, as Copydesk gives them to datasketch.

    A MinHash of them with an identity for its hash function is the stored signature, bit for bit. The text is
    taken as it is: stored articles have no dateline, byline and sign-off.
    """
    return copies.shingle_hashes(text, FingerprintSettings())


def sketch(text: str) -> Sketch | None:
    """The signature of a text as datasketch's objects, `.whole` and `.lead`; None if it has no word."""
    return copies.sketch(text, FingerprintSettings())


class Database:
    """A Copydesk database, open for reading. `with` closes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. The database opens them again if it is asked again."""
        self._engine.dispose()

    def sketch(self, article_id: int) -> Sketch | None:
        """The stored signature of an article as datasketch's objects.

        None if there is no such article, or if it has no signature: a paywalled stub, a text without words.
        Raises DatabaseError if another version of Copydesk made it.
        """
        return reader.sketch(self._engine, article_id)

    def sketches(self) -> Iterator[tuple[int, Sketch]]:
        """Id and signature of every article that has one, by id. Raises DatabaseError as `sketch` does."""
        return reader.sketches(self._engine)


def open(db: str | None = None) -> Database:
    """Opens a database that exists: `sqlite:///FILE` or `postgresql://USER@HOST/NAME`.

    db: falls back to $COPYDESK_DB, then to sqlite:///copydesk.db. Raises DatabaseError if there is none, or
    if it is older or newer than this Copydesk.
    """
    return Database(open_database(db or os.environ.get("COPYDESK_DB") or DEFAULT_DATABASE, create=False))
