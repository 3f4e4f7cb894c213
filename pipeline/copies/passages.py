"""Passages: parts of a text, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passage:
    """start: its first word, counted from 0; end: the one after its last."""

    start: int
    end: int

    @property
    def words(self) -> int:
        return self.end - self.start

    def overlaps(self, other: Passage, share: float) -> bool:
        """Whether the two have at least this share of the shorter one in common."""
        common = min(self.end, other.end) - max(self.start, other.start)
        return common > 0 and common >= share * min(self.words, other.words)
