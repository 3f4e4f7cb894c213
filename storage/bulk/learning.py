"""Learns the lines of sites from Arrow tables: the rows that `storage.writing.learn` makes of a database.

    sightings_of_articles   the lines of each article, from a part of the public tables
    flag_groups             the lines that copies at different outlets share, from sightings of whole groups
    learn_sites             what each block of a site says of its lines, from sightings in the order of sites

Between them an engine brings sightings of one group, and then of one site, together; the queries for that
are here. No step holds a text but the first, which works row by row. The others hold the sightings of one
group or site: four bytes a line, and up to `IN_MEMORY` articles of a site the hashes of lines, eight more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.batch import shard_of
from pipeline.sites import (
    LEARNED_RULE,
    ArticleLines,
    flag_shared_lines,
    restore_learned_lines,
)
from storage.writing import learning

_INT, _TEXT, _BYTES = pa.int64(), pa.string(), pa.binary()


def _schema(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind, metadata={"description": meaning}) for name, kind, meaning in columns]
    )


_ARTICLE = ("article_id", _INT, "the article")
_SITE = ("site", _TEXT, "host of the URL without www.")
_BLOCK = ("block_id", _INT, "the block: a site in a quarter of a year")
_GROUP = ("group_id", _INT, "least id in the group of the article")
_TITLE = ("title", _INT, "key of the headline; 0 if it is too short")
_LINES = ("lines", _BYTES, "little-endian uint32, one a line (`pipeline.sites.line_codes`)")
_HASHES = ("hashes", pa.list_(_INT), "64 bits of each learnable line")

SIGHTINGS = _schema(
    _ARTICLE,
    ("shard", pa.int32(), "`pipeline.batch.shard_of` the site; not negative"),
    _SITE,
    ("quarter", pa.int32(), "of the first fetch: four times the year, and 0 to 3"),
    _GROUP,
    _TITLE,
    _LINES,
    _HASHES,
)
"""The lines of articles that have a site, none flagged as shared. By article_id within a part."""

FLAGGED = _schema(_ARTICLE, _LINES)
"""Articles with lines that a copy at a different outlet has too; lines: all of the article's."""

SIGHTED = _schema(_ARTICLE, _SITE, _BLOCK, _GROUP, _TITLE, _LINES, _HASHES)
"""Sightings as `learn_sites` takes them: with flags, and with the ids of blocks."""

LEARNED: Mapping[str, pa.Schema] = {
    # By id.
    "sight_block": _schema(
        ("id", _INT, "the block"),
        _SITE,
        ("quarter", _INT, "as in SIGHTINGS"),
        ("articles", _INT, "how many articles it has"),
        ("changes", _INT, "articles that changed since it was evaluated: 0"),
    ),
    # By block_id, then article_id, within a part.
    "sighting": _schema(_ARTICLE, _BLOCK, _GROUP, _TITLE, _LINES),
    # By block_id, then hash, within a part.
    "learned_line": _schema(
        _BLOCK,
        ("hash", _INT, "of the line, 64 bits"),
        ("stories", _INT, "in how many stories of the block it is; 0 if these are not enough"),
        ("is_shared", pa.bool_(), "whether it came with a story in this block"),
        ("example", _INT, "an article of the block that has it"),
    ),
}
"""What a database keeps of learning: OUT/rows/NAME, for the table of that name."""

GROUPED_QUERY = """
    SELECT sightings.article_id, sightings.site, sightings.group_id, sightings.lines,
           sightings.group_id % {buckets} AS bucket
    FROM sightings JOIN groups ON groups.id = sightings.article_id
"""
"""Sightings of articles with a copy, by group, for `flag_groups`. Views: sightings, groups.

{buckets}: how many buckets the engine makes.
"""

BLOCKS_QUERY = """
    SELECT row_number() OVER (ORDER BY site, quarter) AS id, site, CAST(quarter AS BIGINT) AS quarter,
           count(*) AS articles, CAST(0 AS BIGINT) AS changes
    FROM sightings GROUP BY site, quarter
"""
"""The table `sight_block`, of some hundred thousand rows at most. View: sightings."""

SIGHTED_QUERY = """
    SELECT sightings.article_id, sightings.site, blocks.id AS block_id, sightings.group_id, sightings.title,
           coalesce(flagged.lines, sightings.lines) AS lines, sightings.hashes,
           sightings.shard % {buckets} AS bucket
    FROM sightings
    JOIN blocks ON blocks.site = sightings.site AND blocks.quarter = sightings.quarter
    LEFT JOIN flagged ON flagged.article_id = sightings.article_id
"""
"""The rows of SIGHTED, by site. Views: sightings, blocks (BLOCKS_QUERY), flagged.

`learn_sites` takes a bucket in the order of site, block_id, article_id.
"""

# Hashes of larger sites are read again from the files, for the few articles that are asked for.
IN_MEMORY = 100_000


def sightings_of_articles(articles: pa.Table, removed_text: pa.Table | None = None) -> pa.Table:
    """The table SIGHTINGS of articles. articles, removed_text: as the public tables.

    removed_text: of these articles; needed where lines were removed that had been learned before.
    """
    learned = _learned_removals(removed_text) if removed_text is not None else {}
    return pa.Table.from_batches(
        (_sightings(batch, learned) for batch in articles.to_batches()), schema=SIGHTINGS
    )


def _learned_removals(removed_text: pa.Table) -> Mapping[int, list[tuple[int, str, str]]]:
    """Learned lines that were removed, by article, in their order: (position, text, rule)."""
    found = defaultdict(list)
    learned = removed_text.filter(pc.starts_with(removed_text["rule"], LEARNED_RULE))
    columns = (learned[name].to_pylist() for name in ("article_id", "position", "text", "rule"))
    for id, *line in zip(*columns, strict=True):
        found[id].append((line[0], line[1], line[2]))
    return found


def _sightings(batch: pa.RecordBatch, learned: Mapping[int, list[tuple[int, str, str]]]) -> pa.RecordBatch:
    times = pc.cast(batch.column("first_seen_at"), pa.timestamp("us", tz="UTC"))
    columns = [batch.column(name) for name in ("id", "site", "group_id", "title", "text")]
    found: list[list[Any]] = [[] for _ in SIGHTINGS]
    for id, site, group_id, title, text, at in zip(
        *(column.to_pylist() for column in (*columns, times)), strict=True
    ):
        if not site:
            continue
        lines = restore_learned_lines(text, learned.get(id, ()))
        one = learning.inspect_text(id, site, group_id, title, at, lines)
        packed, hashes = one.lines.astype("<u4").tobytes(), sorted(learning.learnable_lines_of(lines))
        row = (id, shard_of(site), site, one.block[1], group_id, one.title, packed, hashes)
        for values, value in zip(found, row, strict=True):
            values.append(value)
    return pa.record_batch(found, schema=SIGHTINGS)


def flag_groups(sightings: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The table FLAGGED of groups. sightings: as GROUPED_QUERY gives them, in the order of group_id."""
    for _, of_group in groupby(_rows(sightings, ("group_id", "article_id", "site", "lines")), lambda r: r[0]):
        members = [(id, site, np.frombuffer(lines, dtype="<u4")) for _, id, site, lines in of_group]
        flagged = flag_shared_lines([(site, lines) for _, site, lines in members])
        changed = [
            (id, lines.astype("<u4").tobytes())
            for (id, _, before), lines in zip(members, flagged, strict=True)
            if not np.array_equal(before, lines)
        ]
        if changed:
            ids, packed = zip(*changed, strict=True)
            yield pa.record_batch([pa.array(ids, _INT), pa.array(packed, _BYTES)], schema=FLAGGED)


def _rows(batches: Iterable[pa.RecordBatch], names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for batch in batches:
        yield from zip(*(batch.column(name).to_pylist() for name in names), strict=True)


def learn_sites(
    sighted: Iterable[pa.RecordBatch], hashes_of: learning.HashesOf, *, in_memory: int = IN_MEMORY
) -> Iterator[pa.RecordBatch]:
    """The table `learned_line` of sites, a batch for each site that has a line to learn.

    sighted: rows of SIGHTED, in the order of site, block_id, article_id. hashes_of: of sites with more than
    in_memory articles, such as `hashes_in` the files that sighted comes from.
    """
    for _, batches in groupby(_by_site(sighted), lambda batch: batch.column("site")[0].as_py()):
        rows = _learn_site(batches, hashes_of, in_memory)
        if rows:
            yield pa.RecordBatch.from_pylist(rows, schema=LEARNED["learned_line"])


def _by_site(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches, cut so that each has one site."""
    for batch in batches:
        sites = pc.dictionary_encode(batch.column("site")).indices.to_numpy()
        cuts = [0, *(np.flatnonzero(np.diff(sites)) + 1).tolist(), len(batch)]
        for start, end in pairwise(cuts):
            if end > start:
                yield batch.slice(start, end - start)


def _learn_site(
    batches: Iterable[pa.RecordBatch], hashes_of: learning.HashesOf, in_memory: int
) -> list[dict[str, Any]]:
    names = ("block_id", "article_id", "group_id", "title", "lines")
    sightings: dict[int, list[ArticleLines]] = defaultdict(list)
    hashes: dict[int, NDArray[np.int64]] | None = {}
    count = 0
    for batch in batches:
        for block, id, group_id, title, lines in _rows([batch], names):
            sightings[block].append(ArticleLines(id, group_id, title, np.frombuffer(lines, dtype="<u4")))
        count += len(batch)
        if count > in_memory:
            hashes = None
        if hashes is not None:
            hashes.update(_hashes_by_article(batch))
    at_hand = hashes
    found = learning.evaluate_blocks(
        {block: {} for block in sightings},
        sightings.keys(),
        sightings.__getitem__,
        hashes_of if at_hand is None else lambda ids: {id: at_hand[id].tolist() for id in ids},
    )
    rows = chain.from_iterable(said.values() for said in found.values())
    return sorted(rows, key=lambda row: (row["block_id"], row["hash"]))


def hashes_in(files: Sequence[str]) -> learning.HashesOf:
    """Reads the hashes of some articles from Parquet files with the columns article_id and hashes."""
    import pyarrow.dataset as ds  # here, because it imports pandas where there is one

    dataset = ds.dataset(list(files), format="parquet")

    def read(ids: Iterable[int]) -> Mapping[int, NDArray[np.int64]]:
        wanted = ds.field("article_id").isin(pa.array(sorted(ids), _INT))
        found: dict[int, NDArray[np.int64]] = {}
        for batch in dataset.to_batches(columns=["article_id", "hashes"], filter=wanted):
            found.update(_hashes_by_article(batch))
        return found

    return read


def _hashes_by_article(batch: pa.RecordBatch) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """The hashes of each article, as slices of one array."""
    lists = batch.column("hashes")
    values = lists.flatten().to_numpy()
    ends = np.cumsum(pc.list_value_length(lists).to_numpy())
    yield from zip(batch.column("article_id").to_pylist(), np.split(values, ends[:-1]), strict=True)
