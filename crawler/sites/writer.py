"""Changes an operator's own sites file, which may have comments and may be read at the same time.

A new table is appended, and one that goes is cut out, so the rest of the file keeps every byte. The file is
replaced in one step, by a rename, so a reader sees either the old or the new one. Nothing is written unless
the new file is read as the sites of the old one with the new site, or without the one that goes.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import secrets
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import tomlkit

from crawler.sites.reader import choose_sites, parse_sites, read_sites, sites_content, sites_path
from crawler.sites.site import Site
from pipeline.errors import OperatorError
from pipeline.urls import bare_host, canonical_url


def own_sites_file(path: str | os.PathLike[str] | None) -> Path:
    """Return the file to write to. Raises OperatorError for None and for Copydesk's own file."""
    with resources.as_file(resources.files("crawler.sites").joinpath("sites.toml")) as shipped:
        is_shipped = path is not None and Path(path).exists() and os.path.samefile(path, shipped)
    if path is None or is_shipped:
        raise OperatorError(
            "the sites file that comes with Copydesk stays as it is: name one of your own with --sites FILE"
            " (it is made if it is not there)"
        )
    target = Path(path).resolve()  # a symbolic link is not replaced
    if target.exists() and not target.is_file():
        raise OperatorError(f"{path}: is no file; name a sites file with --sites")
    return target


def sites_in_file(path: Path) -> dict[str, Site]:
    """Return the sites of a file; none if the file does not exist yet. Raises OperatorError."""
    return parse_sites(_content(path), str(path))


def require_new_site(homepages: Mapping[str, str], key: str, homepage: str, where: str) -> None:
    """Raise OperatorError if there is a site with that key, or with that homepage in any spelling.

    homepages: of the sites that there are, by key. where: names their place in the message.
    """
    if known := site_with_homepage(homepages, homepage):
        raise OperatorError(f"{where}: {homepage} is there already, as site {known}")
    if key in homepages:
        raise OperatorError(f"{where}: site {key} is there already; choose another key with --key")


def site_with_homepage(homepages: Mapping[str, str], homepage: str) -> str | None:
    """Return the key of the site with that homepage in any spelling; None if there is none."""
    place = _place(homepage)
    return next((key for key, known in homepages.items() if _place(known) == place), None)


def _place(homepage: str) -> tuple[str, str, str]:
    """What all spellings of a homepage share: twins of the host, http and https, a slash at the end."""
    parts = urlsplit(canonical_url(homepage))
    return bare_host(parts.netloc), parts.path.rstrip("/"), parts.query


def site_table_text(key: str, entry: Mapping[str, Any]) -> str:
    """Return a site's table as text for a sites file; a list of several values has one on each line."""
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


def as_sites_file(path: str | os.PathLike[str] | None, keys: Sequence[str]) -> str:
    """Return the tables of these sites (all for none) as a sites file, without the comments of theirs.

    path: as in `read_sites`. Raises OperatorError as that does, and for an unknown key.
    """
    chosen = choose_sites(read_sites(path), keys)
    tables = tomllib.loads(sites_content(sites_path(path)).decode("utf-8-sig")).get("sites", {})
    return "\n".join(site_table_text(site.key, tables[site.key]) for site in chosen)


def as_opml(sites: Iterable[Site]) -> str:
    """Return the feeds of the sites as OPML 2.0, which feed readers import; a site is a folder."""
    opml = ElementTree.Element("opml", version="2.0")
    ElementTree.SubElement(ElementTree.SubElement(opml, "head"), "title").text = "Copydesk"
    body = ElementTree.SubElement(opml, "body")
    for site in sites:
        if site.feeds:
            folder = ElementTree.SubElement(body, "outline", text=site.name, title=site.name)
        for url in site.feeds:
            names = {"type": "rss", "text": site.name, "title": site.name}
            ElementTree.SubElement(folder, "outline", names, xmlUrl=url, htmlUrl=site.homepage)
    ElementTree.indent(opml)
    text = ElementTree.tostring(opml, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def add_sites(path: Path, entries: Mapping[str, Mapping[str, Any]]) -> list[Site]:
    """Write new sites into the file, all in one step; return their records.

    entries: the tables by key. The file is created if it does not exist. Raises OperatorError, and leaves the
    file as it was, where the file cannot be written, has a mistake or has one of the sites already.
    """
    with _alone(path):
        old = new = _content(path)
        known = parse_sites(old, str(path))
        homepages = {site.key: site.homepage for site in known.values()}
        for key, entry in entries.items():
            homepage = str(entry.get("homepage"))
            require_new_site(homepages, key, homepage, str(path))
            homepages[key] = homepage
            table = site_table_text(key, entry)
            known |= _unwritten(table.encode(), path)
            new = _with_table(new, table)
        if _unwritten(new, path) != known:
            raise OperatorError(f"{path}: no site can be added to it; write each as a table [sites.NAME]")
        _replace(path, new)
    return [known[key] for key in entries]


def _unwritten(content: bytes, path: Path) -> dict[str, Site]:
    """The sites of a content that is not written yet."""
    try:
        return parse_sites(content, str(path))
    except OperatorError as error:
        raise OperatorError(f"{error} (nothing was written)") from error


def remove_sites(path: Path, keys: Sequence[str]) -> list[Site]:
    """Take the tables of these sites out of the file; return their records.

    Raises OperatorError, and leaves the file as it was, for a key that it does not have, and where a table
    cannot be taken out alone.
    """
    with _alone(path):
        old = _content(path)
        sites = parse_sites(old, str(path))
        gone = choose_sites(sites, keys)
        left = {key: site for key, site in sites.items() if key not in keys}
        mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
        document = tomlkit.parse(old.removeprefix(mark))
        for site in gone:
            document["sites"].remove(site.key)
        new = mark + tomlkit.dumps(document).encode()
        if parse_sites(new, str(path)) != left:
            raise OperatorError(f"{path}: the tables cannot be taken out alone; delete them with an editor")
        _replace(path, new)
    return gone


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
    """Let only one process at a time add to the file. The lock is on its folder, as the file is replaced."""
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
    """Replace the file's content by a rename; mode and owner stay, as far as we may set them."""
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
