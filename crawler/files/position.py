"""The position of a document within a file: its location and URL, its time, and rejections for it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote

from crawler.files.unpack import Unpacked
from pipeline.document import Document, Reason, Rejection, Stage
from pipeline.settings import Settings

# What a file gives for each thing in it.
DocumentOrRejection = Document | Rejection

# Most characters of a URL. Python normalises the host of one (urlsplit), in the square of its length.
MAX_URL = 2_000

# Bytes that are read at once where they are only skipped.
SKIP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FilePosition:
    """A position within a file, e.g. record 3 of a member of an archive.

    path: of the file as it was given; "-" for standard input. url_base: the file's URL. name: of the file or
    member, for its suffix. fetched_at: aware, UTC; when the bytes were fetched, if the file says so.
    now: when the run began. inner: what follows the file's path in the location, e.g. `!member#3`. streams:
    the compressed streams that the bytes come through, outermost first. archive_depth: how many archives the
    position is in.
    """

    path: str
    url_base: str
    name: str
    fetched_at: datetime
    now: datetime
    settings: Settings
    inner: str = ""
    streams: tuple[Unpacked, ...] = ()
    archive_depth: int = 0

    @property
    def location(self) -> str:
        return printable(self.path + self.inner)

    @property
    def url(self) -> str:
        return self.url_of(self.inner)

    def url_of(self, inner: str) -> str:
        """Return the URL of another position in the same file."""
        inner = inner.removeprefix("#")
        return f"{self.url_base}#{quoted_path(inner)}" if inner else self.url_base

    @property
    def fault(self) -> str | None:
        """Why a compressed stream ended too early; None if none did so far."""
        return next((unpacked.fault for unpacked in self.streams if unpacked.fault), None)

    def record(self, number: int) -> FilePosition:
        return replace(self, inner=f"{self.inner}#{number}")

    def member(self, name: str, modified: float | None) -> FilePosition:
        return replace(
            self,
            inner=f"{self.inner}!{name}",
            name=name,
            fetched_at=self.fetched_at if modified is None else plausible_time(modified, self.now),
            streams=(),  # these belong to the archive: a member that was read whole is whole
            archive_depth=self.archive_depth + 1,
        )

    def rejection(self, reason: Reason, detail: str) -> Rejection:
        return Rejection(
            location=self.location,
            url=self.url,
            stage=Stage.SOURCE,
            reason=reason,
            detail=printable(detail)[:500],
            at=self.fetched_at,
            rules_version=self.settings.rules_version,
        )

    def long_url(self, what: str) -> Rejection:
        return self.rejection(Reason.MALFORMED_RECORD, f"{what}: the URL is longer than {MAX_URL} characters")

    def too_large(self, what: str) -> Rejection:
        limit = self.settings.max_body_bytes
        return self.rejection(Reason.TOO_LARGE, f"{what} is longer than {limit} bytes (max_body_bytes)")


def standard_input(settings: Settings, now: datetime) -> FilePosition:
    return FilePosition("-", "file:///dev/stdin", "-", now, now, settings)


_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def plausible_time(timestamp: float, now: datetime) -> datetime:
    """Return the time in UTC; `now` for a time before the web or in the future."""
    try:
        time = datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return time if _EARLIEST <= time <= now else now


def quoted_path(text: str) -> str:
    """Return a path as part of a URL; bytes that are no UTF-8 are quoted as well."""
    quoted: str = quote(os.fsencode(text), safe="/!:@,;=~+")
    return quoted


def printable(text: str) -> str:
    """Return a file name as text that can be stored: invalid UTF-8 and NUL become backslash escapes."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def valid_text(text: str) -> str:
    """Return the text without NUL; surrogate pairs (JSON escapes) are joined, single surrogates replaced."""
    text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
