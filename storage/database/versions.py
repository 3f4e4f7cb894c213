"""The version of the schema: new databases get the newest one, and `upgrade` changes old ones.

A new database is made at the newest schema when it is first opened. An old one is only ever changed by
`upgrade` (`copydesk db upgrade`), so that no program changes a database without being asked.
"""

from __future__ import annotations

import atexit
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import (
    Connection,
    Engine,
    func,
    inspect,
    select,
    text,
)

if TYPE_CHECKING:
    from alembic.config import Config
from storage.database.engines import connect
from storage.database.errors import explained, shown_url
from storage.database.transactions import begin_write
from storage.database.urls import DatabaseError, NoDatabase

# The version of a PostgreSQL database while `storage.bulk.loading` fills it: nothing else opens it.
LOADING = "loading"
_UNFINISHED = "is not loaded completely: run the same copydesk load again, it goes on"


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """current: the database's own, None if it has no Copydesk tables; head: what this code works with."""

    current: str | None
    head: str

    @property
    def is_current(self) -> bool:
        return self.current == self.head


def open_database(url: str, *, create: bool = True, unfinished: bool = False) -> Engine:
    """An engine on a database of the newest schema; made first where there is none yet and `create` says so.

    url: `sqlite:///path` or `postgresql://user@host/name`. unfinished: also one that is being loaded.

    Raises DatabaseError if the database cannot be opened, is none of Copydesk's, or is older or newer than
    this code.
    """
    engine = connect(url, create=create)
    try:
        with explained(engine):
            found = version(engine)
            if found.current is None and create:
                found = upgrade(engine)
        shown = shown_url(engine)
        if found.current is None:
            raise NoDatabase(f"{shown} is not a Copydesk database: copydesk ingest PATH --db URL makes one")
        if found.current == LOADING:
            if unfinished:
                return engine
            raise DatabaseError(f"{shown} {_UNFINISHED}")
        if found.current not in known_versions():
            raise DatabaseError(
                f"{shown} has schema {found.current}, newer than this Copydesk ({found.head}):"
                " install a newer Copydesk"
            )
        if not found.is_current:
            raise DatabaseError(
                f"{shown} has schema {found.current}, this Copydesk works with {found.head}:"
                " run copydesk db upgrade"
            )
    except BaseException:
        engine.dispose()
        raise
    return engine


def version(engine: Engine) -> SchemaVersion:
    """The schema version of the database, and the newest one; cheap."""
    with engine.connect() as connection:
        return SchemaVersion(_current(connection), newest_version())


def upgrade(engine: Engine) -> SchemaVersion:
    """Takes the database to the newest schema, in one transaction; two processes at once do it once.

    Raises DatabaseError if the database holds another program's tables, or is newer than this code.
    """
    with explained(engine), begin_write(engine) as connection:
        if (
            connection.dialect.name == "postgresql"
        ):  # an index over a million articles takes as long as it takes
            connection.execute(select(func.set_config("statement_timeout", "0", True)))
        current = _current(connection)
        if current is None and _is_foreign(connection):
            raise DatabaseError(
                f"{shown_url(engine)} holds another program's tables: give Copydesk a database of its own"
            )
        if current == LOADING:
            raise DatabaseError(f"{shown_url(engine)} {_UNFINISHED}")
        if current is not None and current not in known_versions():
            raise DatabaseError(
                f"{shown_url(engine)} has schema {current}, newer than this Copydesk ({newest_version()}):"
                " install a newer Copydesk"
            )
        if current != newest_version():
            # Here: it takes a fifth of a second to import, and nearly every database is at the newest schema.
            from alembic import command

            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return version(engine)


def _is_foreign(connection: Connection) -> bool:
    """Whether there are foreign tables: any table on SQLite, one of our names in PostgreSQL's schema."""
    names = set(inspect(connection).get_table_names())
    if connection.dialect.name == "sqlite":
        return bool(names)
    return bool(names & {"article", "band", "pair", "page", "run"})


def alembic_config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _migrations().replace("%", "%%"))
    return config


@lru_cache(maxsize=1)
def _migrations() -> str:
    """The folder of the migrations. Alembic wants files: out of a zipped egg, which is how scrapyd runs a
    project, they are unpacked for as long as the process lives.
    """
    found = resources.files("storage").joinpath("migrations")
    if isinstance(found, Path):
        return str(found)
    folder = TemporaryDirectory(prefix="copydesk-migrations-")
    atexit.register(folder.cleanup)
    _unpack(found, Path(folder.name))
    return folder.name


def _unpack(found: Traversable, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for entry in found.iterdir():
        if entry.is_dir():
            _unpack(entry, folder / entry.name)
        elif not entry.name.endswith(".pyc"):
            (folder / entry.name).write_bytes(entry.read_bytes())


def _current(connection: Connection) -> str | None:
    """The version that Alembic has stored in the database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    current: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return current


def newest_version() -> str:
    return max(known_versions())


@lru_cache(maxsize=1)
def known_versions() -> frozenset[str]:
    """The versions that migrations lead to: the first part of their file names."""
    files = resources.files("storage").joinpath("migrations", "versions").iterdir()
    return frozenset(found[1] for file in files if (found := _MIGRATION.match(file.name)))


_MIGRATION = re.compile(r"v(\d{4})_\w+\.py$")
