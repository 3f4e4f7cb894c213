"""The records of checks and findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row

Find = Callable[[Connection], Iterator[str]]

Mend = Callable[[Engine], int]

STREAMED = {"stream_results": True, "yield_per": 2000}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    count: faults. samples: the first of them. can_mend: whether `repair_faults` can do something.
    advice: what an operator can do if it cannot. mended: things that `repair_faults` corrected.
    """

    check: str
    says: str
    count: int
    samples: tuple[str, ...]
    can_mend: bool
    advice: str
    mended: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """says: what is true if nothing is found."""

    name: str
    says: str
    find: Find
    mend: Mend | None = None
    advice: str = "restore a backup"


def stream_rows(connection: Connection, query: Any) -> Iterator[Row[Any]]:
    yield from connection.execute(query, execution_options=STREAMED)
