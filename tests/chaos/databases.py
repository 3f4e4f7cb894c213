"""The database of a round: a file of SQLite, or a database of a PostgreSQL of its own; how it is filled."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from storage.database import open_database
from tests.chaos.plan import Kind
from tests.chaos.processes import processes
from tests.chaos.rooms import Room, may_mount
from tests.postgres import OwnServer, own_server

DATABASES = ("sqlite", "postgresql")
# The size of a file of PostgreSQL's log; its files cannot be limited to less.
_LOG_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database for a round. clean_url: another one, for the run without faults.

    room: the file system that holds the first; None where none can be mounted. server: None for SQLite.
    """

    kind: str
    url: str
    clean_url: str
    room: Room | None
    server: OwnServer | None
    folder: Path

    def possible(self) -> set[Kind]:
        """The faults that this database can have on this machine."""
        left_out = set() if self.server else {Kind.CRASH}
        if self.room is None:
            left_out |= {Kind.FULL_DISK, Kind.FULL_TMP}
        return set(Kind) - left_out

    def limit_files(self, writers: Iterable[int], room: int) -> None:
        """No file of the database may grow by more than so many bytes: of the writers, or of the server."""
        files = [*self.folder.rglob("*"), *(self.server.folder.rglob("base/*/*") if self.server else ())]
        largest = max((file.stat().st_size for file in files if file.is_file()), default=0)
        if self.server:
            largest = max(largest, _LOG_FILE)
        self._limit(writers, str(largest + room))

    def free_files(self, writers: Iterable[int]) -> None:
        self._limit(writers, "unlimited")

    def _limit(self, writers: Iterable[int], size: str) -> None:
        """Set the limit that can be raised again, as the user whose processes they are."""
        user = self.server.user if self.server else None
        for pid in _processes_of(self.server) if self.server else writers:
            command = ["prlimit", f"--pid={pid}", f"--fsize={size}:"]
            done = subprocess.run(command, user=user, capture_output=True, text=True)
            # It may have ended meanwhile.
            assert done.returncode == 0 or not Path(f"/proc/{pid}").exists(), done.stderr


def _processes_of(server: OwnServer) -> list[int]:
    """The processes of a server; the first one first, because what it starts from then on has its limit."""
    postmaster = int((server.folder / "postmaster.pid").read_text().split("\n", 1)[0])
    return [postmaster, *(found.pid for found in processes() if found.parent == postmaster)]


@contextmanager
def database(kind: str, folder: Path, server: OwnServer | None) -> Iterator[Database]:
    """A fresh database in the folder (that of PostgreSQL in a tablespace there)."""
    room = Room.mount(folder / "database") if may_mount() else None
    (folder / "database").mkdir(exist_ok=True)
    try:
        if server is None:
            urls = [f"sqlite:///{folder / name}" for name in ("database/chaos.db", "clean.db")]
            yield _opened(Database(kind, urls[0], urls[1], room, None, folder / "database"))
            return
        place = folder / "database" / "space"
        place.mkdir()
        if server.user:
            shutil.chown(place, server.user)
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE TABLESPACE space LOCATION {}").format(sql.Literal(str(place))))
            connection.execute("CREATE DATABASE chaos TABLESPACE space")
            connection.execute("CREATE DATABASE clean")
        try:
            urls = [server.url_of(name) for name in ("chaos", "clean")]
            yield _opened(Database(kind, urls[0], urls[1], room, server, folder / "database"))
        finally:
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("DROP DATABASE chaos WITH (FORCE)")
                connection.execute("DROP DATABASE clean WITH (FORCE)")
                connection.execute("DROP TABLESPACE space")
    finally:
        if room is not None:
            room.unmount()


@contextmanager
def server_of(kind: str) -> Iterator[OwnServer | None]:
    """The server of a kind of database, with small files, so that they can be limited; None for SQLite.

    It flushes nothing: its processes crash here, and never the machine.
    """
    if kind == "sqlite":
        yield None
        return
    with own_server(("--wal-segsize=1",)) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server


def _opened(found: Database) -> Database:
    for url in (found.url, found.clean_url):
        open_database(url).dispose()
    return found
