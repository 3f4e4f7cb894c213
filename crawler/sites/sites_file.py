"""Adds a site to a sites file of the operator's own, which may be full of comments and is read meanwhile.

The new table is written after everything else, so that what stands there keeps every byte; the file is
replaced in one step by a renamed one, so that who reads it sees the old or the new. Nothing is written unless
the new file reads as the old one and the new site.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any

import tomlkit

from crawler.sites.records import Site, parse_sites
from pipeline.errors import OperatorError
from pipeline.urls import address_key


def own_file(path: str | os.PathLike[str] | None) -> Path:
    """Return the file to write to. Raises OperatorError for none, and for the one that comes along."""
    with resources.as_file(resources.files("crawler.sites").joinpath("sites.toml")) as shipped:
        is_shipped = path is not None and Path(path).exists() and os.path.samefile(path, shipped)
    if path is None or is_shipped:
        raise OperatorError(
            "the sites file that comes with Copydesk stays as it is: name one of your own with --sites FILE"
            " (it is made if it is not there)"
        )
    target = Path(path).resolve()  # a link stays one
    if target.exists() and not target.is_file():
        raise OperatorError(f"{path}: is no file; name a sites file with --sites")
    return target


def sites_in(path: Path) -> dict[str, Site]:
    """Return the sites of a file, none where there is no file yet. Raises OperatorError."""
    return parse_sites(_content(path), str(path))


def require_new(sites: Mapping[str, Site], key: str, homepage: str, where: str) -> None:
    """Raise OperatorError where a site of that key, or of that homepage by whatever spelling, is there."""
    for site in sites.values():
        if address_key(site.homepage) == address_key(homepage):
            raise OperatorError(f"{where}: {homepage} is there already, as site {site.key}")
    if key in sites:
        raise OperatorError(f"{where}: site {key} is there already; choose another key with --key")


def entry_text(key: str, entry: Mapping[str, Any]) -> str:
    """Return a site's table as it stands in a sites file; lists of several go a line each."""
    table = tomlkit.table()
    for name, value in entry.items():
        if isinstance(value, list | tuple):
            array = tomlkit.array()
            array.extend(value)
            table.add(name, array.multiline(len(value) > 1))
        else:
            table.add(name, value)
    sites = tomlkit.table(is_super_table=True)
    sites.add(tomlkit.key(key), table)
    document = tomlkit.document()
    document.add("sites", sites)
    return tomlkit.dumps(document)


def add_site(path: Path, key: str, entry: Mapping[str, Any]) -> Site:
    """Write a new site into the file, made if it is not there; returns its record.

    Raises OperatorError, with the file as it was, where the file cannot be written, has a mistake or has
    the site already.
    """
    with _alone(path):
        old = _content(path)
        sites = parse_sites(old, str(path))
        require_new(sites, key, str(entry.get("homepage")), str(path))
        new = _with_table(old, entry_text(key, entry))
        try:
            found = parse_sites(new, str(path))
        except OperatorError as error:
            raise OperatorError(f"{error} (nothing was written)") from error
        if {**sites, key: found.get(key)} != found:
            raise OperatorError(f"{path}: no site can be added to it; write each as a table [sites.NAME]")
        _replace(path, new)
    return found[key]


def _with_table(old: bytes, table: str) -> bytes:
    if not old.strip(b"\xef\xbb\xbf \t\r\n"):
        return old + table.encode()
    line_end = b"\r\n" if b"\r\n" in old else b"\n"
    gap = line_end if old.endswith(b"\n") else 2 * line_end
    return old + gap + table.encode().replace(b"\n", line_end)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise OperatorError(
            f"{path}: cannot be read ({error.strerror}); name another file with --sites"
        ) from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process at a time adds to a file: the lock is its folder's, as the file itself is replaced."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise OperatorError(
            f"{path.parent}: cannot be opened ({error.strerror}); make that folder"
        ) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _replace(path: Path, content: bytes) -> None:
    """Put content in the place of the file, by a rename; mode and owner stay, as far as we may set them."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        before = path.stat() if path.exists() else None
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if before else 0o666)
        try:
            with open(number, "wb") as file:
                if before is not None:
                    with suppress(PermissionError):
                        os.fchown(number, before.st_uid, before.st_gid)
                    os.fchmod(number, before.st_mode & 0o7777)
                file.write(content)
                file.flush()
                os.fsync(number)
            os.replace(fresh, path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OperatorError(f"{path}: cannot be written ({error.strerror}); nothing was changed") from error
