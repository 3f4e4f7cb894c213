"""A text with the lines that were removed from it, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol


class RemovedText(Protocol):
    """The common fields of a removed line's records, from the pipeline and from the database."""

    @property
    def position(self) -> int: ...
    @property
    def rule(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line of a page; rule: what removed it, None if it was kept."""

    text: str
    rule: str | None = None


def in_page_order(text: str, removed: Iterable[RemovedText]) -> Iterator[PageLine]:
    """The lines of a clean text, and between them those that were removed.

    A removed line's position is the number of kept lines before it.
    """
    waiting = iter(removed)
    line = next(waiting, None)
    for number, kept in enumerate(text.splitlines()):
        while line is not None and line.position <= number:
            yield PageLine(line.text, line.rule)
            line = next(waiting, None)
        yield PageLine(kept)
    while line is not None:
        yield PageLine(line.text, line.rule)
        line = next(waiting, None)
