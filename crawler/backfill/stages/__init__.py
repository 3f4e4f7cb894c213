"""What the tasks of each stage do: they read Parquet files, call the pure functions, and write Parquet files.

process     documents of a part into outcomes and pages
settle      outcomes of a bucket into articles, texts and rejections, then index entries, then tables
compare     neighbours, candidates, verified pairs, groups
learn       lines that copies share, lines of sites
"""

from crawler.backfill.stages.bucket_task import BucketTask, Context, bucket_tasks
from crawler.backfill.stages.compare import (
    bundle_candidates,
    bundle_pairs,
    choose_candidates,
    describe_groups,
    find_neighbours,
    group_bundle,
    verify_bundle,
)
from crawler.backfill.stages.learn import flag_lines, learn_lines, write_blocks
from crawler.backfill.stages.process import LINKS, ProcessTask, process_part, process_tasks
from crawler.backfill.stages.settle import index, make_tables, settle

__all__ = [
    "LINKS",
    "BucketTask",
    "Context",
    "ProcessTask",
    "bucket_tasks",
    "bundle_candidates",
    "bundle_pairs",
    "choose_candidates",
    "describe_groups",
    "find_neighbours",
    "flag_lines",
    "group_bundle",
    "index",
    "learn_lines",
    "make_tables",
    "process_part",
    "process_tasks",
    "settle",
    "verify_bundle",
    "write_blocks",
]
