"""Finds what a backfill reads: files, folders, patterns, URLs that fsspec opens, and listings of these.

What is found is cut into parts, in its order. A part is one large file, or several small ones in a row, and
is processed by one task. Parts and their order are the same whenever the same files are found.
"""

from __future__ import annotations

import glob
import gzip
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from crawler.files import InputFile, find_files
from pipeline.document import Reason, Rejection
from pipeline.errors import OperatorError
from pipeline.settings import Settings

# Files of a part, unless the first of them is larger alone.
PART_FILES = 1_000
PART_BYTES = 64 << 20
# Most bytes of a listing, unpacked: a million lines.
_LISTING_BYTES = 256 << 20
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]++://")
_LISTING = re.compile(r"\.paths(\.gz|\.txt)?$")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file behind a URL that fsspec opens.

    size: in bytes, None if the other side does not say. changed_at: aware, UTC; when it was changed, or when
    it was found if that is not known. tag: changes with the file; "" if the other side gives none. is_listed:
    named by a listing, so that nobody looked whether it exists.
    """

    url: str
    size: int | None
    changed_at: datetime
    now: datetime
    tag: str = ""
    is_listed: bool = False

    def local(self, source: str, size: int) -> InputFile:
        """The file as it is read from a copy on this machine. Its location is its URL."""
        return InputFile(self.url, self.url, self.changed_at, size, self.now, source)

    def rejection(self, reason: Reason, detail: str, settings: Settings) -> Rejection:
        """The end of a file that cannot be fetched."""
        return self.local("", 0).position(settings).rejection(reason, detail)


Found = InputFile | RemoteFile | Rejection


@dataclass(frozen=True, slots=True)
class Part:
    """What one task processes. number: its place, from 0. files: in their order, at least one."""

    number: int
    files: tuple[Found, ...]

    @property
    def size(self) -> int:
        """Bytes of its files, as far as they are known."""
        return sum(_size(file) for file in self.files)


def find_parts(
    inputs: Sequence[str], settings: Settings, *, prefix: str = "", is_listing: bool = False
) -> list[Part]:
    """The parts of all inputs, in the order given; those of folders and patterns in the order of names.

    Each file is read once, however often it is named. prefix: what stands before the names of a listing.
    is_listing: all inputs are listings, whatever they are called; else `*.paths` and `*.paths.gz` are.
    Raises OperatorError where an input does not exist, and where there is nothing to read.
    """
    now = datetime.now(UTC)
    seen: set[str] = set()
    files = []
    for text in inputs:
        for file in _of_input(text, settings, now, prefix, is_listing):
            name = name_of(file)
            if name not in seen:
                seen.add(name)
                files.append(file)
    if not files:
        raise OperatorError(f"{', '.join(inputs)}: nothing to read")
    return [Part(number, tuple(group)) for number, group in enumerate(_grouped(files))]


def is_url(text: str) -> bool:
    """Whether an input is a URL, and not a path."""
    return _URL.match(text) is not None


def name_of(file: Found) -> str:
    """The path of a file as it was given or found, or its URL."""
    if isinstance(file, InputFile):
        return file.path
    return file.url if isinstance(file, RemoteFile) else file.location


def state_of(file: Found) -> str:
    """What changes with the content of a file: its size, and when it was changed."""
    if isinstance(file, Rejection):
        return file.detail
    if isinstance(file, RemoteFile):
        return f"{file.size} {file.tag}"
    return f"{file.size} {file.fetched_at.isoformat() if file.fetched_at != file.now else ''}"


def _of_input(text: str, settings: Settings, now: datetime, prefix: str, is_listing: bool) -> Iterator[Found]:
    if text == "-":
        raise OperatorError("standard input cannot be read a second time: write it to a file")
    if is_listing or _LISTING.search(urlsplit(text).path if is_url(text) else text):
        for name in _names_in(text):
            yield from _listed(_joined(prefix, name), settings, now, text, prefix)
    elif is_url(text) and not text.lower().startswith("file:"):
        yield from _remote(text, now)
    else:
        yield from _local(unquote(urlsplit(text).path) if is_url(text) else text, settings, now)


def _local(path: str, settings: Settings, now: datetime) -> Iterator[Found]:
    paths = [path]
    if not os.path.lexists(path) and glob.has_magic(path):
        paths = sorted(glob.glob(path, recursive=True), key=os.fsencode)
        if not paths:
            raise OperatorError(f"{path}: no file matches")
    for file in find_files(paths, settings):
        if isinstance(file, Rejection):
            yield file
        elif file.size is None:
            raise OperatorError(f"{file.path}: a pipe cannot be read a second time: write it to a file")
        else:
            # All files are found at one moment, and executors have another working folder.
            at = now if file.fetched_at == file.now else file.fetched_at
            yield replace(file, fetched_at=at, now=now, source=os.path.abspath(file.path))


def _listed(name: str, settings: Settings, now: datetime, listing: str, prefix: str) -> Iterator[Found]:
    if is_url(name) and not name.lower().startswith("file:"):
        yield RemoteFile(name, None, now, now, is_listed=True)
        return
    try:
        yield from _local(unquote(urlsplit(name).path) if is_url(name) else name, settings, now)
    except OperatorError as error:
        advice = "" if prefix else "; --prefix names what stands before the names of a listing"
        raise OperatorError(f"{error} (named in {listing}{advice})") from error


def _joined(prefix: str, name: str) -> str:
    if not prefix or is_url(name) or os.path.isabs(name):
        return name
    return f"{prefix.rstrip('/')}/{name}"


def _names_in(listing: str) -> list[str]:
    """The lines of a listing, without blank ones."""
    with reporting(listing):
        if is_url(listing):
            with file_system(listing).open(listing, "rb") as file:
                data = file.read(_LISTING_BYTES + 1)
        else:
            with open(listing, "rb") as file:
                data = file.read(_LISTING_BYTES + 1)
        if data.startswith(b"\x1f\x8b"):
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(_LISTING_BYTES + 1)
    if len(data) > _LISTING_BYTES:
        raise OperatorError(f"{listing}: a listing of more than {_LISTING_BYTES >> 20} MB")
    try:
        names = [line.strip() for line in data.decode().splitlines()]
    except UnicodeDecodeError as error:
        raise OperatorError(f"{listing}: not a listing, it is no text") from error
    return [name for name in names if name]


def _remote(url: str, now: datetime) -> Iterator[Found]:
    fs = file_system(url)
    is_web = url.lower().startswith(("http://", "https://"))
    with reporting(url):
        if "*" in url or (not is_web and glob.has_magic(url)):
            found = fs.glob(url)
            if not found:
                raise OperatorError(f"{url}: no file matches")
        elif not is_web and fs.isdir(url):
            found = [name for name in fs.find(url) if not _is_hidden(name, fs._strip_protocol(url))]
        else:
            yield _remote_file(url, fs.info(url), now)
            return
        for name in sorted(found):
            yield _remote_file(fs.unstrip_protocol(name), fs.info(name), now)


def _is_hidden(name: str, folder: str) -> bool:
    """As in folders of this machine: names that begin with a dot are not read."""
    return any(part.startswith(".") for part in name.removeprefix(folder).split("/"))


def _remote_file(url: str, info: dict[str, Any], now: datetime) -> RemoteFile:
    changed = next(
        (info[key] for key in ("LastModified", "mtime", "modified", "created") if key in info), None
    )
    if isinstance(changed, int | float):
        changed = datetime.fromtimestamp(changed, UTC)
    if not isinstance(changed, datetime):
        changed = None
    elif changed.tzinfo is None:
        changed = changed.replace(tzinfo=UTC)
    size = info.get("size")
    tag = str(info.get("ETag") or (changed or ""))
    at = changed.astimezone(UTC) if changed is not None and changed <= now else now
    return RemoteFile(url, size if isinstance(size, int) else None, at, now, tag)


def file_system(url: str) -> Any:
    """The fsspec file system of a URL. Raises OperatorError if a package is missing for it."""
    try:
        import fsspec

        return fsspec.core.url_to_fs(url)[0]
    except ImportError as error:
        raise OperatorError(f"{url}: {error}") from error
    except ValueError as error:  # an unknown protocol
        raise OperatorError(f"{url}: {error}") from error


@contextmanager
def reporting(name: str) -> Iterator[None]:
    """Raises OperatorError, one line with the name, for what goes wrong with a file."""
    try:
        yield
    except OperatorError:
        raise
    except Exception as error:  # each file system has its own
        if is_missing(error):
            raise OperatorError(f"{name}: no such file or folder") from error
        if isinstance(error, FileNotFoundError) and error.__cause__ is not None:
            error = cast(Exception, error.__cause__)
        said = " ".join(str(error).split()) or type(error).__name__
        raise OperatorError(f"{name}: {said}") from error


def is_missing(error: Exception) -> bool:
    """Whether an error says that a file does not exist.

    fsspec raises FileNotFoundError for every answer of a web server that is no success; its cause has the
    status.
    """
    if not isinstance(error, FileNotFoundError):
        return False
    status = getattr(error.__cause__, "status", None)
    return error.__cause__ is None or status in (None, 404, 410)


def _size(file: Found) -> int:
    return 0 if isinstance(file, Rejection) else file.size or 0


def _grouped(files: Iterable[Found]) -> Iterator[list[Found]]:
    """Files in a row that make up a part each. A listed file, whose size is not known, is one alone."""
    group: list[Found] = []
    size = 0
    for file in files:
        own = PART_BYTES if isinstance(file, RemoteFile) and file.size is None else _size(file)
        if group and (len(group) >= PART_FILES or size + own > PART_BYTES):
            yield group
            group, size = [], 0
        group.append(file)
        size += own
    yield group
