"""The tables. They are private, and change by migration (`storage/migrations`).

An article is one URL:

    article       the current text of each URL, its group, and whether it is the canonical copy of the group
    revision      the older texts that were seen at that URL, complete, so that any can become current again
    document      which bytes at which location gave which text by which rules: what `reader.known` asks
    rejection     the current end of each location that did not end as an article
    quarantine    documents that hung or killed their worker: see `storage.writing.quarantine`
    page          the bytes of every text and rejection, compressed, and the other fields of their Document
    removal       what was removed from the current text
    signature     one near-duplicate index entry an article: MinHash values, its band keys, its time
    band          the near-duplicate index itself, clustered by key and then by time
    pair          every verified pair of copies, with its evidence
    search_entry  what full-text search has indexed of each article; the words are in `search_words`
    change        the number of the last change of every article, stored or gone, kept by triggers
    tombstone     URLs and sites that were forgotten, and are not stored again
    site_run      what a crawl did at one site: the figures that its health is judged by
    fetch_state   validators of the crawler's sources, and which further sources they name
    revisit       young articles that are to be requested again, and when
    sight_block, sighting, learned_line  lines of articles, and which of them a site prints under any story:
                  see `storage.writing.learning`
    watchlist     saved searches that tell of news, and the ways on which it goes out
    watch_match   the articles that a watchlist matched, and whether their story was told
    notification, delivery   what watchlists have to tell, and how far that has come on each way
    feed_token    tokens that read feeds, as digests
    run, counter, sketch   runs; the last ids that were assigned; fingerprint versions
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
)

from pipeline.document import Article, RightsStatement, as_objects
from storage.schema.types import Blob, Json, UtcTime, to_second
from storage.schema.views import ARTICLE_COLUMNS

metadata = MetaData()

# The writer assigns ids in its transaction from these rows: a crash leaves no gap, and no id is used twice.
# The row DATABASE_ID is different: its random value identifies this database.
DATABASE_ID = "base"
counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)


# The columns of a text in the views, and what else the pipeline says of a text.
_OF_TEXT = tuple(column for column in ARTICLE_COLUMNS if column.of_text)
FROM_PIPELINE = (
    *(column.name for column in _OF_TEXT),
    "published_source",
    "syndicated_from",
    "rules_version",
)


# What is known of an article before it is stored: the columns of the view that the pipeline makes.
ITEM_COLUMNS = tuple(
    column.name for column in ARTICLE_COLUMNS if column.name in {field.name for field in fields(Article)}
)


def _text_columns(*, key: bool = False) -> list[Column[Any]]:
    """The columns of one text of one URL. The tables `article` and `revision` both have them.

    fetched_us: the last fetch that gave the text, in microseconds from 1970, because the order of revisions
    needs the fraction. seen_at: the first fetch that gave it.
    """
    return [
        Column("text_hash", Blob(), primary_key=key, nullable=False),
        Column("fetched_us", BigInteger, nullable=False),
        Column("seen_at", UtcTime, nullable=False),
        *(Column(column.name, column.sql_type, nullable=column.is_nullable) for column in _OF_TEXT),
        Column("published_source", Text),
        Column("syndicated_from", Text),
        Column("rules_version", Text, nullable=False),
        Column("page_id", BigInteger, ForeignKey("page.id")),
    ]


TEXT_COLUMNS = tuple(column.name for column in _text_columns())


def pipeline_values(article: Article) -> dict[str, Any]:
    """The values of FROM_PIPELINE, as they are stored."""
    return {name: _stored(getattr(article, name)) for name in FROM_PIPELINE}


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_second(value)
    if isinstance(value, tuple):
        is_of_rights = bool(value) and isinstance(value[0], RightsStatement)
        return as_objects(value) if is_of_rights else list(value)
    return value.value if isinstance(value, Enum) else value


page = Table(
    "page",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", Blob(), nullable=False),
    Column("location", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("encoding", Text),
    Column("origin", Text, nullable=False),
    Column("fetched_us", BigInteger, nullable=False),
    Column("publisher", Text),
    Column("claims", Json("claims")),
    Column("size", BigInteger, nullable=False),
    Column("body", Blob(), nullable=False),
    Column("headers", Json("headers")),
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
    Column("gone_at", UtcTime),
    Column("site_key", Text),
    *_text_columns(),
)

revision = Table(
    "revision",
    metadata,
    Column("article_id", BigInteger, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True),
    *_text_columns(key=True),
    Column("removed", Json("removed", is_nullable=False), nullable=False),
    Column("sketch", Text),
    Column("signature", Blob(4)),
    Column("bands", Blob(8)),
)

# `digest` covers the bytes and what the source says beside them (`storage.base.source_key`). `alias` is the
# document's own URL in canonical form if the article has a different one.
document = Table(
    "document",
    metadata,
    Column("location", Text, primary_key=True),
    Column("digest", Blob(), primary_key=True),
    Column("fetched_us", BigInteger, nullable=False),
    Column("article_id", BigInteger, ForeignKey("article.id", ondelete="CASCADE"), nullable=False),
    Column("text_hash", Blob(), nullable=False),
    Column("rules_version", Text, nullable=False),
    Column("alias", Text),
)

rejection = Table(
    "rejection",
    metadata,
    Column("location", Text, primary_key=True),
    Column("digest", Blob()),
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

# `digest` as in `document`. version: of the rules and the code that failed; failures: how often they did, in
# a row. fetched_us: of the bytes. url: as in `rejection`.
quarantine = Table(
    "quarantine",
    metadata,
    Column("location", Text, primary_key=True),
    Column("digest", Blob(), primary_key=True),
    Column("fetched_us", BigInteger, nullable=False),
    Column("url", Text),
    Column("version", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
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

# `keys` are the article's keys in `band`, little-endian int64: its rows are found by them when it is deleted.
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
    Column("signature", Blob(4), nullable=False),
    Column("keys", Blob(8), nullable=False),
)

# No foreign key: it would cost a lookup for each row inserted, and an index on article_id twice the space.
band = Table(
    "band",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("article_id", BigInteger, primary_key=True, autoincrement=False),
)

# `*_start`, `*_end`: the words of either article that both share; null in pairs of older versions. holder:
# the article that holds the other as one part. cut: not null if the pair does not join; see
# `storage.writing.groups.bridges`.
pair = Table(
    "pair",
    metadata,
    Column("a", BigInteger, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True),
    Column("b", BigInteger, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("jaccard", Double, nullable=False),
    Column("containment", Double, nullable=False),
    *(Column(name, BigInteger) for name in ("a_start", "a_end", "b_start", "b_end", "holder", "cut")),
)

# The index that belongs to it, `search_words`, is a different kind of table on each database: see
# `storage.search.index`.
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

# One row an article, for good: numbers continue from the greatest. No foreign key, because it outlives the
# article. news: the number of the change with which a fetch brought a current text that was not seen at the
# URL before; null if there was no watchlist then. Reprocessing and regrouping leave it alone.
change = Table(
    "change",
    metadata,
    Column("article_id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("url", Text),
    Column("news", BigInteger),
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
    Column("reasons", Json("reasons", is_nullable=False), nullable=False),
    Column("job", Text),
)

# One row a crawl and site, replaced with each batch. `ended`, `alerts`: see `storage.crawls.site_runs`.
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
    Column("reasons", Json("reasons", is_nullable=False), nullable=False),
    Column("alerts", Json("alerts")),
)

# What `copydesk forget` deleted and keeps out. `key`: see `storage.writing.tombstones`; a hash, because a URL
# may be longer than an index allows. `alias_of`: the key of the URL that this one is another address of.
tombstone = Table(
    "tombstone",
    metadata,
    Column("key", Blob(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("reason", Text),
    Column("alias_of", Blob()),
)

fetch_state = Table(
    "fetch_state",
    metadata,
    Column("url", Text, primary_key=True),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("fetched_at", UtcTime, nullable=False),
    Column("children", Json("children")),
    Column("read_as", Text),
)

# One row for each article that is to be requested again.
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

# No foreign keys: a row stays until learning has noticed that its article is gone, and looks at its block.
sighting = Table(
    "sighting",
    metadata,
    Column("article_id", BigInteger, primary_key=True, autoincrement=False),
    Column("block_id", BigInteger, nullable=False),
    Column("group_id", BigInteger, nullable=False),
    Column("title", BigInteger, nullable=False),
    Column("lines", Blob(4), nullable=False),
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

# since: the last number of `change` when it was made or was last paused; it looks at news after it. outlets:
# how many sites a story has to reach to be told of again. ways: each as it was given.
watchlist = Table(
    "watchlist",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("query", Text),
    Column("site", Text),
    Column("language", Text),
    Column("agency", Text),
    Column("min_sites", Integer),
    Column("tells", Json("tells", is_nullable=False), nullable=False),
    Column("outlets", Integer),
    Column("ways", Json("ways", is_nullable=False), nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("since", BigInteger, nullable=False),
)

# No foreign key to the article: that it is gone is told after it was deleted. is_told: whether its story was
# told, by this article or a copy. is_told_of_outlets: whether it was told that the story reached
# `watchlist.outlets` sites. is_told_of_removal: whether it was told that the site took the article down.
watch_match = Table(
    "watch_match",
    metadata,
    Column(
        "watchlist_id",
        BigInteger,
        ForeignKey("watchlist.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("article_id", BigInteger, primary_key=True, autoincrement=False),
    Column("matched_at", UtcTime, nullable=False),
    Column("is_told", Boolean, nullable=False),
    Column("is_told_of_outlets", Boolean, nullable=False),
    Column("is_told_of_removal", Boolean, nullable=False),
)

# id: random, also the key by which a receiver knows a message that comes twice. article_id: whose words
# `body` has; null if it has none. body: what every attempt sends, fixed when it is made.
notification = Table(
    "notification",
    metadata,
    Column("id", Text, primary_key=True),
    Column("watchlist_id", BigInteger, ForeignKey("watchlist.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("group_id", BigInteger),
    Column("article_id", BigInteger, ForeignKey("article.id", ondelete="CASCADE")),
    Column("created_at", UtcTime, nullable=False),
    Column("body", Json("body", is_nullable=False), nullable=False),
)

# state: waiting, delivered or dead. claimed_until: when another process may take it.
delivery = Table(
    "delivery",
    metadata,
    Column("notification_id", Text, ForeignKey("notification.id", ondelete="CASCADE"), primary_key=True),
    Column("way", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("claimed_until", UtcTime),
    Column("last_error", Text),
    Column("delivered_at", UtcTime),
)

# digest: SHA-256 of the token, which is shown once and stored nowhere.
feed_token = Table(
    "feed_token",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("digest", Blob(), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
)
