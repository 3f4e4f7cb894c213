"""The Arrow schemas of a batch job's tables: what settling gives, and what is loaded into a database.

All times are int64, microseconds from 1970 in UTC, as in `pipeline.batch`; those of articles, texts and
rejections are whole seconds, as a database has them. Only the public tables have timestamps. Each column has
its meaning as metadata (`description`).

first: the provisional key of an article, the least sequence of an article outcome of its URL.
sequence: of an outcome (`pipeline.batch.OUTCOMES`); as a key of a page, of the outcome that has the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from storage.parquet import arrow_schema
from storage.schema import ARTICLE_COLUMNS, VIEWS

_INT, _TEXT, _BYTES, _FLAG = pa.int64(), pa.string(), pa.binary(), pa.bool_()
_REMOVED = pa.list_(pa.struct([("position", _INT), ("text", _TEXT), ("rule", _TEXT)]))
_FINGERPRINT = pa.struct([("version", _TEXT), ("signature", _BYTES), ("bands", pa.list_(_INT))])

Columns = Iterable[tuple[str, pa.DataType, str]]


def _schema(columns: Columns) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind, metadata={"description": meaning}) for name, kind, meaning in columns]
    )


def _of_text() -> Columns:
    """The columns of `storage.schema.TEXT_COLUMNS` that come from the pipeline."""
    of_view = arrow_schema([column for column in ARTICLE_COLUMNS if column.of_text])
    for column in ARTICLE_COLUMNS:
        if column.of_text:
            kind = _INT if column.type == "time" else of_view.field(column.name).type
            yield column.name, kind, column.meaning
    yield "published_source", _TEXT, "where the date was found; null if there is none"
    yield "syndicated_from", _TEXT, "canonical link to another host; null if there is none"
    yield "rules_version", _TEXT, "version of the rules that made the text"


_HASH = ("text_hash", _BYTES, "16 bytes, distinguishes the texts of an article")
_FETCHED = ("fetched_us", _INT, "the last fetch that gave the text")
_SEEN = ("seen_at", _INT, "the first fetch that gave the text")
_PAGE_ID = ("page_id", _INT, "its page in rows/page; null if its bytes are not kept")
_PAGE_SEQUENCE = ("page_sequence", _INT, "its page in `pages`; null if its bytes are not kept")
_PAGE = (
    ("sha256", _BYTES, "digest of the bytes"),
    ("location", _TEXT, "location of the document"),
    ("url", _TEXT, "URL of the document"),
    ("media_type", _TEXT, "text/html or text/plain"),
    ("encoding", _TEXT, "declared charset; null if there is none"),
    ("origin", _TEXT, "file, jsonl, warc or crawl"),
    ("fetched_us", _INT, "when it was fetched"),
    ("publisher", _TEXT, "name of the outlet; null if the source names none"),
    ("claims", _TEXT, "JSON of `storage.base.claims_json`; null for no claims"),
    ("headers", _TEXT, "JSON, an array of [name, value]; null for no headers"),
    ("size", _INT, "of the bytes, uncompressed"),
)
_DIGEST = ("digest", _BYTES, "digest of the bytes and of what the source says beside them")
_AT_US = ("at_us", _INT, "fetch of the document, with the fraction of a second")
_DOCUMENT = (
    ("location", _TEXT, "location of the document"),
    _DIGEST,
    ("fetched_us", _INT, "the last fetch of these bytes"),
)
_OF_DOCUMENT = (
    _HASH,
    ("rules_version", _TEXT, "version of the rules that made the text of it"),
    ("alias", _TEXT, "its own URL if the article has a different one; else null"),
)
_QUARANTINE = _schema(
    [
        *_DOCUMENT,
        ("url", _TEXT, "URL of the document; null if it is not known"),
        ("version", _TEXT, "of the rules and the code that failed"),
        ("failures", _INT, "how often, in a row"),
        ("reason", _TEXT, "of the last failure"),
        ("detail", _TEXT, "of the last failure"),
    ]
)

SETTLED: Mapping[str, pa.Schema] = {
    # By first.
    "articles": _schema(
        [
            ("first", _INT, "the article"),
            ("url", _TEXT, "its URL"),
            ("site", _TEXT, "host of the URL without www."),
            ("first_seen_at", _INT, "first fetch of the URL"),
            ("updated_at", _INT, "the latest first fetch of one of its texts"),
            ("revision", _INT, "how many texts it has"),
            ("gone_at", _INT, "when its site was found not to have it any more; null if it has it"),
            ("site_key", _TEXT, "key of its site in the sites file; null if it names no such site"),
        ]
    ),
    # By first, then revision.
    "texts": _schema(
        [
            ("first", _INT, "the article"),
            ("revision", _INT, "its number among the texts of the article, from 1, as first seen"),
            ("is_current", _FLAG, "whether it is the article's current text; one is"),
            _HASH,
            _FETCHED,
            _SEEN,
            *_of_text(),
            ("removed", _REMOVED, "removed lines in their order; position: lines of the text before it"),
            ("fingerprint", _FINGERPRINT, "bands without index version; null if it is not to be grouped"),
            _PAGE_SEQUENCE,
        ]
    ),
    # By location, then digest.
    "documents": _schema([*_DOCUMENT, ("first", _INT, "the article that has its text"), *_OF_DOCUMENT]),
    # By location.
    "rejections": _schema(
        [
            ("location", _TEXT, "location of the document"),
            ("digest", _BYTES, "as in documents; null if there are no bytes"),
            _AT_US,
            ("url", _TEXT, "URL of the document; null if the source names none"),
            ("stage", _TEXT, "stage that rejected it"),
            ("reason", _TEXT, "one of pipeline.document.Reason"),
            ("detail", _TEXT, "what was found"),
            ("rules_version", _TEXT, "version of the rules that rejected it"),
            _PAGE_SEQUENCE,
        ]
    ),
    # By sequence. The bytes are in OUT/pages, under the same sequence.
    "pages": _schema([("sequence", _INT, "the page, and its bytes in OUT/pages"), *_PAGE]),
    # By location, then digest; what hung or killed its worker.
    "quarantine": _QUARANTINE,
    # One row for each end, and of "rejected" for each reason.
    "counts": _schema(
        [
            ("end", _TEXT, "stored, revised, updated, unchanged or rejected, as in the view `runs`"),
            ("reason", _TEXT, "of rejected documents; else null"),
            ("documents", _INT, "how many came to this end"),
        ]
    ),
}
"""The tables that a bucket of outcomes is settled into, by name (`storage.bulk.settling`)."""

IDS = _schema(
    [
        ("first", _INT, "provisional key of an article"),
        ("id", _INT, "of the article: the rank of first among all articles, from 1"),
    ]
)
"""The ids of articles. A dataset of them has also the column `bucket`, the settle bucket."""

PAGE_IDS = _schema(
    [
        ("sequence", _INT, "key of a page"),
        ("id", _INT, "of the page: the rank of its sequence among all of `pages`, from 1"),
    ]
)
"""The ids of pages. A dataset of them has also the column `bucket`, the settle bucket."""

GROUPS = _schema(
    [
        ("id", _INT, "an article with a copy"),
        ("group_id", _INT, "least id in its group"),
        ("is_canonical", _FLAG, "whether it is the canonical copy of its group"),
    ]
)
"""Groups of articles, as `tables_of_bucket` needs them. Who is missing is a group of one."""

PUBLIC: Mapping[str, pa.Schema] = {
    view.name: arrow_schema(view.columns)
    for view in VIEWS
    if view.name in ("articles", "revisions", "story_groups", "copies", "removed_text", "rejections")
}
"""The public tables, exactly as `copydesk export` writes the views of these names to Parquet.

By their ids: articles by id, revisions by (article_id, revision), removed_text by article_id and then in
their order in the article, story_groups by id, copies by (article_id, other_id), rejections by location.
run_id of rejections is 1, that of the first run of a database; a loader replaces it by its own.
"""

ROWS: Mapping[str, pa.Schema] = {
    # In the order of the public part `articles`, row for row: the columns that it has not.
    "article": _schema(
        [
            ("id", _INT, "the article"),
            _HASH,
            _FETCHED,
            _SEEN,
            ("published_source", _TEXT, "where the date was found; null if there is none"),
            ("syndicated_from", _TEXT, "canonical link to another host; null if there is none"),
            ("rules_version", _TEXT, "version of the rules that made the text"),
            _PAGE_ID,
        ]
    ),
    # By article_id; the texts that are not current.
    "revision": _schema(
        [
            ("article_id", _INT, "the article"),
            _HASH,
            _FETCHED,
            _SEEN,
            *_of_text(),
            _PAGE_ID,
            ("removed", _REMOVED, "removed lines; stored as JSON, an array of [position, text, rule]"),
            ("sketch", _TEXT, "version of the fingerprint; null if it has none"),
            ("signature", _BYTES, "of the fingerprint, little-endian uint32; null if it has none"),
            ("bands", _BYTES, "of the fingerprint, little-endian int64; null if it has none"),
        ]
    ),
    # By location, then digest.
    "document": _schema([*_DOCUMENT, ("article_id", _INT, "the article that has its text"), *_OF_DOCUMENT]),
    # In the order of the public part `rejections`, row for row: the columns that it has not.
    "rejection": _schema(
        [
            ("digest", _BYTES, "as in document; null if there are no bytes"),
            _AT_US,
            ("rules_version", _TEXT, "version of the rules that rejected it"),
            _PAGE_ID,
        ]
    ),
    # In the order of the public part `removed_text`, row for row.
    "removal": _schema([("line", _INT, "number among the removed lines of its article, from 0")]),
    # By article_id; articles with a fingerprint.
    "signature": _schema(
        [
            ("article_id", _INT, "the article"),
            ("sketch", _TEXT, "version of the index: a row of the table `sketch`"),
            ("position", _INT, "place in all its bands (`pipeline.copies.order_key`)"),
            ("signature", _BYTES, "little-endian uint32"),
            ("keys", _BYTES, "its keys in band, little-endian int64"),
        ]
    ),
    # By article_id.
    "search_entry": _schema(
        [
            ("article_id", _INT, "the article"),
            ("digest", _INT, "of its words"),
            ("title", _TEXT, "words of the title (`pipeline.document.SearchWords`)"),
            ("text", _TEXT, "words of the text"),
        ]
    ),
    # By id. The bytes are in OUT/pages, under the sequence.
    "page": _schema([("id", _INT, "the page"), ("sequence", _INT, "its bytes in OUT/pages"), *_PAGE]),
    # By location, then digest.
    "quarantine": _QUARANTINE,
    # The index of near-duplicates.
    "band": _schema(
        [
            ("key", _INT, "time and band (`pipeline.copies.row_key`)"),
            ("position", _INT, "place of the article in its bands"),
            ("article_id", _INT, "the article"),
        ]
    ),
    # In the order of the public part `copies`, row for row: the columns that it has not.
    "pair": _schema(
        [
            ("holder", _INT, "the article that holds the other as one part; null if neither does"),
            ("cut", _INT, "bits of who does not let the pair join; null if it joins"),
        ]
    ),
}
"""What a database has besides the public tables: OUT/rows/NAME, for the table of that name.

Tables whose rows stand beside those of a public table have parts of the same names as it.
"""
