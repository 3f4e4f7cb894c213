"""The stages of a backfill in their order, from documents to public tables.

Each is a list of tasks, or one exchange; both may be repeated, and what is finished is skipped. So a
backfill whose driver was killed goes on where it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from crawler.backfill import queries
from crawler.backfill.datasets import files_of, read, write
from crawler.backfill.engines import Engine
from crawler.backfill.folder import Folder
from crawler.backfill.inputs import Part
from crawler.backfill.manifest import Manifest, begin, write_manifest
from crawler.backfill.stages import (
    LINKS,
    Context,
    bucket_tasks,
    bundle_candidates,
    bundle_pairs,
    choose_candidates,
    describe_groups,
    find_neighbours,
    flag_lines,
    group_bundle,
    index,
    learn_lines,
    make_tables,
    process_part,
    process_tasks,
    settle,
    verify_bundle,
    write_blocks,
)
from pipeline.batch import components
from pipeline.settings import Settings
from storage.bulk import BLOCKS_QUERY, GROUPED_QUERY, PUBLIC, SIGHTED_QUERY

# Rows of other datasets for each row of outcomes in a bucket. They are narrow: numbers, names, signatures.
_BANDS_A_ROW = 100
_PAIRS_A_ROW = 50
_MEMBERS_A_ROW = 10
_SIGHTINGS_A_ROW = 2

OVERRIDES = pa.schema([("shard", pa.int32()), ("target", pa.int32())])
"""Shards that are settled with others: in the bucket of `target`."""

EARLIER = pa.schema([("part", pa.int64()), ("earlier", pa.int64())])
"""Of each part of the inputs, how many keys the parts before it have."""

# Outcomes of a bucket, in memory: of long texts there are fewer than the setting says. Settling takes up to
# four times as much (`storage.bulk.settle_bucket`), and a column of texts in Arrow ends at 2 GB.
_BUCKET_BYTES = 256 << 20

_ENDS = ("stored", "revised", "updated", "unchanged", "rejected")

BucketFunction = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Result:
    """What a backfill came to. is_new: False if the folder was complete before."""

    folder: str
    manifest: Manifest
    is_new: bool


def backfill(
    engine: Engine,
    folder: Folder,
    parts: list[Part],
    settings: Settings,
    *,
    workers: int,
    rows_per_bucket: int,
    task_memory: int,
    temporary: str | None = None,
) -> Result:
    """Fill the folder, or go on with it. The caller holds its lock.

    workers: worker processes of a process that runs tasks. rows_per_bucket: outcomes that are settled at
    once, about. task_memory: bytes that a task may use for sorting. temporary: a folder for what does not
    fit; None for that of each machine, $TMPDIR. Raises OperatorError where the folder cannot be taken up or
    an input cannot be read, PoolBroken, and `Stopped`.
    """
    manifest = begin(folder, parts, settings, rows_per_bucket)
    if manifest.is_complete:
        return Result(folder.root, manifest, is_new=False)
    run = _Run(engine, Context(folder, settings, task_memory, temporary), rows_per_bucket, manifest)
    run.process(parts, workers)
    run.settle()
    run.find_copies()
    run.make_tables()
    run.learn()
    manifest = replace(run.manifest, counts=run.counts(), is_complete=True)
    write_manifest(folder, manifest)
    # What is passed between stages is many times what is kept.
    for name in os.listdir(folder.path("work")):
        if name not in ("lock", "tmp"):
            shutil.rmtree(folder.work(name), ignore_errors=True)
    return Result(folder.root, manifest, is_new=True)


class _Run:
    """The stages. manifest: grows with each."""

    def __init__(self, engine: Engine, context: Context, rows_per_bucket: int, manifest: Manifest) -> None:
        self.manifest = manifest
        self._engine = engine
        self._context = context
        self._folder = context.folder
        self._rows = rows_per_bucket

    def process(self, parts: list[Part], workers: int) -> None:
        """Documents into outcomes and pages."""
        function = partial(
            process_part,
            folder=self._folder,
            settings=self._context.settings,
            workers=workers,
            report=self._engine.report(),
        )
        tasks = process_tasks(self._folder, parts)
        self._engine.tasks("process", tasks, function, has_workers=True)
        self._finish("process")

    def settle(self) -> None:
        """Outcomes by URL, settled; ids of articles and pages."""
        buckets = self._buckets
        self._write_once("overrides", self._overrides)
        self._exchange(
            "settle: outcomes by URL",
            queries.OUTCOMES_BY_URL.format(buckets=buckets),
            {"outcomes": self._folder.path("outcomes"), "overrides": "overrides"},
            "buckets",
        )
        self._tasks("settle", settle, range(buckets))
        for kind, key in (("article", "first"), ("page", "sequence")):
            keys = f"{kind}_keys"
            self._exchange(
                f"ids of {kind}s: sizes",
                queries.SIZES_OF_PARTS,
                {"found": keys},
                f"{kind}_sizes",
                by_bucket=False,
            )
            self._write_once(f"{kind}_earlier", partial(self._earlier, f"{kind}_sizes"))
            self._exchange(
                f"ids of {kind}s",
                queries.IDS_OF_KEYS.format(key=key),
                {"found": keys, "earlier": f"{kind}_earlier"},
                f"{'' if kind == 'article' else 'page_'}ids",
            )
        self._finish("settle")

    def find_copies(self) -> None:
        """Neighbours, candidates, verified pairs, groups."""
        self._tasks("index", index, range(self._buckets))
        bands = self._folder.counts("index").get("bands", 0)
        buckets = self._number(bands, _BANDS_A_ROW)
        self._exchange(
            "neighbours: bands",
            queries.BANDS_BY_NUMBER.format(buckets=buckets),
            {"bands": "bands"},
            "band_buckets",
        )
        self._tasks("neighbours", find_neighbours, range(buckets))
        self._choose_candidates()
        self._one_task("bundles", bundle_candidates)
        self._exchange(
            "verify: texts by bundle",
            queries.TEXTS_BY_BUNDLE,
            {"bundles": "bundles", "stories": "stories"},
            "compared",
        )
        # One at least, so that there is a file of pairs, if without rows.
        bundles = max(1, self._folder.counts("bundles")["bundles"])
        self._tasks("verify", verify_bundle, range(bundles))
        self._group()
        self._finish("copies")

    def _choose_candidates(self) -> None:
        enough = self._context.settings.group.bands_shared
        pairs = self._folder.counts("neighbours").get("neighbours", 0)
        buckets = self._number(pairs, _PAIRS_A_ROW)
        # Signatures decide only where weights do not.
        self._exchange(
            "candidates: weights of pairs",
            queries.WEIGHTS_OF_PAIRS.format(buckets=buckets, enough=enough),
            {"neighbours": "neighbours", "signatures": "signatures"},
            "weighed",
        )
        self._tasks("candidates", choose_candidates, range(buckets))
        self._exchange(
            "candidates: stated copies",
            queries.STATED_CANDIDATES,
            {"stated": "stated"},
            "stated_candidates",
            by_bucket=False,
        )
        self._exchange(
            "candidates: each once",
            queries.ALL_CANDIDATES,
            {"near": "near_candidates", "stated": "stated_candidates", "signatures": "signatures"},
            "candidates",
            by_bucket=False,
        )

    def _group(self) -> None:
        self._one_task("group bundles", bundle_pairs)
        self._exchange(
            "groups: pairs by component",
            queries.PAIRS_BY_BUNDLE,
            {"pairs": "pairs", "bundles": "group_bundles"},
            "grouped_pairs",
        )
        self._exchange(
            "groups: articles by component",
            queries.STORIES_BY_BUNDLE,
            {"bundles": "group_bundles", "stories": "stories"},
            "grouped_stories",
        )
        bundles = max(1, self._folder.counts("group bundles")["bundles"])
        self._tasks("groups", group_bundle, range(bundles))

    def make_tables(self) -> None:
        """Public tables and the rows of private ones."""
        self._exchange(
            "tables: groups by bucket",
            queries.GROUPS_BY_BUCKET,
            {"groups_": "groups", "ids": "ids"},
            "groups_of_buckets",
        )
        self._tasks("tables", make_tables, range(self._buckets))
        articles = self._folder.counts("tables").get("articles", 0)
        buckets = self._number(articles, _MEMBERS_A_ROW)
        self._exchange(
            "story groups: members",
            queries.MEMBERS_BY_GROUP.format(buckets=buckets),
            {"members": "group_members"},
            "members_of_groups",
        )
        self._tasks("story groups", describe_groups, range(buckets))
        self._finish("tables")

    def learn(self) -> None:
        """Lines of sites."""
        articles = self._folder.counts("tables").get("articles", 0)
        buckets = self._number(articles, _SIGHTINGS_A_ROW)
        self._exchange(
            "learn: lines by group",
            GROUPED_QUERY.format(buckets=buckets),
            {"sightings": "sightings", "groups": "groups"},
            "grouped_sightings",
        )
        self._tasks("shared lines", flag_lines, range(buckets))
        self._exchange("learn: blocks", BLOCKS_QUERY, {"sightings": "sightings"}, "blocks", by_bucket=False)
        self._one_task("blocks", write_blocks)
        self._exchange(
            "learn: lines by site",
            SIGHTED_QUERY.format(buckets=buckets),
            {"sightings": "sightings", "blocks": "blocks", "flagged": "flagged"},
            "sighted",
        )
        self._tasks("learn", learn_lines, range(buckets))
        self._finish("learn")

    def counts(self) -> dict[str, Any]:
        """What the manifest counts: documents by their end, rejections by reason, rows by table."""
        settled = self._folder.counts("settle")
        rows: dict[str, int] = {}
        for stage in ("tables", "groups", "story groups"):
            for name, count in self._folder.counts(stage).items():
                if name in PUBLIC or name == "pages":
                    rows[name] = rows.get(name, 0) + count
        return {
            "documents": {end: settled.get(end, 0) for end in _ENDS},
            "reasons": {
                name.removeprefix("rejected: "): count
                for name, count in sorted(settled.items())
                if name.startswith("rejected: ")
            },
            "faults": self._folder.counts("process").get("faults", 0),
            "grouped": self._folder.counts("groups").get("grouped", 0),
            "rows": rows,
        }

    @property
    def _buckets(self) -> int:
        """How many buckets outcomes are settled in."""
        made = self._folder.counts("process")
        return max(self._number(made.get("outcomes", 0), 1), -(-made.get("bytes", 0) // _BUCKET_BYTES))

    def _number(self, rows: int, for_each: int) -> int:
        """Of how many buckets, where a bucket may have so many rows for each row of outcomes."""
        return max(1, -(-rows // (self._rows * for_each)))

    def _tasks(self, stage: str, function: BucketFunction, buckets: Iterable[int]) -> None:
        tasks = bucket_tasks(self._folder, stage, buckets)
        self._engine.tasks(stage, tasks, partial(function, context=self._context))

    def _one_task(self, stage: str, function: BucketFunction) -> None:
        self._tasks(stage, function, [0])

    def _exchange(
        self, stage: str, sql: str, inputs: Mapping[str, str], out: str, *, by_bucket: bool = True
    ) -> None:
        paths = {
            name: dataset if os.path.isabs(dataset) else self._folder.work(dataset)
            for name, dataset in inputs.items()
        }
        query = " ".join(sql.split())
        self._engine.exchange(stage, query, paths, self._folder.work(out), by_bucket=by_bucket)

    def _write_once(self, dataset: str, make: Callable[[], pa.Table]) -> None:
        """A small dataset that the driver makes."""
        path = self._folder.work(f"{dataset}/all.parquet")
        if not os.path.exists(path):
            write(self._folder, path, make())

    def _overrides(self) -> pa.Table:
        """Each shard that is linked to others, with the least of them."""
        links = read(files_of(self._folder, "links"), LINKS)
        linked = components(*(links[name].cast(pa.int64()).to_numpy() for name in LINKS.names))
        return pa.table([pa.array(linked.ids), pa.array(linked.labels)], names=OVERRIDES.names).cast(
            OVERRIDES
        )

    def _earlier(self, dataset: str) -> pa.Table:
        sizes = read(files_of(self._folder, dataset), _SIZES).sort_by("part")
        number = sizes["number"].to_numpy()
        return pa.table([sizes["part"], pa.array(np.cumsum(number) - number)], schema=EARLIER)

    def _finish(self, stage: str) -> None:
        self.manifest = self.manifest.finished(stage)
        write_manifest(self._folder, self.manifest)


_SIZES = pa.schema([("part", pa.int64()), ("number", pa.int64())])
