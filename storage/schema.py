"""Tables, the public views, and the documentation of the views as data.

Other tools read the views, whose columns are a promise: a column is never renamed, retyped or moved, new
ones come last, and one that must go is announced in the Changes of a release before the one that drops
it. The tables behind them are private and change by migration. `VIEWS` is the documentation: docs/ and
`copydesk schema` print it, and the tests hold both databases to it.

What the tables are for, one article being one URL:

    article     the current text of each URL, its group, and whether it is the group's canonical copy
    revision    the other texts that were seen at that URL, complete, so that any of them can be current again
    document    which bytes at which location gave which text by which rules: what `known` means
    rejection   the present end of each location that did not end as an article
    page        the bytes of every text and rejection, compressed, and all else that their Document had
    removal     what was taken out of the current text
    signature   one near-duplicate index entry an article: MinHash values, its band keys, its place in time
    band        the index itself, clustered by key and then by time
    pair        every verified pair of copies, with its evidence
    search_entry  what full-text search has of each article; its words are in `search_words` (see `search`)
    change      the number of the last change of every article, there or gone; kept by triggers on `article`
    tombstone   URLs and sites that were forgotten, and are not stored again
    site_run    what a crawl did at one site: what its health is judged by
    fetch_state what the crawler's sources were last served with, and which further sources they name
    revisit     young articles that are to be asked for again, and when
    sight_block, sighting, learned_line  lines of articles, and which of them a site prints under any story:
                see `learning`
    run, counter, sketch   runs; ids given out; fingerprint versions
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time to the second: timestamptz on PostgreSQL, `2026-03-01T10:00:00Z` on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return to_second(value) if dialect.name == "postgresql" else utc_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        result: datetime = value.astimezone(UTC)
        return result


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Json(TypeDecorator[Any]):
    """A JSON value: jsonb on PostgreSQL; text on SQLite, compact and with its letters unescaped."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB())
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return "[]" if value == [] else _compact(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return json.loads(value) if isinstance(value, str) and dialect.name != "postgresql" else value


def to_second(time: datetime) -> datetime:
    """The time in UTC with its fraction of a second cut off, as every stored time is."""
    if time.tzinfo is UTC:  # nearly always, and a batch has some thousand times
        return time if time.microsecond == 0 else time.replace(microsecond=0)
    return time.astimezone(UTC).replace(microsecond=0)


@lru_cache(maxsize=4096)  # a batch says few times many times over
def utc_text(time: datetime) -> str:
    """ISO 8601 ending in Z, as the views of a SQLite database show times."""
    return to_second(time).isoformat()[: -len("+00:00")] + "Z"


metadata = MetaData()

# Ids are given out by the writer, inside its transaction, from these rows: no gaps after a crash, and none
# is used twice. The row BASE_ID is none of them: it tells this base from every other one.
BASE_ID = "base"
counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)


def _text_columns(*, key: bool = False) -> list[Column[Any]]:
    """What one text of one URL consists of; the same columns stand in `article` and in `revision`.

    `fetched_us` is the last fetch that gave the text, in microseconds from 1970 (the order of revisions
    needs the fraction), `seen_at` the first. Long values stand last, so that reading the short ones of many
    rows does not walk through the texts.
    """
    return [
        Column("text_hash", LargeBinary, primary_key=key, nullable=False),
        Column("fetched_us", BigInteger, nullable=False),
        Column("seen_at", UtcTime, nullable=False),
        Column("location", Text, nullable=False),
        Column("publisher", Text),
        Column("title", Text, nullable=False),
        Column("authors", Json, nullable=False),
        Column("byline", Text),
        Column("dateline", Text),
        Column("agency", Text),
        Column("published_at", UtcTime),
        Column("published_source", Text),
        Column("language", Text),
        Column("access", Text, nullable=False),
        Column("syndicated_from", Text),
        Column("word_count", BigInteger, nullable=False),
        Column("rules_version", Text, nullable=False),
        Column("page_id", BigInteger, ForeignKey("page.id")),
        Column("text", Text, nullable=False),
    ]


def _offset_column() -> Column[Any]:
    """The last of the columns of a text: `article` and `revision` have had it only since 0008."""
    return Column("published_offset", BigInteger)


TEXT_COLUMNS = tuple(column.name for column in (*_text_columns(), _offset_column()))

page = Table(
    "page",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("location", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("encoding", Text),
    Column("origin", Text, nullable=False),
    Column("fetched_us", BigInteger, nullable=False),
    Column("publisher", Text),
    Column("claims", Json),
    Column("size", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

article = Table(
    "article",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("url", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("group_id", BigInteger, nullable=False),
    Column("is_canonical", Boolean, nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("revision", Integer, nullable=False),
    *_text_columns(),
    Column("gone_at", UtcTime),
    _offset_column(),
)

revision = Table(
    "revision",
    metadata,
    Column("article_id", BigInteger, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True),
    *_text_columns(key=True),
    Column("removed", Json, nullable=False),
    Column("sketch", Text),
    Column("signature", LargeBinary),
    Column("bands", LargeBinary),
    _offset_column(),
)

# `digest` covers the bytes and what the source says beside them (see `reader.source_key`); `alias` is the
# document's own URL in canonical form where the article goes by another.
document = Table(
    "document",
    metadata,
    Column("location", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("fetched_us", BigInteger, nullable=False),
    Column("article_id", BigInteger, ForeignKey("article.id", ondelete="CASCADE"), nullable=False),
    Column("text_hash", LargeBinary, nullable=False),
    Column("rules_version", Text, nullable=False),
    Column("alias", Text),
)

rejection = Table(
    "rejection",
    metadata,
    Column("location", Text, primary_key=True),
    Column("digest", LargeBinary),
    Column("at_us", BigInteger, nullable=False),
    Column("url", Text),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("run_id", BigInteger, ForeignKey("run.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("rules_version", Text, nullable=False),
    Column("page_id", BigInteger, ForeignKey("page.id")),
)

removal = Table(
    "removal",
    metadata,
    Column("article_id", BigInteger, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("rule", Text, nullable=False),
    Column("text", Text, nullable=False),
)

sketch = Table(
    "sketch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Text, nullable=False, unique=True),
)

# `keys` are the article's keys in `band`, little-endian int64, so that they can be found again when it goes.
signature = Table(
    "signature",
    metadata,
    Column(
        "article_id",
        BigInteger,
        ForeignKey("article.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("sketch_id", Integer, ForeignKey("sketch.id"), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("keys", LargeBinary, nullable=False),
)

# No foreign key: it would cost a lookup a row on the way in, and an index on article_id twice the space.
band = Table(
    "band",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("article_id", BigInteger, primary_key=True, autoincrement=False),
)

pair = Table(
    "pair",
    metadata,
    Column("a", BigInteger, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True),
    Column("b", BigInteger, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("jaccard", Double, nullable=False),
    Column("containment", Double, nullable=False),
)

# The index that belongs to it, `search_words`, is another kind of table on each database: see `search`.
search_entry = Table(
    "search_entry",
    metadata,
    Column(
        "article_id",
        BigInteger,
        ForeignKey("article.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("digest", BigInteger, nullable=False),
)

# One row an article, for good: the numbers go on from the greatest. No foreign key: it outlives its article.
change = Table(
    "change",
    metadata,
    Column("article_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("url", Text),
)

run = Table(
    "run",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("command", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("seen", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("revised", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("grouped", BigInteger, nullable=False),
    Column("reasons", Json, nullable=False),
)

# One row a crawl and site, written anew with each batch. `ended`, `alerts`: see `site_runs`.
site_run = Table(
    "site_run",
    metadata,
    Column("run_id", BigInteger, ForeignKey("run.id"), primary_key=True, autoincrement=False),
    Column("site", Text, primary_key=True),
    Column("ended", Text),
    *(
        Column(name, BigInteger, nullable=False)
        for name in (
            "discovered",
            "fetched",
            "not_modified",
            "revisited",
            "gone",
            "stored",
            "revised",
            "updated",
            "unchanged",
            "rejected",
            "without_date",
            "without_author",
            "bytes",
            "sources",
            "sources_failed",
            "put_off",
        )
    ),
    Column("seconds", Double, nullable=False),
    Column("words", Double),
    Column("reasons", Json, nullable=False),
    Column("alerts", Json),
)

# What `copydesk forget` took out and keeps out. `key`: see `tombstones`; `alias_of`: the key of the URL that
# this one is another address of. A hash, because a URL may be longer than an index takes.
tombstone = Table(
    "tombstone",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("reason", Text),
    Column("alias_of", LargeBinary),
)

fetch_state = Table(
    "fetch_state",
    metadata,
    Column("url", Text, primary_key=True),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("fetched_at", UtcTime, nullable=False),
    Column("children", Json),
    Column("read_as", Text),
)

# One row an article that is to be asked for again; none when there is nothing more to ask.
revisit = Table(
    "revisit",
    metadata,
    Column(
        "article_id",
        BigInteger,
        ForeignKey("article.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("site", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
)

sight_block = Table(
    "sight_block",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("site", Text, nullable=False),
    Column("quarter", Integer, nullable=False),
    Column("articles", BigInteger, nullable=False),
    Column("changes", BigInteger, nullable=False),
)

# No foreign keys: a row stays until it is known that its article is gone, and its neighbours are looked at.
sighting = Table(
    "sighting",
    metadata,
    Column("article_id", BigInteger, primary_key=True, autoincrement=False),
    Column("block_id", BigInteger, nullable=False),
    Column("group_id", BigInteger, nullable=False),
    Column("title", BigInteger, nullable=False),
    Column("lines", LargeBinary, nullable=False),
)

learned_line = Table(
    "learned_line",
    metadata,
    Column("block_id", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("stories", BigInteger, nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("example", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One promised column.

    type: `integer`, `real`, `text`, `time`, `boolean` or `json`; see `TYPES` for what each is where.
    unit: what a number counts or what a text is written in; "" where the meaning says it.
    null: when it is null; "never" where it cannot be.
    """

    name: str
    type: str
    meaning: str
    unit: str
    null: str
    example: str


@dataclass(frozen=True, slots=True)
class View:
    name: str
    meaning: str
    columns: tuple[ViewColumn, ...]


# type -> (on SQLite, on PostgreSQL)
TYPES = {
    "integer": ("INTEGER", "bigint"),
    "real": ("REAL", "double precision"),
    "text": ("TEXT", "text"),
    "time": ("TEXT, ISO 8601 in UTC ending in Z", "timestamp with time zone"),
    "boolean": ("INTEGER, 0 or 1", "boolean"),
    "json": ("TEXT holding JSON", "jsonb"),
}

_ARTICLE_COLUMNS = (
    ViewColumn("id", "integer", "the article; never used for another one", "", "never", "4711"),
    ViewColumn(
        "url",
        "text",
        "its URL in canonical form, one article a URL; a file: URL where a local page names none",
        "",
        "never",
        "https://www.example.com/news/ferry",
    ),
    ViewColumn(
        "location",
        "text",
        "where the bytes came from: the URL fetched, or the path as it was given, with #n for the n-th"
        " record and !name for a member of an archive",
        "",
        "never",
        "pages/ferry.html",
    ),
    ViewColumn(
        "publisher", "text", "name of the outlet", "", "the page and its source name none", "Harbour Post"
    ),
    ViewColumn(
        "site", "text", "host of the URL without www.", "", "never; empty for a file: URL", "example.com"
    ),
    ViewColumn("title", "text", "headline", "", "never; may be empty", "Ferry runs again"),
    ViewColumn(
        "text",
        "text",
        "the story, one line a paragraph, without title, byline, dateline, sign-off and boilerplate",
        "",
        "never",
        "The ferry to Norhaven runs again. ...",
    ),
    ViewColumn(
        "authors",
        "json",
        "array of names, as the page's metadata gives them",
        "",
        "never; may be []",
        '["Ada Lind"]',
    ),
    ViewColumn("byline", "text", "who the byline names, as printed", "", "none was printed", "Ada Lind"),
    ViewColumn(
        "dateline", "text", "place and date as printed", "", "no dateline was printed", "NORHAVEN, March 1"
    ),
    ViewColumn("agency", "text", "the news agency that is credited", "", "none is credited", "Reuters"),
    ViewColumn(
        "published_at",
        "time",
        "when the page says it was published; never after it was fetched",
        "UTC, to the second",
        "the page gives no date",
        "2026-03-01T09:30:00Z",
    ),
    ViewColumn("language", "text", "language of the text", "ISO 639-1", "too short to tell", "en"),
    ViewColumn(
        "group_id", "integer", "the group of copies it belongs to: the smallest id in it", "", "never", "4698"
    ),
    ViewColumn("is_canonical", "boolean", "whether it is its group's canonical copy", "", "never", "1"),
    ViewColumn("word_count", "integer", "length of the text", "words", "never", "412"),
    ViewColumn("access", "text", "free, or paywalled where the page itself says so", "", "never", "free"),
    ViewColumn(
        "first_seen_at",
        "time",
        "first fetch of this URL",
        "UTC, to the second",
        "never",
        "2026-03-01T10:00:00Z",
    ),
    ViewColumn(
        "updated_at",
        "time",
        "the fetch that last brought a text not seen at this URL before",
        "UTC, to the second",
        "never",
        "2026-03-01T14:00:00Z",
    ),
    ViewColumn("revision", "integer", "how many distinct texts were seen at this URL", "texts", "never", "2"),
    ViewColumn(
        "gone_at",
        "time",
        "when its site was found not to have it any more (404 or 410); the article is kept",
        "UTC, to the second",
        "it is there, as far as is known",
        "2026-03-03T10:00:00Z",
    ),
    ViewColumn(
        "published_offset",
        "integer",
        "the time zone that the page states for published_at, as its offset from UTC; 0 where it says UTC",
        "minutes east of UTC",
        "the page names no zone, or gives no date",
        "-300",
    ),
)

VIEWS = (
    View("articles", "every article, in its current text", _ARTICLE_COLUMNS),
    View("unique_articles", "one row a group: its canonical copy", _ARTICLE_COLUMNS),
    View(
        "story_groups",
        "every group of copies; an article without copies is a group of one",
        (
            ViewColumn("id", "integer", "the group: the smallest article id in it", "", "never", "4698"),
            ViewColumn("size", "integer", "how many articles it has", "articles", "never", "7"),
            ViewColumn("sites", "integer", "how many different sites they stand on", "sites", "never", "6"),
            ViewColumn(
                "agency",
                "text",
                "agency credited by the canonical copy, else the alphabetically first one credited",
                "",
                "no copy credits one",
                "Reuters",
            ),
            ViewColumn(
                "first_published_at",
                "time",
                "earliest published_at in it",
                "UTC, to the second",
                "no copy has a date",
                "2026-03-01T09:30:00Z",
            ),
            ViewColumn("canonical_article_id", "integer", "its canonical copy", "", "never", "4711"),
        ),
    ),
    View(
        "copies",
        "every verified pair of copies, once, with the evidence",
        (
            ViewColumn("article_id", "integer", "the article with the smaller id", "", "never", "4698"),
            ViewColumn("other_id", "integer", "the article with the greater id", "", "never", "4711"),
            ViewColumn(
                "kind",
                "text",
                "exact (the same words), near (most of both) or partial (one holds most of the other)",
                "",
                "never",
                "partial",
            ),
            ViewColumn(
                "jaccard", "real", "shared shingles over all shingles of the two", "0 to 1", "never", "0.14"
            ),
            ViewColumn(
                "containment", "real", "shared shingles over those of the shorter", "0 to 1", "never", "0.99"
            ),
        ),
    ),
    View(
        "removed_text",
        "what was taken out of the current text of each article",
        (
            ViewColumn("article_id", "integer", "the article", "", "never", "4711"),
            ViewColumn(
                "position",
                "integer",
                "how many lines of the clean text stand before it; several may share one",
                "lines",
                "never",
                "12",
            ),
            ViewColumn("rule", "text", "the rule that took it out", "", "never", "phrase.en.register-now"),
            ViewColumn("text", "text", "the text taken out", "", "never", "Register now for free"),
        ),
    ),
    View(
        "rejections",
        "locations whose present end is not an article",
        (
            ViewColumn("location", "text", "as in articles", "", "never", "pages/broken.html"),
            ViewColumn(
                "url", "text", "URL of the document", "", "the source names none", "https://example.com/x"
            ),
            ViewColumn("stage", "text", "source, extract, clean, worker or store", "", "never", "extract"),
            ViewColumn("reason", "text", "one of pipeline.document.Reason", "", "never", "no article"),
            ViewColumn("detail", "text", "what was found", "", "never; may be empty", "only a list of links"),
            ViewColumn("run_id", "integer", "the run that recorded it", "", "never", "3"),
            ViewColumn(
                "at", "time", "fetch of the document", "UTC, to the second", "never", "2026-03-01T10:00:00Z"
            ),
        ),
    ),
    View(
        "changes",
        "every article that is or was here, at its last change: who has read up to one change reads on"
        " after it, in the order of `change`, and misses nothing",
        (
            ViewColumn(
                "change",
                "integer",
                "number of the change: later ones are greater, also across programs that write at once",
                "",
                "never",
                "5120",
            ),
            ViewColumn("article_id", "integer", "the article", "", "never", "4711"),
            ViewColumn(
                "kind",
                "text",
                "stored (it is new, or what articles or removed_text show of it changed, its group included)"
                " or gone (taken out of this database)",
                "",
                "never",
                "stored",
            ),
            ViewColumn(
                "url",
                "text",
                "URL of an article that is gone",
                "",
                "it is stored",
                "https://www.example.com/news/ferry",
            ),
            ViewColumn(
                "at",
                "time",
                "when the change was written; for what is older than this view, when that was added",
                "UTC, to the second",
                "never",
                "2026-03-01T14:00:07Z",
            ),
        ),
    ),
    View(
        "runs",
        "every run of a command that writes; the counts grow with each committed batch",
        (
            ViewColumn("id", "integer", "the run", "", "never", "3"),
            ViewColumn("command", "text", "the command as given", "", "never", "ingest pages"),
            ViewColumn("started_at", "time", "start", "UTC, to the second", "never", "2026-03-01T10:00:00Z"),
            ViewColumn(
                "finished_at",
                "time",
                "end",
                "UTC, to the second",
                "still running, or killed",
                "2026-03-01T10:02:11Z",
            ),
            ViewColumn("seen", "integer", "documents that came to an end", "documents", "never", "120"),
            ViewColumn("stored", "integer", "new articles", "documents", "never", "80"),
            ViewColumn("revised", "integer", "other texts of known articles", "documents", "never", "4"),
            ViewColumn(
                "updated",
                "integer",
                "known bytes of which other rules or other source data made another article",
                "documents",
                "never",
                "0",
            ),
            ViewColumn("unchanged", "integer", "nothing new in them", "documents", "never", "30"),
            ViewColumn("rejected", "integer", "not an article", "documents", "never", "6"),
            ViewColumn(
                "grouped",
                "integer",
                "of those stored, revised or updated, how many have a copy",
                "documents",
                "never",
                "41",
            ),
            ViewColumn(
                "reasons",
                "json",
                "object: rejected by reason",
                "documents",
                "never; may be {}",
                '{"no article":6}',
            ),
        ),
    ),
    View(
        "site_runs",
        "what every crawl did at each of its sites; written with each committed batch, and of a killed crawl"
        " as it stood at its last one",
        (
            ViewColumn("run_id", "integer", "the run", "", "never", "3"),
            ViewColumn(
                "site",
                "text",
                "key of the site in sites.toml; of a spider that names no site the host, without www.",
                "",
                "never",
                "gazette",
            ),
            ViewColumn(
                "started_at",
                "time",
                "start of the run",
                "UTC, to the second",
                "never",
                "2026-03-01T10:00:00Z",
            ),
            ViewColumn(
                "ended",
                "text",
                "how the crawl ended: finished, shutdown (by a signal), or another word of Scrapy's; only"
                " what finished is judged",
                "",
                "still running, killed, or ended for want of the database",
                "finished",
            ),
            ViewColumn(
                "discovered",
                "integer",
                "addresses of articles that its sources named, known ones among them",
                "addresses",
                "never",
                "30",
            ),
            ViewColumn("fetched", "integer", "pages of articles that came", "pages", "never", "12"),
            ViewColumn(
                "not_modified", "integer", "sources that answered 304, unchanged", "sources", "never", "2"
            ),
            ViewColumn("revisited", "integer", "stored articles asked for again", "pages", "never", "4"),
            ViewColumn("gone", "integer", "stored articles found to be gone", "articles", "never", "0"),
            ViewColumn("stored", "integer", "new articles", "documents", "never", "10"),
            ViewColumn("revised", "integer", "other texts of known articles", "documents", "never", "1"),
            ViewColumn("updated", "integer", "as in runs", "documents", "never", "0"),
            ViewColumn("unchanged", "integer", "nothing new in them", "documents", "never", "0"),
            ViewColumn("rejected", "integer", "not an article", "documents", "never", "3"),
            ViewColumn(
                "reasons",
                "json",
                "object: rejected by reason",
                "documents",
                "never; may be {}",
                '{"error page":2,"no article":1}',
            ),
            ViewColumn(
                "words",
                "real",
                "median length of the articles stored or revised",
                "words",
                "none were",
                "412.5",
            ),
            ViewColumn(
                "without_date",
                "integer",
                "of those stored or revised, how many have no date",
                "documents",
                "never",
                "1",
            ),
            ViewColumn(
                "without_author",
                "integer",
                "of those stored or revised, how many have neither authors nor a byline",
                "documents",
                "never",
                "4",
            ),
            ViewColumn(
                "bytes",
                "integer",
                "bodies as they came over the wire, repeated and broken ones among them, robots.txt not",
                "bytes",
                "never",
                "812345",
            ),
            ViewColumn(
                "seconds",
                "real",
                "from the first request to the site to the last thing that came of one",
                "seconds",
                "never",
                "48.2",
            ),
            ViewColumn(
                "sources", "integer", "feeds, sitemaps and sections that were read", "sources", "never", "2"
            ),
            ViewColumn(
                "sources_failed",
                "integer",
                "feeds, sitemaps and sections that did not come, or could not be read",
                "sources",
                "never",
                "0",
            ),
            ViewColumn(
                "put_off",
                "integer",
                "requests for articles that were left for the next crawl (budgets, failing hosts)",
                "requests",
                "never",
                "0",
            ),
            ViewColumn(
                "alerts",
                "json",
                "array of objects: what fell out of the site's own history (figure, was, now, message)",
                "",
                "not judged: the crawl did not finish, or is older than this view",
                '[{"figure":"words","was":410.0,"now":61.0,"message":"61 words, 410 before"}]',
            ),
        ),
    ),
)


def as_markdown() -> str:
    """The documentation of the views as Markdown: a table of types, then one section and table a view."""
    lines = ["| type | SQLite | PostgreSQL |", "|---|---|---|"]
    lines += [f"| {name} | {sqlite} | {postgres} |" for name, (sqlite, postgres) in TYPES.items()]
    for view in VIEWS:
        lines += ["", f"### {view.name}", "", f"{view.meaning[0].upper()}{view.meaning[1:]}."]
        if view.name == "unique_articles":
            lines[-1] += " The columns are those of `articles`."
            continue
        lines += ["", "| column | type | what | unit | null | example |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {c.name} | {c.type} | {c.meaning} | {c.unit} | {c.null} | `{c.example}` |"
            for c in view.columns
        ]
    return "\n".join(lines) + "\n"


def _view_table(view: View) -> Table:
    types: dict[str, TypeEngine[Any]] = {
        "integer": BigInteger(),
        "real": Double(),
        "text": Text(),
        "time": UtcTime(),
        "boolean": Boolean(),
        "json": Json(),
    }
    return Table(view.name, _views, *(Column(c.name, types[c.type]) for c in view.columns))


_views = MetaData()
view_tables = {view.name: _view_table(view) for view in VIEWS}
