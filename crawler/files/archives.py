"""What reading zip and tar has in common: how deep archives are read, and which members are."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import IO, cast

from crawler.files.position import DocumentOrRejection, FilePosition
from crawler.files.unpack import BUFFER_BYTES, Reader
from pipeline.document import Reason, Rejection

# Reads a member, which may have any format that a file has. A parameter, because crawler.files.paths imports
# what reads archives.
ReadStream = Callable[[Reader, FilePosition], Iterator[DocumentOrRejection]]


def is_too_deep(position: FilePosition) -> bool:
    return position.archive_depth > 1


def too_deep(position: FilePosition) -> Rejection:
    return position.rejection(
        Reason.UNSUPPORTED, "an archive inside an archive inside an archive: unpack it first"
    )


def buffered(content: IO[bytes] | io.RawIOBase) -> Reader:
    return io.BufferedReader(cast(io.RawIOBase, content), BUFFER_BYTES)


def is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def is_hidden_member(name: str) -> bool:
    return any(is_hidden(part) and part not in (".", "..") for part in name.split("/"))
