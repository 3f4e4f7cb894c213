"""Fetches a remote file to a temporary one, which is then read as any file of this machine."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from crawler.backfill.inputs import Found, RemoteFile, file_system, is_missing, reporting
from crawler.files import InputFile
from pipeline.document import Reason, Rejection
from pipeline.settings import Settings

logger = logging.getLogger(__name__)

# Most bytes of one file: what a disk is asked to hold for each task. WARC files have one GB or so.
MAX_BYTES = 64 << 30
_ATTEMPTS = 4
_PAUSE = 1.0
_PIECE = 4 << 20


class _Missing(Exception):
    """Raised for a file that does not exist."""


class _TooLarge(Exception):
    """Raised for a file of more than the bound."""


@contextmanager
def on_this_machine(
    file: Found, settings: Settings, *, max_bytes: int = MAX_BYTES
) -> Iterator[InputFile | Rejection]:
    """Give the file as it is read here; a remote one is fetched, and deleted in the end.

    A remote file that does not exist, or is larger than max_bytes, is a rejection. What may be temporary is
    tried again; at last OperatorError is raised, so that the part is not taken for finished.
    """
    if not isinstance(file, RemoteFile):
        yield file
        return
    handle, path = tempfile.mkstemp(prefix="copydesk-backfill-")
    os.close(handle)
    try:
        try:
            size = _fetch(file, path, max_bytes)
        except _Missing:
            yield file.rejection(Reason.UNREADABLE, "no such file", settings)
        except _TooLarge:
            yield file.rejection(Reason.TOO_LARGE, f"a file of more than {max_bytes} bytes", settings)
        else:
            yield file.local(path, size)
    finally:
        os.remove(path)


def _fetch(file: RemoteFile, path: str, max_bytes: int) -> int:
    """Copy the file, with some attempts; returns its size."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _copy(file, path, max_bytes)
        except _TooLarge:
            raise
        except Exception as error:
            if is_missing(error):
                raise _Missing from error
            if attempt == _ATTEMPTS:
                with reporting(file.url):
                    raise
            logger.warning("%s: %s; trying again", file.url, " ".join(str(error).split()))
            time.sleep(_PAUSE * 2 ** (attempt - 1))
    raise AssertionError("unreachable")


def _copy(file: RemoteFile, path: str, max_bytes: int) -> int:
    copied = 0
    with file_system(file.url).open(file.url, "rb") as source, open(path, "wb") as target:
        expected = getattr(source, "size", None) or file.size
        while piece := source.read(_PIECE):
            copied += len(piece)
            if copied > max_bytes:
                raise _TooLarge
            target.write(piece)
    if expected is not None and copied != expected:
        raise OSError(f"{copied} of {expected} bytes were received")
    return copied
