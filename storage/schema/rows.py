"""The rows of the public views as records: the one definition of their columns.

Everything else follows from these records: the documentation of the views (`views`), the columns of a text in
the tables (`tables`), what the writer stores of an article, what the reader returns, the types of an export,
and what reprocessing compares. A column has the name and type of its field, and a `ColumnDoc` beside it.

The columns are a promise to other programs. A column is never renamed, retyped or moved, new ones come last,
and one that must go is announced in the changelog of a release before the one that drops it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any


@dataclass(frozen=True, slots=True)
class ColumnDoc:
    """What the documentation says of a column.

    unit: what a number counts, or how a text is written; "" if the meaning says it.
    null: when the value is null; "never" if it cannot be.
    of_text: each text of an article has its own value. The pipeline makes it as the field of that name of
    `pipeline.document.Article`, and the tables of current and of older texts both store it.
    """

    meaning: str
    example: str
    unit: str = ""
    null: str = "never"
    of_text: bool = False


_SECONDS = "UTC, to the second"
_OLD_PAIR = "stored before this column was added"


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """A row of `articles` and of `unique_articles`."""

    id: Annotated[int, ColumnDoc("the article; the number is never used again", "4711")]
    url: Annotated[
        str,
        ColumnDoc(
            "its URL in canonical form, one article a URL; a file: URL if a local page names none",
            "https://www.example.com/news/ferry",
        ),
    ]
    location: Annotated[
        str,
        ColumnDoc(
            "where the bytes came from: the URL that was fetched, or the path as it was given, with #n for"
            " the n-th record and !name for a member of an archive",
            "pages/ferry.html",
            of_text=True,
        ),
    ]
    publisher: Annotated[
        str | None,
        ColumnDoc(
            "name of the outlet", "Harbour Post", null="the page and its source name none", of_text=True
        ),
    ]
    site: Annotated[
        str,
        ColumnDoc(
            "host of the URL without www.",
            "example.com",
            null="never; for a file: URL the host that the page names, or empty",
        ),
    ]
    title: Annotated[str, ColumnDoc("headline", "Ferry runs again", null="never; may be empty", of_text=True)]
    text: Annotated[
        str,
        ColumnDoc(
            "the story, one line a paragraph, without title, byline, dateline, sign-off and boilerplate",
            "The ferry to Norhaven runs again. ...",
            of_text=True,
        ),
    ]
    authors: Annotated[
        Sequence[str],
        ColumnDoc(
            "array of names, as the page's metadata gives them",
            '["Ada Lind"]',
            null="never; may be []",
            of_text=True,
        ),
    ]
    byline: Annotated[
        str | None,
        ColumnDoc(
            "the names in the byline, as printed", "Ada Lind", null="no byline was printed", of_text=True
        ),
    ]
    dateline: Annotated[
        str | None,
        ColumnDoc(
            "place and date as printed", "NORHAVEN, March 1", null="no dateline was printed", of_text=True
        ),
    ]
    agency: Annotated[
        str | None,
        ColumnDoc(
            "the news agency that is credited by the text, else by the authors, else whose own site it is on",
            "Reuters",
            null="none is credited",
            of_text=True,
        ),
    ]
    published_at: Annotated[
        datetime | None,
        ColumnDoc(
            "when the page says it was published; never after it was fetched",
            "2026-03-01T09:30:00Z",
            _SECONDS,
            "the page gives no date",
            of_text=True,
        ),
    ]
    language: Annotated[
        str | None,
        ColumnDoc("language of the text", "en", "ISO 639-1", "the text is too short to tell", of_text=True),
    ]
    group_id: Annotated[int, ColumnDoc("its group of copies: the smallest id in the group", "4698")]
    is_canonical: Annotated[bool, ColumnDoc("whether it is the canonical copy of its group", "1")]
    word_count: Annotated[int, ColumnDoc("length of the text", "412", "words", of_text=True)]
    access: Annotated[str, ColumnDoc("free, or paywalled if the page itself says so", "free", of_text=True)]
    first_seen_at: Annotated[datetime, ColumnDoc("first fetch of this URL", "2026-03-01T10:00:00Z", _SECONDS)]
    updated_at: Annotated[
        datetime,
        ColumnDoc(
            "the latest fetch that brought a text not seen at this URL before",
            "2026-03-01T14:00:00Z",
            _SECONDS,
        ),
    ]
    revision: Annotated[int, ColumnDoc("how many distinct texts were seen at this URL", "2", "texts")]
    gone_at: Annotated[
        datetime | None,
        ColumnDoc(
            "when its site was found not to have it any more (404 or 410); the article is kept",
            "2026-03-03T10:00:00Z",
            _SECONDS,
            "it is there, as far as is known",
        ),
    ]
    published_offset: Annotated[
        int | None,
        ColumnDoc(
            "the time zone that the page states for published_at, as its offset from UTC; 0 if it says UTC",
            "-300",
            "minutes east of UTC",
            "the page names no zone, or gives no date",
            of_text=True,
        ),
    ]
    description: Annotated[
        str | None,
        ColumnDoc(
            "the page's own summary of the article, on one line; at most 1,000 characters",
            "The ferry to Norhaven runs again after two weeks.",
            null="the page gives none of its own",
            of_text=True,
        ),
    ]
    section: Annotated[
        str | None,
        ColumnDoc(
            "the part of the outlet that it stands in, as the page states it or its breadcrumbs show; at most"
            " 100 characters",
            "Politics",
            null="the page names none",
            of_text=True,
        ),
    ]
    keywords: Annotated[
        Sequence[str] | None,
        ColumnDoc(
            "array of the keywords that the page names for readers, search engines or news search; at most 50"
            " of at most 100 characters",
            '["ferry", "Norhaven"]',
            null="the page names none",
            of_text=True,
        ),
    ]
    image_url: Annotated[
        str | None,
        ColumnDoc(
            "address of its main image as the page states it, an absolute http(s) URL of at most 2,000"
            " characters; the image is never fetched",
            "https://www.example.com/images/ferry.jpg",
            null="the page states none",
            of_text=True,
        ),
    ]
    rights: Annotated[
        Sequence[Mapping[str, Any]] | None,
        ColumnDoc(
            "array of objects: each statement of the page, its server or its site on the rights to it. name"
            " (tdm-reservation, tdm-policy, robots, content-usage, content-signal, license, license-permits,"
            " license-prohibits), value, source (header, meta, link, script, robots.txt, tdmrep.json), agent"
            " (the crawler that it is addressed to; null for all), reserved (true: it reserves the text or a"
            " use of it by machines; false: it says that it does not; null: neither)",
            '[{"name":"tdm-reservation","value":"1","source":"header","agent":null,"reserved":true}]',
            null="nothing was said, or the page was stored before this column",
            of_text=True,
        ),
    ]
    site_key: Annotated[
        str | None,
        ColumnDoc(
            "the key in the sites file of the site that the article is on, as site_runs has it in site",
            "gazette",
            null="the sites file of the run names no such site",
        ),
    ]


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """A row of `revisions`. A column without words of its own is that of `articles`, for this text.

    These are all columns of a text, in the order of `StoredArticle`; a test holds the two together.
    """

    article_id: Annotated[int, ColumnDoc("the article", "4711")]
    revision: Annotated[
        int,
        ColumnDoc(
            "its number among the texts of the article, from 1, in the order in which they were first seen",
            "2",
        ),
    ]
    is_current: Annotated[bool, ColumnDoc("whether it is the text that articles shows", "1")]
    seen_at: Annotated[
        datetime, ColumnDoc("the first fetch that gave this text", "2026-03-01T14:00:00Z", _SECONDS)
    ]
    location: str
    publisher: str | None
    title: str
    text: str
    authors: Sequence[str]
    byline: str | None
    dateline: str | None
    agency: str | None
    published_at: datetime | None
    language: str | None
    word_count: int
    access: str
    published_offset: int | None
    description: str | None
    section: str | None
    keywords: Sequence[str] | None
    image_url: str | None
    rights: Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class StoryGroup:
    """A row of `story_groups`."""

    id: Annotated[int, ColumnDoc("the group: the smallest article id in it", "4698")]
    size: Annotated[int, ColumnDoc("how many articles it has", "7", "articles")]
    sites: Annotated[int, ColumnDoc("how many different sites carry them", "6", "sites")]
    agency: Annotated[
        str | None,
        ColumnDoc(
            "the agency that copies on most sites credit; of several, the one of the canonical copy",
            "Reuters",
            null="no copy credits one, or as many sites credit one agency as another",
        ),
    ]
    first_published_at: Annotated[
        datetime | None,
        ColumnDoc("earliest published_at in it", "2026-03-01T09:30:00Z", _SECONDS, "no copy has a date"),
    ]
    canonical_article_id: Annotated[int, ColumnDoc("its canonical copy", "4711")]


@dataclass(frozen=True, slots=True)
class Copy:
    """A row of `copies`: article_id < other_id."""

    article_id: Annotated[int, ColumnDoc("the article with the smaller id", "4698")]
    other_id: Annotated[int, ColumnDoc("the article with the greater id", "4711")]
    kind: Annotated[
        str,
        ColumnDoc(
            "exact (the same words), near (most of both) or partial (one holds most of the other)", "partial"
        ),
    ]
    jaccard: Annotated[float, ColumnDoc("shared shingles over all shingles of the two", "0.14", "0 to 1")]
    containment: Annotated[float, ColumnDoc("shared shingles over those of the shorter", "0.99", "0 to 1")]
    article_from: Annotated[
        int | None,
        ColumnDoc(
            "where the passage that both share begins in the article with the smaller id",
            "0",
            "words before it",
            _OLD_PAIR,
        ),
    ]
    article_to: Annotated[
        int | None, ColumnDoc("where it ends there", "410", "words up to its end", _OLD_PAIR)
    ]
    other_from: Annotated[
        int | None, ColumnDoc("where it begins in the other article", "212", "words before it", _OLD_PAIR)
    ]
    other_to: Annotated[int | None, ColumnDoc("where it ends there", "624", "words up to its end", _OLD_PAIR)]
    joins: Annotated[
        bool,
        ColumnDoc(
            "whether the pair joins a group; it does not if one of the two holds several stories and belongs"
            " to the group of another one",
            "1",
        ),
    ]


@dataclass(frozen=True, slots=True)
class RemovedLine:
    """A row of `removed_text`."""

    article_id: Annotated[int, ColumnDoc("the article", "4711")]
    position: Annotated[
        int,
        ColumnDoc("how many lines of the clean text stand before it; several may share one", "12", "lines"),
    ]
    rule: Annotated[str, ColumnDoc("the rule that removed it", "phrase.en.register-now")]
    text: Annotated[str, ColumnDoc("the text that was removed", "Register now for free")]


@dataclass(frozen=True, slots=True)
class StoredRejection:
    """A row of `rejections`."""

    location: Annotated[str, ColumnDoc("as in articles", "pages/broken.html")]
    url: Annotated[
        str | None, ColumnDoc("URL of the document", "https://example.com/x", null="the source names none")
    ]
    stage: Annotated[str, ColumnDoc("source, extract, clean, worker or store", "extract")]
    reason: Annotated[str, ColumnDoc("one of pipeline.document.Reason", "no article")]
    detail: Annotated[str, ColumnDoc("what was found", "only a list of links", null="never; may be empty")]
    run_id: Annotated[int, ColumnDoc("the run that recorded it", "3")]
    at: Annotated[datetime, ColumnDoc("fetch of the document", "2026-03-01T10:00:00Z", _SECONDS)]


@dataclass(frozen=True, slots=True)
class Change:
    """A row of `changes`."""

    change: Annotated[
        int,
        ColumnDoc(
            "number of the change: later ones are greater, also across programs that write at the same time",
            "5120",
        ),
    ]
    article_id: Annotated[int, ColumnDoc("the article", "4711")]
    kind: Annotated[
        str,
        ColumnDoc(
            "stored (it is new, or what articles or removed_text show of it changed, its group included)"
            " or gone (taken out of this database)",
            "stored",
        ),
    ]
    url: Annotated[
        str | None,
        ColumnDoc(
            "URL of an article that is gone", "https://www.example.com/news/ferry", null="it is stored"
        ),
    ]
    at: Annotated[
        datetime,
        ColumnDoc(
            "when the change was written; for changes older than this view, when the view was added",
            "2026-03-01T14:00:07Z",
            _SECONDS,
        ),
    ]


@dataclass(frozen=True, slots=True)
class RunRow:
    """A row of `runs`; finished_at is None while it runs, and for good if it was killed."""

    id: Annotated[int, ColumnDoc("the run", "3")]
    command: Annotated[str, ColumnDoc("the command as given", "ingest pages")]
    started_at: Annotated[datetime, ColumnDoc("start", "2026-03-01T10:00:00Z", _SECONDS)]
    finished_at: Annotated[
        datetime | None, ColumnDoc("end", "2026-03-01T10:02:11Z", _SECONDS, "still running, or killed")
    ]
    seen: Annotated[int, ColumnDoc("documents that came to an end", "120", "documents")]
    stored: Annotated[int, ColumnDoc("new articles", "80", "documents")]
    revised: Annotated[int, ColumnDoc("known articles with a new text", "4", "documents")]
    updated: Annotated[
        int,
        ColumnDoc(
            "known bytes of which different rules or different source data made a different article",
            "0",
            "documents",
        ),
    ]
    unchanged: Annotated[int, ColumnDoc("documents that brought nothing new", "30", "documents")]
    rejected: Annotated[int, ColumnDoc("documents that are not an article", "6", "documents")]
    grouped: Annotated[
        int, ColumnDoc("of those stored, revised or updated, how many have a copy", "41", "documents")
    ]
    reasons: Annotated[
        Mapping[str, int],
        ColumnDoc(
            "object: rejected documents by reason", '{"no article":6}', "documents", "never; may be {}"
        ),
    ]


@dataclass(frozen=True, slots=True)
class SiteRun:
    """A row of `site_runs`. alerts: None if the run was not judged."""

    run_id: Annotated[int, ColumnDoc("the run", "3")]
    site: Annotated[
        str,
        ColumnDoc(
            "key of the site in sites.toml; for a spider that names no site the host, without www.", "gazette"
        ),
    ]
    started_at: Annotated[datetime, ColumnDoc("start of the run", "2026-03-01T10:00:00Z", _SECONDS)]
    ended: Annotated[
        str | None,
        ColumnDoc(
            "how the crawl ended: finished, shutdown (by a signal), or another reason of Scrapy's; only"
            " finished crawls are judged",
            "finished",
            null="still running, killed, or ended because the database could not be used",
        ),
    ]
    discovered: Annotated[
        int,
        ColumnDoc("URLs of articles that its sources named, known ones included", "30", "URLs"),
    ]
    fetched: Annotated[int, ColumnDoc("pages of articles that were fetched", "12", "pages")]
    not_modified: Annotated[int, ColumnDoc("sources that answered 304, unchanged", "2", "sources")]
    revisited: Annotated[int, ColumnDoc("stored articles that were requested again", "4", "pages")]
    gone: Annotated[int, ColumnDoc("stored articles that were found to be gone", "0", "articles")]
    stored: Annotated[int, ColumnDoc("new articles", "10", "documents")]
    revised: Annotated[int, ColumnDoc("known articles with a new text", "1", "documents")]
    updated: Annotated[int, ColumnDoc("as in runs", "0", "documents")]
    unchanged: Annotated[int, ColumnDoc("documents that brought nothing new", "0", "documents")]
    rejected: Annotated[int, ColumnDoc("documents that are not an article", "3", "documents")]
    reasons: Annotated[
        Mapping[str, int],
        ColumnDoc(
            "object: rejected documents by reason",
            '{"error page":2,"no article":1}',
            "documents",
            "never; may be {}",
        ),
    ]
    words: Annotated[
        float | None,
        ColumnDoc("median length of the articles stored or revised", "412.5", "words", "there were none"),
    ]
    without_date: Annotated[
        int, ColumnDoc("of those stored or revised, how many have no date", "1", "documents")
    ]
    without_author: Annotated[
        int,
        ColumnDoc("of those stored or revised, how many have neither authors nor a byline", "4", "documents"),
    ]
    bytes: Annotated[
        int,
        ColumnDoc(
            "size of the response bodies as they were sent, repeated and broken ones included, robots.txt"
            " and tdmrep.json excluded",
            "812345",
            "bytes",
        ),
    ]
    seconds: Annotated[
        float,
        ColumnDoc("from the first request to the site to the last result of one", "48.2", "seconds"),
    ]
    sources: Annotated[int, ColumnDoc("feeds, sitemaps and sections that were read", "2", "sources")]
    sources_failed: Annotated[
        int,
        ColumnDoc("feeds, sitemaps and sections that could not be fetched or read", "0", "sources"),
    ]
    put_off: Annotated[
        int,
        ColumnDoc(
            "requests for articles that were left for the next crawl (budgets, failing hosts)",
            "0",
            "requests",
        ),
    ]
    alerts: Annotated[
        Sequence[Mapping[str, Any]] | None,
        ColumnDoc(
            "array of objects: what was unusual for the site (figure, was, now, message)",
            '[{"figure":"words","was":410.0,"now":61.0,"message":"61 words, 410 before"}]',
            null="not judged: the crawl did not finish, or is older than this view",
        ),
    ] = None

    @property
    def texts(self) -> int:
        """Articles stored or revised: those that `words`, `without_date` and `without_author` are about."""
        return self.stored + self.revised
