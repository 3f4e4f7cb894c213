"""What a copy added, dropped and changed against another text, by the sentence, for people to read.

Sentences are compared by their tokens (`pipeline.copies.tokens`), so what makes no difference to grouping
makes none here: restyled quotes and dashes, `per cent` for `%`, `1.250,5` for `1,250.5`, `seven` for `7`.

The end of a sentence is a guess in every language, and outlets join and split sentences. So the guess only
decides how the result is laid out. A sentence whose words are in the other text in a run is no difference,
wherever that text ends its sentences and paragraphs, and neither is a sentence that moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.copies.sentence_pairs import equal_pairs, passage_finder, read_sentences, similar_pairs
from pipeline.copies.word_changes import Part, PartKind, have_other_figures, word_changes


class ChangeKind(StrEnum):
    """ADDED, DROPPED: by the copy; CHANGED: most of the sentence is in both."""

    ADDED = "added"
    DROPPED = "dropped"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """A sentence that only one text has, or that the two texts have in different versions.

    canonical, copy: the sentence in either text; None in the one that it was added to or dropped from.
    parts: of a changed sentence, its words in order. figures: a changed sentence has different figures.
    """

    kind: ChangeKind
    canonical: str | None
    copy: str | None
    parts: tuple[Part, ...] = ()
    figures: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """same: sentences of the copy whose words are the canonical text's. changes: in the copy's order."""

    same: int
    changes: tuple[Change, ...]

    def count(self, kind: ChangeKind) -> int:
        return sum(change.kind is kind for change in self.changes)


@dataclass(frozen=True, slots=True)
class AlignedSentence:
    """Two sentences that stand beside each other. change: None if the words are in both texts.

    canonical, copy: the sentence in either text; None where the other text has it elsewhere, has it in
    another sentence, or has none of it.
    """

    canonical: str | None
    copy: str | None
    change: Change | None = None


def compare(canonical: str, copy: str) -> Comparison:
    """What `copy` added, dropped and changed against `canonical`."""
    return comparison_of(align_sentences(canonical, copy))


def comparison_of(aligned: Iterable[AlignedSentence]) -> Comparison:
    """The comparison of two texts whose sentences are aligned."""
    rows = list(aligned)
    same = sum(row.change is None and row.copy is not None for row in rows)
    return Comparison(same, tuple(row.change for row in rows if row.change is not None))


def align_sentences(canonical: str, copy: str) -> tuple[AlignedSentence, ...]:
    """All sentences of both texts side by side, in the copy's order.

    A sentence that the copy does not have follows the one that it follows in the canonical text.
    """
    ours, theirs = read_sentences(canonical), read_sentences(copy)
    in_ours, in_theirs = passage_finder(ours), passage_finder(theirs)
    equal = equal_pairs(ours, theirs)
    found = set(equal.values())
    our_new = {n for n, s in enumerate(ours) if n not in equal and not in_theirs(s.key)}
    their_new = {n for n, s in enumerate(theirs) if n not in found and not in_ours(s.key)}
    similar = similar_pairs(ours, theirs, equal, our_new, their_new)
    pairs = equal | similar
    partner = {other: one for one, other in pairs.items()}
    # Each with its place in the copy's order.
    placed: list[tuple[tuple[int, int, int], AlignedSentence]] = []
    for other, sentence in enumerate(theirs):
        one = partner.get(other)
        if one is None:
            added = Change(ChangeKind.ADDED, None, sentence.text) if other in their_new else None
            row = AlignedSentence(None, sentence.text, added)
        elif one in similar:
            parts = word_changes(ours[one].text, sentence.text, in_ours, in_theirs)
            row = AlignedSentence(
                ours[one].text, sentence.text, _changed(ours[one].text, sentence.text, parts)
            )
        else:
            row = AlignedSentence(ours[one].text, sentence.text)
        placed.append(((other, 0, 0), row))
    before = -1
    for one, sentence in enumerate(ours):
        if one not in pairs:
            dropped = Change(ChangeKind.DROPPED, sentence.text, None) if one in our_new else None
            placed.append(((before, 1, one), AlignedSentence(sentence.text, None, dropped)))
        before = pairs.get(one, before)
    placed.sort(key=lambda item: item[0])
    return tuple(row for _, row in placed)


def _changed(canonical: str, copy: str, parts: tuple[Part, ...]) -> Change | None:
    """The change of a sentence that is in both texts; None if its words are the same after all."""
    if all(part.kind is PartKind.SAME for part in parts):
        return None
    return Change(ChangeKind.CHANGED, canonical, copy, parts, have_other_figures(parts))
