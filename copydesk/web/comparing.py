"""Two texts side by side, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.copies import (
    AlignedSentence,
    ChangeKind,
    Part,
    PartKind,
    align_sentences,
    comparison_of,
)


@dataclass(frozen=True, slots=True)
class Side:
    """What stands above one of the texts. link: None if it has no page of its own."""

    name: str
    link: str | None
    title: str
    language: str | None
    time: datetime
    words: int


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence of either text, in parts; None where a text has nothing beside the other's sentence.

    kind: same, changed, added or dropped.
    """

    kind: str
    left: tuple[Part, ...] | None
    right: tuple[Part, ...] | None


def comparison(one: str, other: str) -> dict[str, Any]:
    """Values for the template: the rows, how many sentences are the same, and how many are not, by kind."""
    aligned = align_sentences(one, other)
    found = comparison_of(aligned)
    kinds = [(kind.value, count) for kind in ChangeKind if (count := found.count(kind))]
    return {"rows": [_row(sentence) for sentence in aligned], "same": found.same, "kinds": kinds}


def _row(sentence: AlignedSentence) -> Row:
    change = sentence.change
    if change is not None and change.kind is ChangeKind.CHANGED:
        left = tuple(part for part in change.parts if part.kind is not PartKind.ADDED)
        right = tuple(part for part in change.parts if part.kind is not PartKind.DROPPED)
        return Row("changed", _without_spaces(left), _without_spaces(right))
    kind = "same" if change is None else change.kind.value
    return Row(kind, _whole(sentence.canonical), _whole(sentence.copy))


def _without_spaces(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The same text, in which no mark goes on over the space after a word."""
    tight: list[Part] = []
    for part in parts:
        words = part.text.rstrip()
        tight.append(Part(part.kind, words))
        if len(words) < len(part.text):
            tight.append(Part(PartKind.SAME, part.text[len(words) :]))
    return tuple(tight)


def _whole(text: str | None) -> tuple[Part, ...] | None:
    return None if text is None else (Part(PartKind.SAME, text),)
