"""The manifest of a backfill: what was read, by which versions and settings, and what came of it.

A folder is taken up again with the same inputs, settings and versions only, or its parts would not belong
together.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from typing import Any

from crawler.backfill.folder import Folder
from crawler.backfill.inputs import Part, name_of, state_of
from pipeline.errors import OperatorError
from pipeline.settings import Settings
from storage.bulk import FOLDER_FORMAT, site_rules_digest

_INPUTS = "inputs.jsonl"


@dataclass(frozen=True, slots=True)
class Manifest:
    """manifest.json.

    format: of the folder. versions: of Copydesk, the rules, fingerprints and groups. settings: what else
    decides about rows. inputs: their number, bytes and digest; inputs.jsonl lists them. counts: of rows by
    table, and of documents by end, once known. stages: those that are finished, in their order.
    is_complete: whether all are, and the folder can be loaded.
    """

    format: int
    versions: Mapping[str, str]
    settings: Mapping[str, Any]
    inputs: Mapping[str, Any]
    counts: Mapping[str, Any] = field(default_factory=dict)
    stages: Sequence[str] = ()
    is_complete: bool = False

    def finished(self, stage: str) -> Manifest:
        """The manifest after a stage."""
        return self if stage in self.stages else replace(self, stages=(*self.stages, stage))


def read_manifest(folder: Folder) -> Manifest | None:
    """The manifest of a folder; None if it has none. Raises OperatorError for one of another release."""
    path = folder.path("manifest.json")
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
        found = Manifest(**{**value, "stages": tuple(value["stages"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise OperatorError(f"{path}: not the manifest of a backfill") from error
    if found.format != FOLDER_FORMAT:
        raise OperatorError(f"{path}: written by another release of Copydesk (format {found.format})")
    return found


def write_manifest(folder: Folder, manifest: Manifest) -> None:
    folder.write_json(folder.path("manifest.json"), asdict(manifest))


def begin(folder: Folder, parts: Sequence[Part], settings: Settings, rows_per_bucket: int) -> Manifest:
    """The manifest of a new folder, written; or that of one that is taken up again.

    Raises OperatorError where the folder holds something else, or the work of other inputs, settings or
    versions; the message says which.
    """
    lines = list(_lines(parts))
    wanted = Manifest(
        FOLDER_FORMAT, _versions(settings), _settings(settings, rows_per_bucket), _inputs(parts, lines)
    )
    found = read_manifest(folder)
    if found is None:
        names = set(os.listdir(folder.root)) if os.path.isdir(folder.root) else set()
        if names - {"work", _INPUTS}:
            raise OperatorError(f"{folder.root}: not empty, and not the folder of a backfill")
        with folder.replacing(folder.path(_INPUTS)) as temporary, open(temporary, "w") as file:
            file.writelines(lines)
        write_manifest(folder, wanted)
        return wanted
    difference = _difference(folder, found, wanted, lines)
    if difference:
        raise OperatorError(f"{folder.root} was begun with other {difference}: name another folder")
    return found


def _difference(folder: Folder, found: Manifest, wanted: Manifest, lines: Sequence[str]) -> str:
    """What differs between what was begun and what is wanted now, in words; "" for nothing."""
    for what, before, now in (
        ("versions", found.versions, wanted.versions),
        ("settings", found.settings, wanted.settings),
    ):
        for name in sorted(before.keys() | now.keys()):
            if before.get(name) != now.get(name):
                return f"{what} ({name}: {before.get(name)}, now {now.get(name)})"
    if found.inputs == wanted.inputs:
        return ""
    with open(folder.path(_INPUTS)) as file:
        for before_line, line in zip(file, lines, strict=False):
            if before_line != line:
                before, now = json.loads(before_line), json.loads(line)
                if before["path"] == now["path"]:
                    return f"inputs ({now['path']} has changed)"
                return f"inputs ({before['path']}, now {now['path']})"
    return f"inputs ({found.inputs['files']} files, now {wanted.inputs['files']})"


def _lines(parts: Iterable[Part]) -> Iterable[str]:
    for part in parts:
        for file in part.files:
            line = {"part": part.number, "path": name_of(file), "state": state_of(file)}
            yield json.dumps(line) + "\n"


def _inputs(parts: Sequence[Part], lines: Sequence[str]) -> dict[str, Any]:
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    size = sum(part.size for part in parts)
    return {"parts": len(parts), "files": len(lines), "bytes": size, "sha256": digest}


def _versions(settings: Settings) -> dict[str, str]:
    return {
        "copydesk": metadata.version("copydesk"),
        "rules": settings.rules_version,
        "fingerprint": settings.fingerprint.version,
        "group": settings.group.version,
    }


def _settings(settings: Settings, rows_per_bucket: int) -> dict[str, Any]:
    """What decides about rows besides the versions. The rules of sites are named by a digest."""
    return {
        "site_rules": site_rules_digest(settings),
        "fields": [list(pair) for pair in settings.reading.fields],
        "extractor": settings.extractor,
        "min_words": settings.min_words,
        "max_body_bytes": settings.max_body_bytes,
        "timeout_seconds": settings.timeout_seconds,
        "rows_per_bucket": rows_per_bucket,
    }
