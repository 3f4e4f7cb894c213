"""The state of a batch while it is settled: what the database has, and what it will have.

`load` makes it, `settle` changes it in memory, `flush` writes the difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.copies import ArticleCopy
from pipeline.document import Fingerprint, PageBytes, Removed, SearchWords

DocumentKey = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class TextRevision:
    """One text of one article. columns: `schema.TEXT_COLUMNS` except for page_id.

    page: bytes that are not stored yet; otherwise they are the page `page_id`, None once pruned.
    search_words: None for a text that is stored already.
    """

    columns: Mapping[str, Any]
    removed: tuple[Removed, ...]
    fingerprint: Fingerprint | None
    page_id: int | None
    page: PageBytes | None = None
    search_words: SearchWords | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A row of `document`."""

    location: str
    digest: bytes
    fetched_us: int
    article_id: int
    text_hash: bytes
    rules_version: str
    alias: str | None


@dataclass(slots=True)
class PendingArticle:
    """An article while a batch is settled. stored: its texts in the database; texts: those it will have."""

    id: int
    url: str
    site: str
    first_seen_at: datetime
    row: Mapping[str, Any] | None = None
    stored: dict[bytes, TextRevision] = field(default_factory=dict)
    texts: dict[bytes, TextRevision] = field(default_factory=dict)
    gone_at: datetime | None = None

    @property
    def current(self) -> TextRevision:
        if len(self.texts) == 1:
            return next(iter(self.texts.values()))
        return max(self.texts.values(), key=lambda t: (t.columns["fetched_us"], t.columns["text_hash"]))


@dataclass(slots=True)
class PendingBatch:
    """All that a batch of outcomes can change, by key. stored_…: what the database has.

    next_article, next_page: the next ids to assign. ids: articles by URL. rejected_pages: bytes of new
    rejections by location. counts: documents by end. reasons: rejections by reason. touched: changed ids.
    news: texts that documents brought which were not known before, by article.
    """

    next_article: int
    next_page: int
    articles: dict[int, PendingArticle] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    documents: dict[DocumentKey, DocumentRow] = field(default_factory=dict)
    stored_documents: dict[DocumentKey, DocumentRow] = field(default_factory=dict)
    rejections: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored_rejections: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected_pages: dict[str, PageBytes] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    touched: set[int] = field(default_factory=set)
    news: dict[int, set[bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IndexedStory:
    """A story as the near-duplicate index needs it."""

    story: ArticleCopy
    fingerprint: Fingerprint | None
    syndicated_from: str | None
    text_hash: bytes


@dataclass(frozen=True, slots=True)
class IndexChanges:
    """left: articles whose old story leaves the index. entered: new and changed stories, by id."""

    left: tuple[int, ...]
    entered: tuple[IndexedStory, ...]
