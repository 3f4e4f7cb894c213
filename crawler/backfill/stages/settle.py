"""Settles the outcomes of a bucket, and makes the index entries and the tables of what they left."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from crawler.backfill.datasets import (
    bucket_name,
    bucket_path,
    read_bucket,
    write,
    write_public,
)
from crawler.backfill.stages.bucket_task import BucketTask, Context
from crawler.backfill.stages.process import ORDINAL_BITS
from pipeline.batch import INDEXED, OUTCOMES, STATED, STORIES, index_entries
from storage.bulk import (
    GROUPS,
    IDS,
    PAGE_IDS,
    SETTLED,
    Settled,
    band_rows,
    settle_bucket,
    sightings_of_articles,
    signature_rows,
    tables_of_bucket,
)

KEYS = pa.schema([("key", pa.int64()), ("part", pa.int64())])
"""Keys of articles (`first`) or pages (`sequence`), and the part of the inputs that each is in."""


def settle(task: BucketTask, *, context: Context) -> None:
    """OUTCOMES of a bucket into SETTLED, and the keys that ids are made of. Counts the ends of documents."""
    folder = context.folder
    settled = settle_bucket(read_bucket(folder, "buckets", task.bucket, OUTCOMES), context.settings)
    for name, table in settled.tables().items():
        write(folder, bucket_path(folder, f"settled/{name}", task.bucket), table)
    for name, keys in (("article_keys", settled.articles["first"]), ("page_keys", settled.pages["sequence"])):
        parts = pa.array(keys.to_numpy() >> ORDINAL_BITS, pa.int64())
        table = pa.table([keys.cast(pa.int64()), parts], schema=KEYS)
        write(folder, bucket_path(folder, name, task.bucket), table)
    counts: Counter[str] = Counter()
    for row in settled.counts.to_pylist():
        counts[row["end"]] += row["documents"]
        if row["reason"] is not None:
            counts[f"rejected: {row['reason']}"] += row["documents"]
    folder.write_json(task.done, counts)


def index(task: BucketTask, *, context: Context) -> None:
    """STORIES of the articles of a bucket, and their entries in the index of near-duplicates."""
    folder = context.folder
    articles = read_bucket(folder, "settled/articles", task.bucket, SETTLED["articles"]).sort_by("first")
    texts = read_bucket(folder, "settled/texts", task.bucket, SETTLED["texts"])
    texts = texts.filter(texts["is_current"]).sort_by("first")
    ids = read_bucket(folder, "ids", task.bucket, IDS).sort_by("first")
    if not articles["first"].equals(texts["first"]) or not articles["first"].equals(ids["first"]):
        raise ValueError(f"bucket {task.bucket}: not every article has one current text and an id")
    of_article = {"id": ids["id"], "fetched_at": articles["first_seen_at"]}
    of_article |= {name: articles[name] for name in ("url", "site")}
    columns = [of_article[name] if name in of_article else texts[name] for name in STORIES.names]
    stories = pa.table(
        [column.cast(kind) for column, kind in zip(columns, STORIES.types, strict=True)], schema=STORIES
    )
    entries = index_entries(
        stories.append_column("fingerprint", texts["fingerprint"]).select(INDEXED), context.settings
    )
    stated = stories.select(STATED).filter(texts["fingerprint"].is_valid())
    write(folder, bucket_path(folder, "stories", task.bucket), stories)
    write(folder, bucket_path(folder, "signatures", task.bucket), entries.signatures)
    write(folder, bucket_path(folder, "bands", task.bucket), entries.bands)
    write(folder, bucket_path(folder, "stated", task.bucket), stated)
    name = bucket_name(task.bucket)
    write(folder, folder.path("rows", "signature", name), signature_rows(entries.signatures))
    write(folder, folder.path("rows", "band", name), band_rows(entries.bands))
    folder.write_json(task.done, {"articles": stories.num_rows, "bands": entries.bands.num_rows})


def make_tables(task: BucketTask, *, context: Context) -> None:
    """The public tables and the rows of private tables of a bucket, and the lines of its articles."""
    folder = context.folder
    settled = Settled(
        **{name: read_bucket(folder, f"settled/{name}", task.bucket, kind) for name, kind in SETTLED.items()}
    )
    made = tables_of_bucket(
        settled,
        read_bucket(folder, "ids", task.bucket, IDS),
        read_bucket(folder, "page_ids", task.bucket, PAGE_IDS),
        read_bucket(folder, "groups_of_buckets", task.bucket, GROUPS),
    )
    for name, table in made.public.items():
        write_public(folder, name, task.bucket, table)
    for name, table in made.rows.items():
        write(folder, folder.path("rows", name, bucket_name(task.bucket)), table)
    sightings = sightings_of_articles(made.public["articles"], made.public["removed_text"])
    write(folder, bucket_path(folder, "sightings", task.bucket), sightings)
    members = made.public["articles"].select(MEMBERS_OF_GROUPS)
    write(folder, bucket_path(folder, "group_members", task.bucket), members)
    counts = {name: table.num_rows for name, table in made.public.items()}
    folder.write_json(task.done, {**counts, "pages": made.rows["page"].num_rows})


MEMBERS_OF_GROUPS = ["group_id", "id", "is_canonical", "site", "agency", "published_at"]
