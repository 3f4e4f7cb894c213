"""The folder of a backfill, as loading reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.errors import OperatorError
from pipeline.settings import Settings

# Of manifest.json. Raised when the folder of an earlier release cannot be taken up or loaded.
FOLDER_FORMAT = 1


@dataclass(frozen=True, slots=True)
class BackfillFolder:
    """A complete folder. digest: of its manifest, hexadecimal; tells it from other folders."""

    path: Path
    manifest: Mapping[str, Any]
    digest: str

    def parts(self, dataset: str) -> list[Path]:
        """The Parquet files of a dataset, such as `rows/page`, in the order of their names."""
        return sorted((self.path / dataset).glob("**/*.parquet"))

    def row_count(self, dataset: str) -> int:
        return sum(pq.read_metadata(part).num_rows for part in self.parts(dataset))


def open_folder(path: Path) -> BackfillFolder:
    """Raises OperatorError for a folder that is none of a backfill, or not complete; it says what to do."""
    file = path / "manifest.json"
    try:
        data = file.read_bytes()
        manifest = json.loads(data)
        is_complete, format = manifest["is_complete"], manifest["format"]
    except FileNotFoundError:
        raise OperatorError(f"{path}: not the folder of a backfill: copydesk backfill makes one") from None
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError):
        raise OperatorError(f"{file}: not the manifest of a backfill") from None
    if format != FOLDER_FORMAT:
        raise OperatorError(
            f"{path} has format {format}, and this Copydesk makes and loads {FOLDER_FORMAT}:"
            " run copydesk backfill into a new folder"
        )
    if not is_complete:
        raise OperatorError(f"{path} is not complete: run the same copydesk backfill again, it goes on")
    return BackfillFolder(path, manifest, hashlib.sha256(data).hexdigest())


def require_same_versions(folder: BackfillFolder, settings: Settings) -> None:
    """Raises OperatorError if the folder was made by other versions than the settings and this code have."""
    versions = folder.manifest["versions"]
    for what, ours in (
        ("rules", settings.rules_version),
        ("fingerprint", settings.fingerprint.version),
        ("group", settings.group.version),
    ):
        if versions[what] != ours:
            raise OperatorError(
                f"{folder.path} was made with {what} {versions[what]}, and this Copydesk has {ours}:"
                " run copydesk backfill into a new folder, or load it with the Copydesk that made it"
            )


def require_same_site_rules(folder: BackfillFolder, settings: Settings) -> None:
    """Raises OperatorError if the folder was made with a different sites file."""
    if folder.manifest["settings"]["site_rules"] != site_rules_digest(settings):
        raise OperatorError(
            f"{folder.path} was made with different rules of sites: name the sites file of its backfill"
            " with --sites"
        )


def site_rules_digest(settings: Settings) -> str:
    """What tells the rules of sites from others, in the manifest; the same in every process."""
    return hashlib.sha256(_in_order(settings.site_rules).encode()).hexdigest()[:16]


def _in_order(value: Any) -> str:
    """As `repr`, but sets and mappings in an order that does not depend on the process."""
    if is_dataclass(value):
        shown = (f"{f.name}={_in_order(getattr(value, f.name))}" for f in fields(value) if f.repr)
        return f"{type(value).__name__}({', '.join(shown)})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_in_order(k)}: {_in_order(v)}' for k, v in value.items()))}}}"
    if isinstance(value, Set):
        return f"{{{', '.join(sorted(map(_in_order, value)))}}}"
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(_in_order, value))})"
    return repr(value)


def batches_of(part: Path, size: int) -> Iterator[Any]:
    """The rows of a Parquet file in record batches of up to so many rows."""
    with pq.ParquetFile(part) as file:
        yield from file.iter_batches(batch_size=size)
