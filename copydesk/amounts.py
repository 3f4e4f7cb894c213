"""Reads and writes ages and sizes: `90d`, `5GB`."""

from __future__ import annotations

import re
from datetime import timedelta

from pipeline.errors import OperatorError

_HOURS = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24}
_DECIMAL = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([hdwy])")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgt]?)b|([kmgt])|([kmgt])ib)")


def parse_age(text: str) -> timedelta:
    """Parse an age: `36h`, `90d`, `12w`, `2y` (of 365 days). Raises OperatorError."""
    found = _AGE.fullmatch(text.strip().lower())
    try:
        if found:
            return timedelta(hours=float(found[1]) * _HOURS[found[2]])
    except OverflowError:
        pass
    raise OperatorError(f"{text!r} is not an age: write hours, days, weeks or years, e.g. 36h, 90d, 12w, 2y")


def parse_size(text: str) -> int:
    """The number of bytes in `800MB`, `5GB`, `0.5 TB` (decimal) or `5GiB` (binary). The unit is required.

    Raises OperatorError.
    """
    found = _SIZE.fullmatch(text.strip().lower())
    if not found:
        raise OperatorError(f"{text!r} is not a size: write a number with its unit, e.g. 800MB, 5GB or 5GiB")
    number, decimal, bare, binary = found.groups()
    return int(float(number) * (_BINARY[binary] if binary else _DECIMAL[decimal or bare or ""]))


def shown_size(size: int) -> str:
    """A number of bytes with a decimal unit, `1.2 GB`."""
    value, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"


def shown_age(age: timedelta) -> str:
    """An age for people to read: `40 min`, `3 h`, `12 d`; `0 min` for a time in the future."""
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60):,} d"
