"""The rows of each table of a database, from the files of a backfill.

A table has its columns in one dataset, or in two with the same rows in the same order: a public table, and
what a database has besides. Parts of a dataset are sorted; `merged_rows` gives all rows of a table in order.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Dialect
from sqlalchemy.types import TypeEngine

from pipeline.errors import OperatorError
from storage import schema
from storage.bulk.loading.folder import BackfillFolder, batches_of
from storage.schema import Json, UtcTime

Row = tuple[Any, ...]

# Most parts that are read side by side: each is an open file, and pages of it in memory.
MERGED = 64

# Rows that are read of a file at once: of wide tables, and of those that have numbers and names only.
_WIDE, _NARROW = 256, 8192


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a table are.

    datasets: folders whose parts have the same names and rows. renamed: columns of the table that have
    different names there. key: columns by which each part is sorted; () if by something else.
    """

    table: str
    datasets: tuple[str, ...]
    key: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)
    at_once: int = _NARROW

    @property
    def columns(self) -> list[str]:
        """The columns of the table that the rows have, in their order."""
        return [column.name for column in schema.metadata.tables[self.table].columns]


_PAIR = {"a": "article_id", "b": "other_id", "a_start": "article_from", "a_end": "article_to"}
_PAIR |= {"b_start": "other_from", "b_end": "other_to"}

# `sketch`, `change`, `run` and `counter` follow from these.
SOURCES = (
    Source("article", ("articles", "rows/article"), ("id",), at_once=_WIDE),
    Source("revision", ("rows/revision",), ("article_id",), at_once=_WIDE),
    Source("removal", ("removed_text", "rows/removal"), ("article_id", "line")),
    Source("document", ("rows/document",), ("location", "digest")),
    Source("rejection", ("rejections", "rows/rejection"), ("location",)),
    Source("quarantine", ("rows/quarantine",), ("location", "digest")),
    Source("signature", ("rows/signature",), ("article_id",), {"sketch_id": "sketch"}),
    Source("band", ("rows/band",), ()),
    Source("pair", ("copies", "rows/pair"), ("a", "b"), _PAIR),
    Source("sight_block", ("rows/sight_block",), ("id",)),
    Source("sighting", ("rows/sighting",), ()),
    Source("learned_line", ("rows/learned_line",), ("block_id", "hash")),
)

# Apart from the tables of `schema`: words of full-text search, and pages, whose bytes are elsewhere.
SEARCH_ENTRY = Source("search_entry", ("rows/search_entry",), ("article_id",), at_once=_WIDE)
PAGE = Source("page", ("rows/page",), ("id",))


@dataclass(frozen=True, slots=True)
class Context:
    """What rows of a database have that files do not know.

    run_id: the run of rejections. sketches: ids of index versions.
    """

    dialect: Dialect
    run_id: int
    sketches: Mapping[str, int]


def parts_of(folder: BackfillFolder, source: Source) -> list[tuple[Path, ...]]:
    """The files of each part: one of each dataset."""
    first, *others = (folder.parts(dataset) for dataset in source.datasets)
    names = [part.relative_to(folder.path / source.datasets[0]) for part in first]
    for dataset, parts in zip(source.datasets[1:], others, strict=True):
        if [part.relative_to(folder.path / dataset) for part in parts] != names:
            raise OperatorError(f"{folder.path / dataset}: its parts are not those of {source.datasets[0]}")
    return list(zip(first, *others, strict=True))


def rows_of_part(source: Source, part: Sequence[Path], context: Context) -> Iterator[list[Row]]:
    """The rows of a part as the database's driver takes them, in their order, some at a time."""
    table = schema.metadata.tables[source.table]
    for batches in _aligned([batches_of(file, source.at_once) for file in part]):
        columns = [
            _column(source, name, batches, context, table.c[name].type, len(batches[0]))
            for name in source.columns
        ]
        yield list(zip(*columns, strict=True))


def is_merged(folder: BackfillFolder, source: Source) -> bool:
    """Whether `merged_rows` gives the rows of the table in the order of its key."""
    return bool(source.key) and len(folder.parts(source.datasets[0])) <= MERGED


def merged_rows(folder: BackfillFolder, source: Source, context: Context) -> Iterator[Row]:
    """All rows of a table; in the order of its key, if they are not in too many parts (`is_merged`)."""
    names = source.columns
    key = itemgetter(*(names.index(name) for name in source.key)) if source.key else None
    streams = [_flat(rows_of_part(source, part, context)) for part in parts_of(folder, source)]
    if key is None or not is_merged(folder, source):
        for stream in streams:
            yield from stream
        return
    yield from heapq.merge(*streams, key=key)


def words_of_part(part: Path) -> Iterator[list[Row]]:
    """(article id, digest, words of the title, words of the text) of a part of `rows/search_entry`."""
    for batch in batches_of(part, SEARCH_ENTRY.at_once):
        names = ("article_id", "digest", "title", "text")
        yield list(zip(*(batch.column(name).to_pylist() for name in names), strict=True))


def merged_words(folder: BackfillFolder) -> Iterator[Row]:
    """As `words_of_part`, of all articles; by id, as `merged_rows`."""
    streams = [_flat(words_of_part(part)) for part in folder.parts(SEARCH_ENTRY.datasets[0])]
    if not is_merged(folder, SEARCH_ENTRY):
        for stream in streams:
            yield from stream
        return
    yield from heapq.merge(*streams, key=itemgetter(0))


def sequence_ranges(parts: Iterable[Path]) -> list[tuple[Path, int, int]]:
    """The files with rows, each with its first and its last sequence, in the order of these."""
    found = []
    for part in parts:
        groups = list(_group_ranges(pq.read_metadata(part)))
        if groups:
            found.append((part, min(low for _, low, _ in groups), max(high for _, _, high in groups)))
    return sorted(found, key=itemgetter(1))


def _group_ranges(file: pq.FileMetaData) -> Iterator[tuple[int, int, int]]:
    """The row groups that have rows, each with its first and its last sequence."""
    column = file.schema.to_arrow_schema().get_field_index("sequence")
    for number in range(file.num_row_groups):
        group = file.row_group(number)
        if group.num_rows:
            of = group.column(column).statistics
            yield number, of.min, of.max


def body_reader(parts: Sequence[Path]) -> Callable[[int], bytes]:
    """A function that returns the bytes of the page of a sequence; asked in ascending order.

    parts: of `pages`, in the order of `sequence_ranges`; each is read once. Raises OperatorError.
    """
    bodies = (
        pair
        for part in parts
        for batch in batches_of(part, 64)
        for pair in zip(batch.column("sequence").to_pylist(), batch.column("body").to_pylist(), strict=True)
    )

    def body_of(sequence: int) -> bytes:
        for at, body in bodies:
            if at == sequence:
                return bytes(body)
        raise OperatorError(f"the bytes of page {sequence} are missing in {parts[0].parent if parts else ''}")

    return body_of


@contextmanager
def page_parts(folder: BackfillFolder) -> Iterator[list[Path]]:
    """Give the files of rows of `page`, each sorted by id: at most MERGED, which are read side by side.

    More are brought into so many temporary files first, in $TMPDIR. A MERGED-th of all rows is in memory,
    half a kilobyte each.
    """
    parts = folder.parts("rows/page")
    if len(parts) <= MERGED:
        yield parts
        return
    with TemporaryDirectory(prefix="copydesk-load-") as spool:
        merged = [Path(spool, f"{number:06}.parquet") for number in range(MERGED)]
        for number, path in enumerate(merged):
            rows = pa.concat_tables(pq.read_table(part, partitioning=None) for part in parts[number::MERGED])
            pq.write_table(rows.sort_by("id"), path, row_group_size=_NARROW)
        yield merged


def pages_between(
    parts: Sequence[Path], ranges: Sequence[tuple[Path, int, int]], context: Context
) -> Iterator[list[Row]]:
    """Rows of `page` with their bytes, by id: those whose bytes are in these files, in the order of
    `sequence_ranges`. parts: of `page_parts`.

    Ids and sequences have one order. So rows and bytes are read side by side, each once.
    """
    if not ranges:
        return
    low, high = ranges[0][1], ranges[-1][2]
    streams = [_page_rows(part, low, high, context) for part in parts]
    body_at = PAGE.columns.index("body")
    body_of = body_reader([path for path, _, _ in ranges])
    rows: list[Row] = []
    for sequence, row in heapq.merge(*streams, key=itemgetter(0)):
        rows.append((*row[:body_at], body_of(sequence), *row[body_at + 1 :]))
        if len(rows) >= _WIDE:
            yield rows
            rows = []
    if rows:
        yield rows


def _page_rows(part: Path, low: int, high: int, context: Context) -> Iterator[tuple[int, Row]]:
    """(sequence, row without its bytes) of a part, for sequences from `low` to `high`."""
    table = schema.metadata.tables["page"]
    with pq.ParquetFile(part) as file:
        groups = [n for n, least, most in _group_ranges(file.metadata) if most >= low and least <= high]
        for batch in file.iter_batches(batch_size=_NARROW // 8, row_groups=groups) if groups else ():
            sequences = batch.column("sequence")
            batch = batch.filter(pc.and_(pc.greater_equal(sequences, low), pc.less_equal(sequences, high)))
            columns = [
                [None] * len(batch)
                if name == "body"
                else _values(batch.column(name), table.c[name].type, context.dialect)
                for name in PAGE.columns
            ]
            yield from zip(batch.column("sequence").to_pylist(), zip(*columns, strict=True), strict=True)


def _flat(batches: Iterator[list[Row]]) -> Iterator[Row]:
    for rows in batches:
        yield from rows


def _aligned(streams: Sequence[Iterator[pa.RecordBatch]]) -> Iterator[list[pa.RecordBatch]]:
    """Batches of files with the same rows, cut to one length. Raises OperatorError if one ends early."""
    held: list[pa.RecordBatch | None] = [None] * len(streams)
    while True:
        for n, stream in enumerate(streams):
            while (batch := held[n]) is None or not len(batch):
                held[n] = next(stream, None)
                if held[n] is None:
                    break
        present = [batch for batch in held if batch is not None]
        if not present:
            return
        if len(present) < len(streams):
            raise OperatorError("files that belong together have different numbers of rows")
        size = min(map(len, present))
        yield [batch.slice(0, size) for batch in present]
        held = [batch.slice(size) for batch in present]


def _column(
    source: Source,
    name: str,
    batches: Sequence[pa.RecordBatch],
    context: Context,
    kind: TypeEngine[Any],
    count: int,
) -> Sequence[Any]:
    if (source.table, name) == ("rejection", "run_id"):
        return [context.run_id] * count
    stored = source.renamed.get(name, name)
    column = next(batch.column(stored) for batch in batches if stored in batch.schema.names)
    if (source.table, name) == ("signature", "sketch_id"):
        return [context.sketches[version] for version in column.to_pylist()]
    return _values(column, kind, context.dialect)


def _values(column: pa.Array, kind: TypeEngine[Any], dialect: Dialect) -> list[Any]:
    """The values of a column as the database's driver takes them."""
    is_sqlite = dialect.name == "sqlite"
    if isinstance(kind, UtcTime):
        if pa.types.is_integer(column.type):
            column = column.cast(pa.timestamp("us"))
        column = column.cast(pa.timestamp("s"), safe=False).cast(pa.timestamp("s", tz="UTC"))
        if is_sqlite:  # as `utc_text`
            column = pc.replace_substring(column.cast(pa.string()), " ", "T")
        return list(column.to_pylist())
    if isinstance(kind, Json):
        given = column.to_pylist()
        if pa.types.is_string(column.type):
            given = [None if value is None else json.loads(value) for value in given]
        elif kind.column == "removed":
            given = [[[line["position"], line["text"], line["rule"]] for line in lines] for lines in given]
        return [kind.process_bind_param(value, dialect) for value in given]
    return list(column.to_pylist())
