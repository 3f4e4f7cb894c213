"""URLs of databases: checked before anything connects, and shown without what is secret in them.

A URL may have a password in many places: before the host, among its parameters, and after a mistake anywhere.
So a URL is only ever shown by those of its parts that are known to be harmless, and a message of a driver
without the values of the others.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from pipeline.errors import OperatorError

_ENCODE = (
    "a password with a sign such as @ : / ? # is written percent-encoded (@ as %40), or better in ~/.pgpass"
)
_WANTED = "sqlite:///path/to/file.db or postgresql://user@host/name"
# Parameters of libpq that are secret. A passfile is a path, and a service is a name.
_SECRET = frozenset(
    {"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"}
)
# Parameters of the drivers themselves.
_PSYCOPG = frozenset({"prepare_threshold", "autocommit"})
_SQLITE = frozenset(
    {"timeout", "uri", "mode", "cache", "nolock", "immutable", "vfs", "psow"}
    | {"check_same_thread", "isolation_level", "cached_statements"}
)
# A text that is no URL and is shown all the same: the path of a file.
_PATH = re.compile(r"[\w./\\~ -]*")
# An @ after `parameter=`: it would end the password, and the parameters would be the host.
_AT_IN_PARAMETER = re.compile(r"\?[^@=]*+=(?!@)[^@]*+@")
# Characters of hosts, of paths of sockets, and of abstract sockets (`@`).
_HOST = re.compile(r"@?[\w./\[\]:%,*-]*")


class DatabaseError(OperatorError):
    """A database that cannot be opened or written as asked: the message is one line and says what to do."""


class NoDatabase(DatabaseError):
    """There is no database of Copydesk yet at the URL."""


def parsed_url(url: str) -> URL:
    """The parts of a database's URL, with `sqlite` or `postgresql` as its driver.

    Raises DatabaseError, whose message has nothing of the URL that may be secret.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        # `from None`: the cause quotes parts of the URL.
        raise DatabaseError(f"{_shown_text(url)} is no database URL: write {_WANTED}") from None
    if backend == "sqlite":
        return _checked_sqlite(parsed.set(drivername="sqlite"))
    if backend in ("postgresql", "postgres"):
        if url.replace("host=@", "").count("@") > 1 or _AT_IN_PARAMETER.search(url):
            raise DatabaseError(f"the database URL has an @ too many: {_ENCODE}")
        return _checked_postgresql(parsed.set(drivername="postgresql"))
    raise DatabaseError(f"databases of kind {backend!r} are not supported: write {_WANTED}")


def shown(url: URL) -> str:
    """The database as a message names it: the file's path, or the URL without anything secret."""
    if url.get_backend_name() == "sqlite":
        return url.database or "the database in memory"
    hidden = "***" if url.password is not None else None
    bare = _without_secrets(url.set(drivername="postgresql"))
    return bare._replace(password=hidden).render_as_string(hide_password=True)


def lasting_url(url: str) -> tuple[str, Path | None]:
    """The URL for a service's file, valid from any folder and without secrets; and the file of SQLite.

    Raises DatabaseError if it is not a URL.
    """
    parsed = parsed_url(url)
    if parsed.drivername != "sqlite":
        return _without_secrets(parsed).render_as_string(hide_password=False), None
    file = Path(str(parsed.database)).absolute()
    return parsed.set(database=str(file)).render_as_string(hide_password=False), file


def without_secrets_of(url: URL, message: str) -> str:
    """A driver's message without the secrets of the URL that it was given."""
    values = {str(url.password)} if url.password else set()
    for key in _SECRET & url.query.keys():
        value = url.query[key]
        values.update([value] if isinstance(value, str) else value)
    written = {way(value) for value in values if value for way in (str, quote, quote_plus, repr)}
    for value in sorted(written, key=len, reverse=True):
        # A short one may be part of a word, which says nothing of it.
        found = re.escape(value) if len(value) > 3 else rf"(?<!\w){re.escape(value)}(?!\w)"
        message = re.sub(found, "***", message)
    return message


def _checked_sqlite(url: URL) -> URL:
    if url.username or url.password or url.host or url.port:
        raise DatabaseError("a file has no user and no host: write sqlite:///path/to/file.db (three slashes)")
    _check_parameters(url, _SQLITE)
    if url.database in (None, "", ":memory:") or "memory" in _values(url, "mode"):
        raise DatabaseError("a database in memory ends with its process: write sqlite:///path/to/file.db")
    return url


def _checked_postgresql(url: URL) -> URL:
    _check_parameters(url, _postgresql_parameters())
    hosts = [url.host or "", *_values(url, "host"), *_values(url, "hostaddr")]
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise DatabaseError(f"the host of the database URL is none: {_ENCODE}")
    if not all(port.replace(",", "").isdecimal() for port in _values(url, "port")):
        raise DatabaseError("the port of the database URL is no number")
    users = [url.username or "", *_values(url, "user")]
    if any(":" in user for user in users):
        raise DatabaseError(
            "the user of the database URL has a colon: write postgresql://user:password@host/name"
        )
    names = [url.database or "", *_values(url, "dbname")]
    if any("=" in name or "@" in name or "://" in name for name in names):
        raise DatabaseError(
            "the database URL has parameters in place of the database's name: write"
            " postgresql://user@host/name?parameter=value"
        )
    return url


def _check_parameters(url: URL, known: frozenset[str]) -> None:
    for key in url.query:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known))}"
            # A name that is like none may be a part of a password that had a question mark in it.
            name = f" {key!r}" if near else ""
            raise DatabaseError(f"the database URL has an unknown parameter{name}; {hint}")


def _values(url: URL, key: str) -> tuple[str, ...]:
    value = url.query.get(key, ())
    return (value,) if isinstance(value, str) else value


@lru_cache
def _postgresql_parameters() -> frozenset[str]:
    import psycopg

    return frozenset(one.keyword.decode() for one in psycopg.pq.Conninfo.get_defaults()) | _PSYCOPG | _SECRET


def _without_secrets(url: URL) -> URL:
    return url._replace(password=None).difference_update_query(sorted(_SECRET))  # `set` keeps for None


def _shown_text(text: str) -> str:
    """A text that is no URL, as far as it is known to have no password."""
    if _PATH.fullmatch(text):
        return repr(text)
    scheme, colon, _ = text.partition("://")
    return f"'{scheme}://…'" if colon and scheme.replace("+", "").isalnum() else "what --db names"
