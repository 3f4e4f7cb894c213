"""Locks that keep two processes from crawling one site into one database at the same time.

They are the operating system's and the database server's, not rows: a process that is killed frees its locks
by dying, so nobody ever has to clean up after a crash.

SQLite      an exclusive flock on the file `DATABASE.locks/SITE.lock`. The file stays: to remove it would let
            two processes lock two files of one name.
PostgreSQL  a transaction's advisory lock, on a connection of its own that stays idle in that transaction.
            (A session's lock would be left, behind a pooler, on a connection which others use.) The
            transaction has no snapshot, so it keeps no VACUUM back. A restarted server forgets its locks.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from storage.database import DatabaseError, connect, persistently


class SiteLocks:
    """The site locks of this process on one database. A context manager; leaving it frees them.

    One thread at a time may call it. The database must exist.
    """

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        self._files: dict[str, int] = {}
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, site: str) -> bool:
        """Lock the site; False if a different process or SiteLocks has locked it.

        Raises DatabaseError if the lock can be neither taken nor refused.
        """
        if self._engine.dialect.name == "postgresql":
            return persistently(self._engine, lambda: self._take_advisory(site))
        path = self._engine.url.database
        if not path or path == ":memory:":  # only this process can open such a database
            return True
        file = Path(f"{Path(path).resolve()}.locks", f"{quote(site, safe='')}.lock")
        return site in self._files or self._take_file(site, file)

    def close(self) -> None:
        """Free all locks."""
        while self._files:
            os.close(self._files.popitem()[1])
        self._disconnect()
        self._engine.dispose()

    def _take_file(self, site: str, file: Path) -> bool:
        try:
            file.parent.mkdir(exist_ok=True)
            opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise DatabaseError(
                f"{file}: cannot be opened ({error.strerror}): crawls need it, to lock the site"
            ) from error
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
            return False
        except OSError as error:
            os.close(opened)
            raise DatabaseError(
                f"{file}: cannot be locked ({error.strerror}): move the database to another disk"
            ) from error
        self._files[site] = opened
        return True

    def _take_advisory(self, site: str) -> bool:
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            return bool(self._connection.scalar(select(func.pg_try_advisory_xact_lock(_number(site)))))
        except DBAPIError:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.close()
            self._connection = None


def _number(site: str) -> int:
    """A signed 64-bit number, PostgreSQL's name for a lock, that depends on the site alone."""
    digest = hashlib.sha256(f"copydesk site {site}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
