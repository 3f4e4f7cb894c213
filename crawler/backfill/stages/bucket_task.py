"""A task that does one bucket of a stage, and what it needs to know besides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crawler.backfill.folder import Folder
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """memory_bytes: what a task may use for sorting, about.

    temporary: the folder where it sorts what does not fit; None for that of its machine.
    """

    folder: Folder
    settings: Settings
    memory_bytes: int
    temporary: str | None = None


@dataclass(frozen=True, slots=True)
class BucketTask:
    """One bucket of a stage."""

    name: str
    done: str
    bucket: int


def bucket_tasks(folder: Folder, stage: str, buckets: Iterable[int]) -> list[BucketTask]:
    """A task for each bucket."""
    return [
        BucketTask(name, folder.done(stage, name), bucket)
        for bucket, name in ((bucket, f"bucket-{bucket:06}") for bucket in buckets)
    ]
