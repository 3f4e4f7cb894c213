"""Finds the files to be read among the paths that are given, and opens them."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote_from_bytes

from crawler.files.archives import is_hidden
from crawler.files.position import FilePosition, plausible_time, printable
from pipeline.document import Reason, Rejection
from pipeline.errors import OperatorError
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to be read.

    path: as it was given or found, "-" for standard input. url: of the file. fetched_at: aware, UTC; when the
    file was changed. size: in bytes; None for a pipe and for standard input, which end when their other side
    says so. now: when the run began. source: where it is opened, if it is named differently than it lies.
    """

    path: str
    url: str
    fetched_at: datetime
    size: int | None
    now: datetime
    source: str | None = None

    def position(self, settings: Settings) -> FilePosition:
        """The position of the file as a whole."""
        name = os.path.basename(self.path)
        return FilePosition(self.path, self.url, name, self.fetched_at, self.now, settings)


def find_files(paths: Sequence[str], settings: Settings) -> Iterator[InputFile | Rejection]:
    """Yield the files at the paths, in the order given; those of folders in the order of names.

    Raises OperatorError, before anything is looked for, where a path does not exist.
    """
    for path in paths:
        if path != "-" and not os.path.lexists(path):
            raise OperatorError(f"{printable(path)}: no such file or folder")
    return _find_all(paths, settings, datetime.now(UTC))


def open_file(file: InputFile) -> io.FileIO:
    """Open a file, or the pipe that was given in its place. Raises OSError; `os_error` says it in words."""
    if file.path == "-":
        # A file object of its own: the interpreter closes sys.stdin's buffer while a thread may read it.
        return io.FileIO(sys.stdin.fileno(), closefd=False)
    return io.FileIO(file.source or file.path)


def os_error(error: OSError) -> str:
    """What is wrong with a file that cannot be read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return "the file is gone, or a link to nothing"
    return f"{error.strerror or error}: make the file readable, then run again"


def _find_all(paths: Iterable[str], settings: Settings, now: datetime) -> Iterator[InputFile | Rejection]:
    for path in paths:
        if path == "-":
            yield InputFile("-", "file:///dev/stdin", now, None, now)
        elif os.path.isdir(path):
            yield from _find_in_folder(path, settings, now)
        else:
            yield _file(path, settings, now, is_given=True)


def _find_in_folder(top: str, settings: Settings, now: datetime) -> Iterator[InputFile | Rejection]:
    """Walk a folder in the order of names; each folder once, even if links lead to it again."""
    seen: set[tuple[int, int]] = set()
    found: list[Iterator[str]] = [iter([top])]  # what is left of each open folder, outermost first
    while found:
        path = next(found[-1], None)
        if path is None:
            found.pop()
        elif not os.path.isdir(path):
            yield _file(path, settings, now, is_given=False)
        else:
            try:
                status = os.stat(path)
                if (status.st_dev, status.st_ino) in seen:
                    continue
                seen.add((status.st_dev, status.st_ino))
                with os.scandir(path) as entries:
                    names = [entry.name for entry in entries if not is_hidden(entry.name)]
            except OSError as error:
                position = InputFile(path, _url(path), now, None, now).position(settings)
                yield position.rejection(Reason.UNREADABLE, os_error(error))
            else:
                found.append(_in_order(path, names))


def _in_order(folder: str, names: list[str]) -> Iterator[str]:
    return (os.path.join(folder, name) for name in sorted(names, key=os.fsencode))


def _file(path: str, settings: Settings, now: datetime, *, is_given: bool) -> InputFile | Rejection:
    file = InputFile(path, _url(path), now, None, now)
    try:
        status = os.stat(path)
    except OSError as error:
        return file.position(settings).rejection(Reason.UNREADABLE, os_error(error))
    is_file = stat.S_ISREG(status.st_mode)
    size = status.st_size if is_file else None
    file = InputFile(path, file.url, plausible_time(status.st_mtime, now), size, now)
    # A pipe that is given (`<(zcat …)`) is read; one in a folder would block the run for ever.
    if not is_file and not (is_given and stat.S_ISFIFO(status.st_mode)):
        return file.position(settings).rejection(Reason.UNSUPPORTED, "neither a file nor a folder")
    return file


def _url(path: str) -> str:
    # As `Path.as_uri`, which takes a tenth of reading a small file.
    return f"file://{quote_from_bytes(os.fsencode(os.path.abspath(path)))}"
