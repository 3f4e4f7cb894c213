"""Groups of copies: the connected components of verified pairs.

A page that holds two stories, as a page of briefs does, would join the copies of both. So a longer text joins
others only where what they share with it overlaps, or where they verify with each other (`bridges`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import IntFlag

from pipeline.copies.passages import Passage

IdPair = tuple[int, int]

# A text of which a pair shares less than this part holds the other one, and may hold a further story. Two
# passages overlap if they share this part of the shorter one. docs/tuning.md: Bridges
HELD_SHARE = 0.55
OVERLAP = 0.2


class Cut(IntFlag):
    """Which of the two articles of a pair (a, b) holds several stories and does not let the pair join."""

    BY_A = 1
    BY_B = 2


def components(ids: Iterable[int], pairs: Iterable[tuple[int, int]]) -> list[frozenset[int]]:
    """Connected components of the pairs over `ids`, each id in exactly one; ordered by smallest id."""
    root = {i: i for i in ids}

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for a, b in pairs:
        x, y = find(a), find(b)
        if x != y:
            root[max(x, y)] = min(x, y)
    members: dict[int, list[int]] = {}
    for i in root:
        members.setdefault(find(i), []).append(i)
    return [frozenset(members[i]) for i in sorted(members)]


def holds(passage: Passage, words: int) -> bool:
    """Whether what a text of so many words shares with a shorter one is only part of it."""
    return passage.words < HELD_SHARE * words


def bridges(
    shared: Mapping[int, Mapping[int, Passage]], held: Collection[IdPair], verified: Collection[IdPair]
) -> set[IdPair]:
    """The pairs (holder, other) that do not join the holder's group, because it holds several stories.

    shared: for each holder, all that it is paired with, and its own passage that both share. held: the pairs
    (holder, other) in which the other is held. verified: pairs of held texts, the smaller id first.

    The held texts of a holder form stories: those that overlap or verify with each other. Its other partners,
    which share most of it, belong to each story that they overlap; if they overlap none, they are one more.
    The holder joins the story of which it has most words, and of two the earlier one.
    """
    known = set(held)
    cut: set[IdPair] = set()
    for holder, partners in shared.items():
        parts = {id: passage for id, passage in partners.items() if (holder, id) in known}
        stories = _stories(parts, verified)
        wide = {id: passage for id, passage in partners.items() if id not in parts}
        apart = {id for id in wide if not any(_touches(wide[id], story, parts) for story in stories)}
        if len(stories) + bool(apart) < 2:
            continue
        own = max(
            [*stories, *([frozenset(apart)] if apart else [])], key=lambda story: _extent(story, partners)
        )
        for id in partners:
            if id not in own and (id in parts or not _touches(wide[id], own, partners)):
                cut.add((holder, id))
    return cut


def _stories(parts: Mapping[int, Passage], verified: Collection[IdPair]) -> list[frozenset[int]]:
    order = sorted(parts, key=lambda id: (parts[id].start, parts[id].end))
    joined: list[IdPair] = []
    for n, one in enumerate(order):
        for other in order[n + 1 :]:
            if (min(one, other), max(one, other)) in verified or parts[one].overlaps(parts[other], OVERLAP):
                joined.append((one, other))
    return components(parts, joined)


def _touches(passage: Passage, story: Iterable[int], passages: Mapping[int, Passage]) -> bool:
    return any(passage.overlaps(passages[id], OVERLAP) for id in story)


def _extent(story: Iterable[int], passages: Mapping[int, Passage]) -> tuple[int, int]:
    """Sorts stories: how many of the holder's words are in one of its passages, and where these begin."""
    words, end = 0, 0
    spans = sorted((passages[id].start, passages[id].end) for id in story)
    for start, stop in spans:
        words += max(0, stop - max(start, end))
        end = max(end, stop)
    return words, -spans[0][0]
