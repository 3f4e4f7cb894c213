"""Settles a bucket of outcomes: which articles, texts, documents and rejections they leave.

The rules are those of every writing transaction (`storage.writing.revisions.settle`) on an empty database. So
a bucket must have all outcomes of each URL and of each location that it has one of; then what it gives does
not depend on what else is in it. Those that share a URL or a location are settled together, in the order of
their sequence, and apart from all others. Only these are Python objects at one time, without their texts once
they are settled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.batch import ARTICLE, OUTCOMES, outcomes_of
from pipeline.document import Article, Outcome, has_cost_worker
from pipeline.settings import Settings
from storage.base import microseconds, text_hash
from storage.bulk.schemas import SETTLED
from storage.schema import json_text
from storage.writing import quarantine, revisions

# Outcomes that are made Python objects at once, and rows that wait to be made Arrow arrays.
_AT_ONCE = 1000

# Nothing that settling decides depends on the run; `rejections` of a batch job have the first run of a
# database.
RUN_ID = 1


@dataclass(frozen=True, slots=True)
class Settled:
    """What a bucket is settled into: the tables of SETTLED by their names."""

    articles: pa.Table
    texts: pa.Table
    documents: pa.Table
    rejections: pa.Table
    pages: pa.Table
    quarantine: pa.Table
    counts: pa.Table

    def tables(self) -> dict[str, pa.Table]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def settle_bucket(outcomes: pa.Table, settings: Settings) -> Settled:
    """Settle the outcomes of a bucket.

    outcomes: a table OUTCOMES of checked outcomes (`storage.base.checked`), in any order; more columns are
    ignored. Takes three to four times the memory of the table.
    """
    outcomes = outcomes.select(OUTCOMES.names).cast(OUTCOMES).combine_chunks()
    sequences = outcomes["sequence"].to_numpy()
    labels = _linked(outcomes, sequences)
    order = np.lexsort((sequences, labels))
    made = _Rows()
    links: _Links | None = None
    # Settling does not look at fingerprints, which take more room than texts.
    at = outcomes.schema.get_field_index("fingerprint")
    light = outcomes.set_column(at, OUTCOMES.field(at), pa.nulls(outcomes.num_rows, OUTCOMES.field(at).type))
    for start in range(0, order.size, _AT_ONCE):
        rows = order[start : start + _AT_ONCE]
        part = zip(
            labels[rows].tolist(), sequences[rows].tolist(), outcomes_of(light.take(rows)), strict=True
        )
        for label, run in groupby(part, key=lambda one: one[0]):
            if links is None or links.label != label:
                if links is not None:
                    links.finish(made)
                links = _Links(label, settings)
            links.settle([(sequence, outcome) for _, sequence, outcome in run])
    if links is not None:
        links.finish(made)
    return made.tables(outcomes, sequences)


def _linked(outcomes: pa.Table, sequences: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the least sequence of those that are linked to it by URLs of articles and by locations."""
    order = np.argsort(sequences)
    root = list(range(order.size))  # by place in the order

    def find(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    first_of: dict[tuple[bool, str], int] = {}
    names = outcomes.select(("kind", "url", "location")).take(order)
    columns = (column.to_pylist() for column in names.columns)
    for place, (kind, url, location) in enumerate(zip(*columns, strict=True)):
        for name in ((True, url), (False, location)) if kind == ARTICLE else ((False, location),):
            one, other = sorted((find(first_of.setdefault(name, place)), find(place)))
            root[other] = one
    labels = np.empty(order.size, dtype=np.int64)
    labels[order] = sequences[order][[find(place) for place in range(order.size)]]
    return labels


class _Links:
    """Outcomes that are linked to each other while they are settled."""

    def __init__(self, label: int, settings: Settings) -> None:
        self.label = label
        self._settings = settings
        self._batch = revisions.PendingBatch(next_article=0, next_page=0)
        self._failures: dict[str, dict[bytes, Any]] = {}
        # By the identity of the page: an entry is right as long as the page is held, and only held pages are
        # looked up.
        self._sequence_of: dict[int, int] = {}

    def settle(self, outcomes: Sequence[tuple[int, Outcome]]) -> None:
        """Settle some outcomes, each with its sequence, after those before."""
        found = [outcome for _, outcome in outcomes]
        if self._failures or any(map(has_cost_worker, found)):
            noted, self._failures = quarantine.count_failures(self._failures, found, self._settings)
        else:
            noted = found
        for (sequence, _), outcome in zip(outcomes, noted, strict=True):
            if outcome.page is not None:
                self._sequence_of[id(outcome.page)] = sequence
            self._batch.next_article = sequence  # so a new article's id is its first sequence
            revisions.settle(self._batch, outcome, RUN_ID)
            if isinstance(outcome, Article):
                self._drop_text(outcome)

    def _drop_text(self, article: Article) -> None:
        """Leave the text itself out of what is held: its hash says all that settling asks."""
        texts = self._batch.articles[self._batch.ids[article.url]].texts
        hash = text_hash(article.title, article.text)
        text = texts.get(hash)
        if text is not None and text.page is article.page:
            texts[hash] = replace(text, columns={**text.columns, "text": ""})

    def finish(self, made: _Rows) -> None:
        """Add the rows of what they came to."""
        batch = self._batch
        for pending in batch.articles.values():
            if pending.texts:
                self._finish_article(made, pending)
        for document in batch.documents.values():
            made.documents.add(
                {
                    "location": document.location,
                    "digest": document.digest,
                    "fetched_us": document.fetched_us,
                    "first": document.article_id,
                    "text_hash": document.text_hash,
                    "rules_version": document.rules_version,
                    "alias": document.alias,
                }
            )
        for location, row in batch.rejections.items():
            page = batch.rejected_pages.get(location)
            at = None if page is None else self._add_page(made, page, location)
            made.rejections.add({**row, "page_sequence": at})
        for failed in self._failures.values():
            for row in failed.values():
                made.quarantine.add(row)
        for end, count in batch.counts.items():
            if end != "rejected":
                made.counts[end, None] += count
        for reason, count in batch.reasons.items():
            made.counts["rejected", reason] += count

    def _finish_article(self, made: _Rows, pending: revisions.PendingArticle) -> None:
        row = revisions.article_values(pending)
        times = {
            name: None if row[name] is None else microseconds(row[name])
            for name in ("first_seen_at", "updated_at", "gone_at")
        }
        site_key = self._settings.site_rules.key_of(pending.site)
        made.articles.add({**row, **times, "first": pending.id, "site_key": site_key})
        current = pending.current
        # As the view `revisions` numbers them.
        texts = sorted(
            pending.texts.values(),
            key=lambda text: (
                text.columns["seen_at"],
                text.columns["fetched_us"],
                text.columns["text_hash"],
            ),
        )
        for number, text in enumerate(texts, 1):
            columns = text.columns
            assert text.page is not None
            made.texts.add(
                {
                    "first": pending.id,
                    "revision": number,
                    "is_current": text is current,
                    "text_hash": columns["text_hash"],
                    "fetched_us": columns["fetched_us"],
                    "seen_at": microseconds(columns["seen_at"]),
                    "page_sequence": self._add_page(made, text.page, columns["location"]),
                }
            )

    def _add_page(self, made: _Rows, page: Any, location: str) -> int:
        sequence = self._sequence_of[id(page)]
        row = revisions.page_row(page, location)
        for name in ("claims", "headers"):
            row[name] = None if row[name] is None else json_text(row[name])
        made.pages.add({"sequence": sequence, **row})
        return sequence


class _Table:
    """Rows on their way into a table."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._rows: list[dict[str, Any]] = []
        self._batches: list[pa.RecordBatch] = []

    def add(self, row: dict[str, Any]) -> None:
        """Add a row; what the schema does not name is left out."""
        self._rows.append(row)
        if len(self._rows) >= _AT_ONCE:
            self._convert()

    def sorted_by(self, *names: str) -> pa.Table:
        """All rows, by these columns; those that are equal in them in the order in which they came."""
        self._convert()
        table = pa.Table.from_batches(self._batches, self._schema)
        return table.sort_by([(name, "ascending") for name in names])

    def _convert(self) -> None:
        self._batches.append(pa.RecordBatch.from_pylist(self._rows, schema=self._schema))
        self._rows = []


# What settling decides of a text; the rest is in the outcome that has its page.
_DECIDED = ("first", "revision", "is_current", "text_hash", "fetched_us", "seen_at", "page_sequence")


class _Rows:
    """The rows of a bucket, as they are made."""

    def __init__(self) -> None:
        self.articles = _Table(SETTLED["articles"])
        self.texts = _Table(pa.schema([SETTLED["texts"].field(name) for name in _DECIDED]))
        self.documents = _Table(SETTLED["documents"])
        self.rejections = _Table(SETTLED["rejections"])
        self.pages = _Table(SETTLED["pages"])
        self.quarantine = _Table(SETTLED["quarantine"])
        self.counts: Counter[tuple[str, str | None]] = Counter()

    def tables(self, outcomes: pa.Table, sequences: NDArray[np.int64]) -> Settled:
        counts = [
            {"end": end, "reason": reason, "documents": count}
            for (end, reason), count in sorted(self.counts.items(), key=repr)
        ]
        return Settled(
            articles=self.articles.sorted_by("first"),
            texts=self._texts(outcomes, sequences),
            documents=self.documents.sorted_by("location", "digest"),
            rejections=self.rejections.sorted_by("location"),
            pages=self.pages.sorted_by("sequence"),
            quarantine=self.quarantine.sorted_by("location", "digest"),
            counts=pa.Table.from_pylist(counts, schema=SETTLED["counts"]),
        )

    def _texts(self, outcomes: pa.Table, sequences: NDArray[np.int64]) -> pa.Table:
        """The texts with what their outcomes say."""
        decided = self.texts.sorted_by("first", "revision")
        by_sequence = np.argsort(sequences)
        places = np.searchsorted(sequences, decided["page_sequence"].to_numpy(), sorter=by_sequence)
        said = [name for name in SETTLED["texts"].names if name not in _DECIDED]
        rest = outcomes.select(said).take(by_sequence[places])
        columns = {name: decided[name] for name in _DECIDED} | {name: rest[name] for name in said}
        columns["published_at"] = to_second(columns["published_at"])
        return pa.table([columns[name] for name in SETTLED["texts"].names], schema=SETTLED["texts"])


def to_second(times: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times in microseconds without their fraction of a second, as every time is stored."""
    seconds = pc.divide(times, 1_000_000)  # towards zero
    is_before = pc.less(times, pc.multiply(seconds, 1_000_000))
    return pc.multiply(pc.subtract(seconds, pc.cast(is_before, pa.int64())), 1_000_000)
