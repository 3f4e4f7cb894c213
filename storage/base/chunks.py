"""Lists of values in parts: a statement takes only so many parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

# Values in one IN list: SQLite takes 32,766 parameters a statement, older builds 999.
IN_LIST = 400


def chunks(values: Iterable[T], size: int = IN_LIST) -> Iterator[list[T]]:
    """The values in lists of `size`, the last one shorter."""
    rows = list(values)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
