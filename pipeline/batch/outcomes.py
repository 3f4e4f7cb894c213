"""Outcomes of documents as an Arrow table, and the bytes of their pages as another.

`outcomes_table` and `outcomes_of` are inverse in every field, but for two that are large: the bytes of the
page are in the table of `pages_table`, and the words of full-text search are made again from the text.

An outcome must be storable: Arrow takes no lone surrogate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import xxhash

from pipeline.batch.records import hints, plain, records, values
from pipeline.document import Article, Outcome, PageBytes, Rejection, SearchWords

_TEXTS = pa.list_(pa.string())
_RIGHTS = pa.list_(
    pa.struct(
        [
            ("name", pa.string()),
            ("value", pa.string()),
            ("source", pa.string()),
            ("agent", pa.string()),
            ("reserved", pa.bool_()),
        ]
    )
)
_CLAIMS = pa.struct(
    [
        ("title", pa.string()),
        ("published_at", pa.string()),
        ("authors", _TEXTS),
        ("language", pa.string()),
        ("description", pa.string()),
        ("section", pa.string()),
        ("keywords", _TEXTS),
        ("image_url", pa.string()),
        ("rights", _RIGHTS),
    ]
)
_PAGE = pa.struct(
    [
        ("sha256", pa.binary()),
        ("size", pa.int64()),
        ("media_type", pa.string()),
        ("encoding", pa.string()),
        ("origin", pa.string()),
        ("fetched_at", pa.int64()),
        ("url", pa.string()),
        ("publisher", pa.string()),
        ("claims", _CLAIMS),
        ("headers", pa.list_(_TEXTS)),
    ]
)
_REMOVED = pa.list_(pa.struct([("position", pa.int64()), ("text", pa.string()), ("rule", pa.string())]))
FINGERPRINT = pa.struct(
    [("version", pa.string()), ("signature", pa.binary()), ("bands", pa.list_(pa.int64()))]
)
"""A `Fingerprint`: version; signature, little-endian uint32; bands without the version of the index."""

OUTCOMES = pa.schema(
    [
        ("sequence", pa.int64()),
        ("shard", pa.int32()),
        ("kind", pa.string()),
        ("location", pa.string()),
        ("url", pa.string()),
        ("rules_version", pa.string()),
        ("page", _PAGE),
        ("stage", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("at", pa.int64()),
        ("is_gone", pa.bool_()),
        ("publisher", pa.string()),
        ("site", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("authors", _TEXTS),
        ("byline", pa.string()),
        ("dateline", pa.string()),
        ("agency", pa.string()),
        ("published_at", pa.int64()),
        ("published_offset", pa.int64()),
        ("published_source", pa.string()),
        ("language", pa.string()),
        ("access", pa.string()),
        ("syndicated_from", pa.string()),
        ("word_count", pa.int64()),
        ("removed", _REMOVED),
        ("fingerprint", FINGERPRINT),
        ("description", pa.string()),
        ("section", pa.string()),
        ("keywords", _TEXTS),
        ("image_url", pa.string()),
        ("rights", _RIGHTS),
    ]
)
"""A row for each outcome. The columns are the fields of `Article` and of `Rejection`; those that only one of
the two has are null in rows of the other. All times are microseconds from 1970 in UTC. Besides:

sequence: when the outcome would have been stored, and its key; unique, never null.
shard: `shard_of` the URL of an article, and of the location of a rejection; not negative.
kind: "article" or "rejection".
page: without `compressed`; null if the outcome has no page.
"""

PAGES = pa.schema([("sequence", pa.int64()), ("body", pa.binary())])
"""The bytes of pages. sequence: of the outcome. body: `PageBytes.compressed`, one zstd frame."""

ARTICLE, REJECTION = "article", "rejection"

_NO_WORDS = SearchWords("", "")

# The columns that hold fields of an article, and of a rejection.
_OF_ARTICLE = tuple(name for name in hints(Article) if name not in ("search_words", "page"))
_OF_REJECTION = tuple(name for name in hints(Rejection) if name != "page")
_OF_PAGE = tuple(name for name in hints(PageBytes) if name != "compressed")


def shard_of(name: str) -> int:
    """A hash of a URL or a location, 31 bits: outcomes of one URL are settled together."""
    return xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogatepass")) >> 33


def outcomes_table(outcomes: Sequence[Outcome], sequences: Sequence[int]) -> pa.Table:
    """The table OUTCOMES of storable outcomes. sequences: of each of them.

    Raises TypeError for a time without a time zone, and UnicodeEncodeError for a text that is not storable.
    """
    return pa.Table.from_pylist(
        [_row(outcome, sequence) for outcome, sequence in zip(outcomes, sequences, strict=True)],
        schema=OUTCOMES,
    )


def _row(outcome: Outcome, sequence: int) -> dict[str, Any]:
    is_article = isinstance(outcome, Article)
    row = {name: plain(getattr(outcome, name)) for name in (_OF_ARTICLE if is_article else _OF_REJECTION)}
    row["sequence"] = sequence
    row["shard"] = shard_of(outcome.url if isinstance(outcome, Article) else outcome.location)
    row["kind"] = ARTICLE if is_article else REJECTION
    if outcome.page is not None:
        row["page"] = {name: plain(getattr(outcome.page, name)) for name in _OF_PAGE}
    return row


def outcomes_of(table: pa.Table) -> list[Outcome]:
    """The outcomes of the rows of a table OUTCOMES, in their order.

    `page.compressed` and search words are empty.
    """
    return [outcome for batch in table.to_batches() for outcome in _outcomes(batch)]


def _outcomes(batch: pa.RecordBatch) -> Iterator[Outcome]:
    stored = {
        name: values(batch.column(name), hint)
        for name, hint in {**hints(Article), **hints(Rejection)}.items()
        if name not in ("search_words", "page")
    }
    pages = records(batch.column("page"), PageBytes, {"compressed": b""})
    of_article, of_rejection = ([stored[name] for name in names] for names in (_OF_ARTICLE, _OF_REJECTION))
    kinds = batch.column("kind").to_pylist()
    rows = zip(kinds, pages, zip(*of_article, strict=True), zip(*of_rejection, strict=True), strict=True)
    for kind, page, article, rejection in rows:
        if kind == REJECTION:
            yield Rejection(**dict(zip(_OF_REJECTION, rejection, strict=True)), page=page)
            continue
        row = dict(zip(_OF_ARTICLE, article, strict=True))
        yield Article(**row, search_words=_NO_WORDS, page=page)


def pages_table(outcomes: Sequence[Outcome], sequences: Sequence[int]) -> pa.Table:
    """The table PAGES of the outcomes that have a page."""
    found = [
        (sequence, outcome.page.compressed)
        for outcome, sequence in zip(outcomes, sequences, strict=True)
        if outcome.page is not None
    ]
    return pa.table([[one for one, _ in found], [body for _, body in found]], schema=PAGES)
