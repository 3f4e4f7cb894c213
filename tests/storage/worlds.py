"""Small worlds of news that have every kind of copy, and the groups of a database as comparable rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine, select

from pipeline import batch, copies
from pipeline.document import Article
from pipeline.settings import Settings
from storage import schema
from storage.base import microseconds
from storage.writing.revisions import load_fingerprints
from tests.pipeline.batch.made import bundled_pairs
from tests.storage.news import START, article, cut, story, wire


def world(count: int, seed: int, factor: int) -> list[Article]:
    """Copies, whole and cut, and for every eight of them: a page of several stories, a part of a story, an
    issue of a template, a stated copy, and a text without a fingerprint. Some are undated; the others are
    over three days, times `factor`.
    """
    chance = random.Random(seed)
    made = wire(count, seed=seed, stories=max(2, count // 8))
    for n in range(count // 8):
        at = START + timedelta(hours=chance.randrange(80), seconds=n)
        texts = [one.text for one in chance.sample(made, chance.choice([2, 2, 3]))]
        lines = texts[0].split("\n")
        site = f"https://more{n % 3}.example"
        made.append(article(f"{site}/briefs/{n}", "\n".join(texts), at))
        made.append(article(f"{site}/part/{n}", "\n".join(lines[len(lines) // 2 :]), at))
        template = story(seed, 60)
        made.append(article(f"{site}/issue/{n}", template.replace("1", str(n)), at, agency="Reuters"))
        # A stated copy with little in common, and one of a text that is not grouped.
        original = chance.choice(made)
        made.append(article(f"{site}/stated/{n}", cut(original.text, 0.2), at, syndicated_from=original.url))
        made.append(
            article(f"{site}/stub/{n}", original.text, at, fingerprint=None, syndicated_from=original.url)
        )
    dates = [one.published_at and START + (one.published_at - START) * factor for one in made]
    return [replace(one, published_at=None if n % 6 == 5 else dates[n]) for n, one in enumerate(made)]


@dataclass(frozen=True, slots=True)
class Grouping:
    """What grouping makes of the articles of a database, as sets of rows."""

    signatures: set[tuple[Any, ...]]
    bands: set[tuple[Any, ...]]
    pairs: set[tuple[Any, ...]]
    groups: set[tuple[Any, ...]]


_OF_PAIR = (*batch.PAIRS.names, "cut")


def stored(engine: Engine) -> Grouping:
    """What the database has."""
    signature, sketch = schema.signature, schema.sketch
    columns = signature.c.article_id, signature.c.position, sketch.c.version
    with engine.connect() as connection:

        def rows(*wanted: Any) -> set[tuple[Any, ...]]:
            return {tuple(row) for row in connection.execute(select(*wanted))}

        entries = select(*columns, signature.c.signature, signature.c["keys"]).join(
            sketch, sketch.c.id == signature.c.sketch_id
        )
        return Grouping(
            signatures={tuple(row) for row in connection.execute(entries)},
            bands=rows(schema.band.c.key, schema.band.c.position, schema.band.c.article_id),
            pairs=rows(*(schema.pair.c[name] for name in _OF_PAIR)),
            groups=rows(schema.article.c.id, schema.article.c.group_id, schema.article.c.is_canonical),
        )


def stories_of(connection: Connection) -> pa.Table:
    """The current texts of a database: a table STORIES with `fingerprint`."""
    table = schema.article
    rows = []
    found = connection.execute(select(table).order_by(table.c.id)).mappings().all()
    prints = load_fingerprints(connection, [row["id"] for row in found])
    for row in found:
        made = {name: row[name] for name in batch.STORIES.names if name in row}
        for name, at in (("fetched_at", row["first_seen_at"]), ("published_at", row["published_at"])):
            made[name] = microseconds(at) if isinstance(at, datetime) else None
        made["fingerprint"] = asdict(prints[row["id"]]) if row["id"] in prints else None
        rows.append(made)
    return pa.Table.from_pylist(rows, schema=batch.STORIES.append(pa.field("fingerprint", batch.FINGERPRINT)))


def grouped(
    stories: pa.Table, settings: Settings, *, slice: int = 1 << 18, buckets: int = 1, bundle: int = 1 << 18
) -> Grouping:
    """What the batch functions make of stories.

    slice: rows of the index that are looked at together. buckets: of bands. bundle: pairs that are verified
    together, and at least grouped together.
    """
    entries = batch.index_entries(stories, settings)
    found = candidates_of(stories, entries, settings, slice=slice, buckets=buckets)
    verified = pa.concat_tables(
        [batch.PAIRS.empty_table()]
        + [batch.verify(some, stories, settings) for some in _in_bundles(found, bundle)]
    )
    of_pair = {(a, b): n for n, (a, b) in enumerate(_pairs(verified))}
    groups = {(id, id, True) for id in stories["id"].to_pylist()}
    cuts: dict[tuple[int, int], int] = {}
    for some in _in_bundles(verified, bundle, are_whole=True):
        some = verified.take([of_pair[pair] for pair in _pairs(some)])
        made = batch.group(some, stories)
        groups -= {(id, id, True) for id in made.groups["id"].to_pylist()}
        groups |= _rows(made.groups)
        cuts |= {(a, b): cut for a, b, cut in _rows(made.cuts)}
    bands, positions, ids = (entries.bands[name].to_numpy() for name in batch.BANDS.names)
    keys = copies.row_keys(bands, positions)
    return Grouping(
        signatures=_rows(entries.signatures),
        bands=set(zip(keys.tolist(), positions.tolist(), ids.tolist(), strict=True)),
        pairs={(*row, cuts.get(row[:2])) for row in _rows(verified)},
        groups=groups,
    )


def candidates_of(
    stories: pa.Table, entries: batch.IndexEntries, settings: Settings, *, slice: int, buckets: int
) -> pa.Table:
    """All CANDIDATES, as an engine finds them by exchanges between the functions."""
    limits = settings.group
    parts = [batch.NEIGHBOURS.empty_table()]
    order = [(name, "ascending") for name in batch.BANDS.names]
    for bucket in range(buckets):
        here = pa.array(entries.bands["band"].to_numpy() % buckets == bucket)
        rows = entries.bands.filter(here).sort_by(order)
        parts += batch.neighbours_of_slices(rows.to_batches(max_chunksize=1000), limits, rows=slice)
    weighed = batch.summed(pa.concat_tables(parts))
    for end in "ab":
        signatures = entries.signatures.select(["id", "signature"]).rename_columns([end, f"{end}_signature"])
        weighed = weighed.join(signatures, end)
    found = batch.candidates(weighed.select(batch.WEIGHED.names), limits)
    printed = stories.filter(pc.field("fingerprint").is_valid())
    both = pa.concat_tables([found, batch.stated_copies(printed)])
    return both.group_by(["a", "b"]).aggregate([])


def _in_bundles(pairs: pa.Table, most: int, *, are_whole: bool = False) -> Iterator[pa.Table]:
    bundled = bundled_pairs(pairs.select(batch.CANDIDATES.names), most, are_whole=are_whole)
    for number in bundled["bundle"].unique().to_pylist():
        yield bundled.filter(pc.field("bundle") == number)


def _pairs(table: pa.Table) -> Iterator[tuple[int, int]]:
    return zip(table["a"].to_pylist(), table["b"].to_pylist(), strict=True)


def _rows(table: pa.Table) -> set[tuple[Any, ...]]:
    return set(zip(*(column.to_pylist() for column in table.columns), strict=True))
