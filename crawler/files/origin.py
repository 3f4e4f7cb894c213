"""Where the bytes of a document stand: how it is written, addressed and dated, and how one is turned away."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from crawler.files.unpack import Unpacked
from pipeline.document import Document, Reason, Rejection, Stage
from pipeline.settings import Settings

Item = Document | Rejection

# Bytes that are read at once where they are only passed over.
SKIP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes stand: how it is written (`location`), addressed (`url`), and how old it is.

    inner: what follows the file's path in the location, e.g. `!member#3`.
    faults: the compressed streams that the bytes come through, outermost first.
    """

    path: str
    url_base: str
    name: str
    fetched_at: datetime
    now: datetime
    settings: Settings
    inner: str = ""
    faults: tuple[Unpacked, ...] = ()
    archives: int = 0

    @property
    def location(self) -> str:
        return printable(self.path + self.inner)

    @property
    def url(self) -> str:
        return self.url_of(self.inner)

    def url_of(self, inner: str) -> str:
        """Return the URL of another place in the same file."""
        inner = inner.removeprefix("#")
        return f"{self.url_base}#{quoted(inner)}" if inner else self.url_base

    @property
    def fault(self) -> str | None:
        return next((unpacked.fault for unpacked in self.faults if unpacked.fault), None)

    def record(self, number: int) -> Place:
        return replace(self, inner=f"{self.inner}#{number}")

    def member(self, name: str, modified: float | None) -> Place:
        return replace(
            self,
            inner=f"{self.inner}!{name}",
            name=name,
            fetched_at=self.fetched_at if modified is None else plausible_time(modified, self.now),
            faults=(),  # the archive's own: a member that came through whole is whole
            archives=self.archives + 1,
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

    def too_large(self, what: str) -> Rejection:
        limit = self.settings.max_body_bytes
        return self.rejection(Reason.TOO_LARGE, f"{what} is longer than {limit} bytes (max_body_bytes)")


def is_web(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def plausible_time(timestamp: float, now: datetime) -> datetime:
    """Return the time, or `now` where no page was fetched then: before the web, or in the future."""
    try:
        time = datetime.fromtimestamp(timestamp, UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return time if _EARLIEST <= time <= now else now


def quoted(text: str) -> str:
    quoted: str = quote(os.fsencode(text), safe="/!:@,;=~+")
    return quoted


def printable(text: str) -> str:
    """Return a name as it can be stored: bytes that are no UTF-8, and NUL, as backslash escapes."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def sound(text: str) -> str:
    """Join surrogate pairs (JSON escapes) and replace what remains of them; drop NUL."""
    text = text.replace("\0", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
