"""The records that are passed between the stages of the pipeline. Standard library only.

Every record is a frozen dataclass with slots. It has values only (no lxml node, no open file, no
connection), so it can be pickled to a worker process, compared, and read by any stage.
A document ends as exactly one `Outcome`: an `Article` or a `Rejection`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class MediaType(StrEnum):
    """The type of a document's bytes, judged by content and not by name."""

    HTML = "text/html"
    TEXT = "text/plain"


class Origin(StrEnum):
    """The kind of source that a document came from."""

    FILE = "file"
    JSONL = "jsonl"
    WARC = "warc"
    CRAWL = "crawl"


class BlockKind(StrEnum):
    """The kind of a block of text, from the element that it was in."""

    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list item"
    QUOTE = "quote"
    CAPTION = "caption"
    TABLE_ROW = "table row"


class Access(StrEnum):
    """Whether the page has the whole story. PAYWALLED is set only if the page itself states it."""

    FREE = "free"
    PAYWALLED = "paywalled"


class Stage(StrEnum):
    """The stage that rejected a document."""

    SOURCE = "source"
    EXTRACT = "extract"
    CLEAN = "clean"
    WORKER = "worker"
    STORE = "store"


class Reason(StrEnum):
    """Why a document was rejected."""

    UNREADABLE = "unreadable"  # the file, archive member or record cannot be read
    MALFORMED_RECORD = "malformed record"  # not a valid JSONL line or WARC record
    UNSUPPORTED = "unsupported type"  # neither HTML nor text: an image, a PDF, a binary
    TOO_LARGE = "too large"
    EMPTY = "empty"
    NO_ARTICLE = "no article"  # a page without an article
    SECTION_FRONT = "section front"
    ERROR_PAGE = "error page"
    CONSENT_WALL = "consent wall"
    LOGIN_PAGE = "login page"
    FORBIDDEN = "forbidden"  # not fetched: robots.txt, the site's host list or the server forbids it
    FORGOTTEN = "forgotten"  # removed by `copydesk forget`, and not stored again
    UNREACHABLE = "unreachable"  # no answer (name, connection, time limit, server error); may be temporary
    TIMEOUT = "timeout"  # the worker's hard time limit
    WORKER_DIED = "worker died"
    QUARANTINED = "quarantined"  # hung or killed its worker twice; not processed until rules or code change
    INTERNAL_ERROR = "internal error"  # an exception in our code while processing
    STORAGE_ERROR = "storage error"

    @property
    def is_fault(self) -> bool:
        """Whether it is a fault of the program and not of the document; a run with one exits with 1."""
        return self in (Reason.INTERNAL_ERROR, Reason.STORAGE_ERROR)


@dataclass(frozen=True, slots=True)
class RightsStatement:
    """What a page, its site or its server says of the rights to it; see `pipeline.metadata.rights`.

    name: tdm-reservation, tdm-policy, robots, content-usage, content-signal, license, license-permits or
        license-prohibits. value: as stated.
    source: header, meta, link, script, robots.txt or tdmrep.json.
    agent: the crawler that it is addressed to; None if it is for all.
    reserved: True if it reserves the text, or some use of it by machines; False if it says that it does not;
        None if it does neither (a licence, a policy, images alone, another crawler), and in claims, where it
        is not judged yet.
    """

    name: str
    value: str
    source: str
    agent: str | None = None
    reserved: bool | None = None


def as_objects(statements: Iterable[RightsStatement]) -> list[dict[str, Any]]:
    """The statements as JSON objects, as they are stored and exported."""
    names = ("name", "value", "source", "agent", "reserved")
    return [{name: getattr(statement, name) for name in names} for statement in statements]


@dataclass(frozen=True, slots=True)
class Claims:
    """Metadata that the source gives with a document's body (JSONL keys, feed entry fields).

    Values are not verified. `published_at` is unparsed text. description, section, keywords, image_url: as in
    `Extraction`, where the page itself says nothing. rights: what response headers and the site say of the
    rights, beside what the page says.
    """

    title: str | None = None
    published_at: str | None = None
    authors: tuple[str, ...] = ()
    language: str | None = None
    description: str | None = None
    section: str | None = None
    keywords: tuple[str, ...] | None = None
    image_url: str | None = None
    rights: tuple[RightsStatement, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """Fetched bytes and where they came from.

    location: the fetched URL, or the path as it was given, with `#n` (1-based) for the n-th
        record of a JSONL or WARC file and `!member` for a member of an archive.
    url: the URL that the document was fetched from; a file: URL if the source gives none.
    body: the bytes as fetched, decompressed, at most `Settings.max_body_bytes` long.
    encoding: the charset that an HTTP header or the source declared, not verified; None if none did.
    fetched_at: aware, UTC. The pipeline's only clock: no publication date is after it.
    publisher: name of the outlet if the source knows it.
    headers: of the response, names and values as received, of a crawl or a WARC file; without cookies.
    """

    location: str
    url: str
    body: bytes
    media_type: MediaType
    fetched_at: datetime
    origin: Origin
    encoding: str | None = None
    publisher: str | None = None
    claims: Claims = field(default_factory=Claims)
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of text of a page, in document order, with the evidence that rules use.

    text: white space folded to single blanks, never empty.
    link_density: share of the characters that are inside links, 0 to 1.
    tokens: lower-case class, id, role and itemprop tokens of the element and of the containers
        around it up to the article's own container.
    tags: names of the element and its ancestors, innermost first.
    """

    kind: BlockKind
    text: str
    link_density: float = 0.0
    tokens: frozenset[str] = frozenset()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Removed:
    """A removed line, and the rule that removed it.

    position: in a stage's result, the index of the extraction's block that had the text; if extraction
        itself removed it, of the block after it. In an article, the number of lines of the clean text
        before it. Several lines may have the same position.
    rule: `family.name`, e.g. `phrase.en.register-now`, `structure.caption`, `wire.dateline`. For a site's own
        rules: `site.KEY.drop` or `site.KEY.clutter`, a blank, and the selector or phrase.
    """

    position: int
    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """Result of extraction for one page: typed blocks and metadata, not cleaned yet.

    blocks: the article region in document order, without the title.
    removed: lines that extraction itself removed from the article region, with their rules.
    published_at: aware, UTC, never after the document's `fetched_at`.
    published_offset: the time zone stated with that date, in minutes east of UTC; 0 for UTC (Z, GMT), None
        if no zone is stated.
    published_source: where that date was found: "json-ld", "meta", "time", "url", "text", "claim".
    canonical_url: the page's own statement (link rel=canonical, else og:url), absolute, not verified.
    is_take_ignored: the elements selected by the site's `take` rules had too little text, so the article
        was searched for in the whole page.
    description, section, keywords, image_url: what the page says besides, bounded as `metadata.summary` says;
        None where it says nothing. image_url: absolute http(s), never fetched.
    rights: statements of the page, its server and its site; None where nothing is said.
    is_without_trafilatura: Trafilatura could not read the page.
    """

    blocks: tuple[Block, ...]
    title: str
    removed: tuple[Removed, ...] = ()
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_source: str | None = None
    language: str | None = None
    canonical_url: str | None = None
    site_name: str | None = None
    access: Access = Access.FREE
    is_take_ignored: bool = False
    published_offset: int | None = None
    description: str | None = None
    section: str | None = None
    keywords: tuple[str, ...] | None = None
    image_url: str | None = None
    rights: tuple[RightsStatement, ...] | None = None
    is_without_trafilatura: bool = False


@dataclass(frozen=True, slots=True)
class PageBytes:
    """The document's bytes as they are stored, so that new rules can run without fetching it again.

    sha256: digest of the uncompressed body, 32 bytes.
    compressed: the body as one zstd frame.
    """

    sha256: bytes
    compressed: bytes
    size: int
    media_type: MediaType
    encoding: str | None
    origin: Origin
    fetched_at: datetime
    url: str
    publisher: str | None
    claims: Claims
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Entry of one article in the near-duplicate index.

    version: names the settings and the permutation scheme. Signatures of different versions are never
        compared.
    signature: MinHash values of the whole text, then of its lead, little-endian uint32.
    bands: band keys, signed 64-bit. The band's number is mixed into its key.
    """

    version: str
    signature: bytes
    bands: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SearchWords:
    """An article's words for full-text search, in lower case and folded, separated by blanks.

    Made by `pipeline.text.search_words`.
    """

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """One revision of one URL, clean, ready to store.

    url: the identity, in canonical form.
    text: paragraphs, separated by one newline, without title, byline, dateline and sign-off.
    site: the URL's host without `www.`; "" for a file: URL.
    syndicated_from: a canonical link to another host: evidence of syndication, never identity.
    published_at, published_offset, description, section, keywords, image_url, rights: as in
        `Extraction`.
    search_words: the words of this title and this text.
    fingerprint: None if the text is excluded from grouping (paywall stubs).
    """

    url: str
    location: str
    publisher: str | None
    site: str
    title: str
    text: str
    authors: tuple[str, ...]
    byline: str | None
    dateline: str | None
    agency: str | None
    published_at: datetime | None
    published_offset: int | None
    published_source: str | None
    language: str | None
    access: Access
    syndicated_from: str | None
    word_count: int
    search_words: SearchWords = field(repr=False)
    removed: tuple[Removed, ...]
    fingerprint: Fingerprint | None = field(repr=False)
    rules_version: str
    page: PageBytes = field(repr=False)
    description: str | None = None
    section: str | None = None
    keywords: tuple[str, ...] | None = None
    image_url: str | None = None
    rights: tuple[RightsStatement, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A document that did not become an article, and why.

    page: the bytes, kept because later rules may accept the document; None if there are no bytes to keep
        (unreadable, too large).
    is_gone: the server answered that the page does not exist (404, 410), so an earlier article is gone.
    """

    location: str
    url: str | None
    stage: Stage
    reason: Reason
    detail: str
    at: datetime
    rules_version: str
    page: PageBytes | None = None
    is_gone: bool = False


Outcome = Article | Rejection


def has_cost_worker(outcome: Outcome) -> bool:
    """Whether the document hung or killed its worker."""
    return (
        isinstance(outcome, Rejection)
        and outcome.stage is Stage.WORKER
        and outcome.reason in (Reason.TIMEOUT, Reason.WORKER_DIED)
    )


class DocumentRejected(Exception):
    """Raised by a stage that rejects a document, and caught by `pipeline.process`.

    `copydesk.extract` raises it for its caller.
    """

    def __init__(self, stage: Stage, reason: Reason, detail: str) -> None:
        super().__init__(f"{stage}: {reason}: {detail}")
        self.stage = stage
        self.reason = reason
        self.detail = detail
