"""The folder that a backfill fills: where everything is, and how a file appears there.

    manifest.json                   versions, inputs, settings, counts, finished stages
    articles/ revisions/ …          public tables, one Parquet file a bucket
    rows/TABLE/                     what a database has besides them
    outcomes/ pages/                what the documents gave, one file a part; what `copydesk load` merges
    work/DATASET/                   what is passed between stages
    work/done/STAGE/                a file for each finished task, with its counts
    work/tmp/                       what is not complete yet

A file is written to work/tmp, flushed to the disk, and renamed. So whatever has its final name is complete.
The folder must be one that all executors see by the same path.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from pipeline.errors import OperatorError


class FolderBusy(OperatorError):
    """Raised where another process fills the folder."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths in the folder. root: absolute."""

    root: str

    def path(self, *names: str) -> str:
        return os.path.join(self.root, *names)

    def work(self, dataset: str) -> str:
        """The folder of a dataset that is passed between stages."""
        return self.path("work", dataset)

    def done(self, stage: str, task: str) -> str:
        """The file that says that a task is finished."""
        return self.path("work", "done", stage, f"{task}.json")

    @property
    def temporary(self) -> str:
        return self.path("work", "tmp")

    @contextmanager
    def replacing(self, path: str) -> Iterator[str]:
        """Give a temporary name; what stands there at the end is renamed to the path, which it replaces.

        A folder replaces nothing: if the path exists, another attempt was faster, and ours is deleted.
        """
        os.makedirs(self.temporary, exist_ok=True)
        temporary = os.path.join(self.temporary, f"{secrets.token_hex(8)}-{os.path.basename(path)}")
        try:
            yield temporary
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.isdir(temporary):
                with suppress(OSError):
                    os.rename(temporary, path)
                if not os.path.isdir(path):
                    raise OSError(f"{path}: cannot be renamed to this")
            else:
                _flush(temporary)
                os.replace(temporary, path)
        finally:
            if os.path.isdir(temporary):
                shutil.rmtree(temporary, ignore_errors=True)
            else:
                with suppress(FileNotFoundError):
                    os.remove(temporary)

    def write_json(self, path: str, value: Mapping[str, Any]) -> None:
        with self.replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, sort_keys=True)
            file.write("\n")

    def counts(self, stage: str) -> dict[str, int]:
        """The sums of what the finished tasks of a stage have counted."""
        total: dict[str, int] = {}
        folder = self.path("work", "done", stage)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for key, count in json.load(file).items():
                    total[key] = total.get(key, 0) + count
        return total

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other drivers. Raises FolderBusy."""
        os.makedirs(self.path("work"), exist_ok=True)
        with open(self.path("work", "lock"), "a", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FolderBusy(f"{self.root}: another process is filling this folder") from error
            # Whatever is there was left by a driver that was killed.
            shutil.rmtree(self.temporary, ignore_errors=True)
            os.makedirs(self.temporary, exist_ok=True)
            yield


def _flush(path: str) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
