"""What a copy added, dropped and changed against another text, by the sentence, for people to read.

Sentences are compared by their tokens (`pipeline.copies.tokens`), so what makes no difference to grouping
makes none here: restyled quotes and dashes, `per cent` for `%`, `1.250,5` for `1,250.5`, `seven` for `7`.

The end of a sentence is a guess in every language, and outlets join and split sentences. So the guess only
decides how the result is laid out. A sentence whose words are in the other text in a run is no difference,
wherever that text ends its sentences and paragraphs, and neither is a sentence that moved.
"""

from __future__ import annotations

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


def compare(canonical: str, copy: str) -> Comparison:
    """What `copy` added, dropped and changed against `canonical`."""
    ours, theirs = read_sentences(canonical), read_sentences(copy)
    in_ours, in_theirs = passage_finder(ours), passage_finder(theirs)
    pairs = equal_pairs(ours, theirs)
    found = set(pairs.values())
    our_new = {n for n, s in enumerate(ours) if n not in pairs and not in_theirs(s.key)}
    their_new = {n for n, s in enumerate(theirs) if n not in found and not in_ours(s.key)}
    similar = similar_pairs(ours, theirs, pairs, our_new, their_new)
    # Each change with its place in the copy's order; dropped sentences follow the sentence before them.
    placed: list[tuple[tuple[int, int, int], Change]] = []
    for one, other in similar.items():
        parts = word_changes(ours[one].text, theirs[other].text, in_ours, in_theirs)
        if any(part.kind is not PartKind.SAME for part in parts):
            figures = have_other_figures(parts)
            change = Change(ChangeKind.CHANGED, ours[one].text, theirs[other].text, parts, figures)
            placed.append(((other, 0, 0), change))
    for other in their_new - set(similar.values()):
        placed.append(((other, 0, 0), Change(ChangeKind.ADDED, None, theirs[other].text)))
    same = len(theirs) - len(placed)
    pairs |= similar
    before = -1
    for one, sentence in enumerate(ours):
        if one in our_new and one not in similar:
            placed.append(((before, 1, one), Change(ChangeKind.DROPPED, sentence.text, None)))
        before = pairs.get(one, before)
    placed.sort(key=lambda item: item[0])
    return Comparison(same, tuple(change for _, change in placed))
