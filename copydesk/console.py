"""How things look on a terminal and in a pipe: the consoles, the progress bar, JSON."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from rich.console import Console

# Results go to `out`, what a person reads along the way to `err`, so that results can be piped.
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def plain(value: Any) -> Any:
    """A JSON-ready form: records as objects, times as ISO 8601 ending in Z, sequences as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    return value


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def print_json_lines(values: Iterable[Any]) -> None:
    """One JSON object a line on standard output, as the values come."""
    for value in values:
        sys.stdout.write(json.dumps(plain(value), ensure_ascii=False) + "\n")


def when(time: datetime | None) -> str:
    """A time as tables show it, UTC to the minute; an em dash for none."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if time else "—"
