"""Cursors: where a list goes on, as a short text that a client passes back unread."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from copydesk.web.problems import BadQuestion
from storage.base import from_microseconds

Values = list[int | str]


def write_cursor(*values: int | str) -> str:
    """A cursor that holds these values."""
    packed = json.dumps(values, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(cursor: str, kinds: tuple[type, ...]) -> Values:
    """The values of a cursor, of these kinds; raises BadQuestion for a cursor that is none of ours."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise BadQuestion("cursor: not one that this list gave") from error
    is_right = isinstance(values, list) and len(values) == len(kinds)
    if not is_right or not all(type(value) is kind for value, kind in zip(values, kinds, strict=True)):
        raise BadQuestion("cursor: not one that this list gave")
    if not all(map(_is_storable, values)):
        raise BadQuestion("cursor: not one that this list gave")
    return list(values)


def _is_storable(value: int | str) -> bool:
    """Whether a database can compare with it."""
    if isinstance(value, int):
        return abs(value) < 1 << 63
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def read_time(value: int | str) -> datetime:
    """The time of so many microseconds; raises BadQuestion for what is none."""
    try:
        return from_microseconds(int(value))
    except (OverflowError, ValueError) as error:
        raise BadQuestion("cursor: not one that this list gave") from error
