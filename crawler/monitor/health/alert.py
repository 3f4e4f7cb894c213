"""An alert: one figure of a site that is unusual."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Figure(StrEnum):
    """What an alert is about. The values are stored, and shown in messages."""

    SOURCES = "sources failed"
    DISCOVERED = "discovered"
    STORED = "stored"
    REJECTED = "rejected"
    WORDS = "words"
    WITHOUT_DATE = "without date"
    WITHOUT_AUTHOR = "without author"


@dataclass(frozen=True, slots=True)
class Alert:
    """A figure of a site that is unusual, compared with the site's history.

    was: the usual value; now: the present one. Units: a share from 0 to 1 for SOURCES, REJECTED and
    WITHOUT_…; the median of words for WORDS; URLs named in a run for DISCOVERED; articles a day for STORED.
    message: one line for people.
    """

    figure: Figure
    was: float
    now: float
    message: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
