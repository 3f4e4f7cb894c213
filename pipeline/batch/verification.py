"""Candidates verified by exact comparison of their texts, a bundle at a time."""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa

from pipeline import copies
from pipeline.copies import ArticleCopy, PreparedText
from pipeline.settings import Settings
from pipeline.times import from_microseconds

PAIRS = pa.schema(
    [
        ("a", pa.int64()),
        ("b", pa.int64()),
        ("kind", pa.string()),
        ("jaccard", pa.float64()),
        ("containment", pa.float64()),
        ("a_start", pa.int64()),
        ("a_end", pa.int64()),
        ("b_start", pa.int64()),
        ("b_end", pa.int64()),
        ("holder", pa.int64()),
    ]
)
"""Verified pairs with their evidence, a < b, as the table `pair` of a database has them, without `cut`.

kind: of `copies.PairKind`. jaccard, containment: as in `copies.Pair`. a_start, a_end, b_start, b_end: the
passage that both share in either text, in words. holder: which of the two holds the other as one part among
others; null if neither does.
"""

COMPARED = ("id", "url", "title", "text", "fetched_at", "published_at")
"""The columns of STORIES that `verify` reads."""

# A prepared text is some arrays of a few KB. Pairs of one component follow each other.
_PREPARED = 4096


def verify(candidates: pa.Table, stories: pa.Table, settings: Settings) -> pa.Table:
    """The PAIRS among candidates, in their order.

    candidates: a table CANDIDATES, best by component. stories: all stories that they name, with the columns
    COMPARED; each may occur several times. Raises KeyError for one that is missing.
    """
    of = {id: n for n, id in enumerate(stories["id"].to_pylist())}
    columns = [stories[name] for name in COMPARED]

    @lru_cache(_PREPARED)
    def prepared(id: int) -> PreparedText:
        _, url, title, text, fetched_at, published_at = (column[of[id]].as_py() for column in columns)
        published = None if published_at is None else from_microseconds(published_at)
        story = ArticleCopy(id, url, title, text, from_microseconds(fetched_at), published)
        return copies.prepare(story, settings.fingerprint)

    found = []
    for a, b in zip(candidates["a"].to_pylist(), candidates["b"].to_pylist(), strict=True):
        pair = copies.verify(prepared(a), prepared(b), settings.group)
        if pair is not None:
            found.append(copies.pair_values(a, b, pair))
    return pa.Table.from_pylist(found, schema=PAIRS)
