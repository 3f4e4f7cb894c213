"""Which words of a changed sentence are the same in both texts, added or dropped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache

from pipeline.copies.tokens import names_and_figures, spelling, tokens
from pipeline.text import UNSPACED

# The spelling of the tokens of a sentence or a word.
Key = tuple[int, ...]

# A passage of fewer tokens ("No.", "he said") is never looked for inside another sentence.
MIN_RUN = 4

# Marks over and under the characters of scripts without blanks, which belong to the character before.
_MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3"
_GROUP = re.compile(rf"(?:[{UNSPACED}][{_MARKS}]*|[^\s{UNSPACED}]+)\s*")
_ENDS_UNSPACED = re.compile(rf"[{UNSPACED}]$")


@lru_cache(maxsize=1 << 14)
def key_of(text: str) -> Key:
    return tuple(spelling(tokens(text)).tolist())


class PartKind(StrEnum):
    SAME = "same"
    DROPPED = "dropped"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Part:
    """Some words of a changed sentence, as written, with the blank that follows them.

    SAME words are written as the copy has them.
    """

    kind: PartKind
    text: str


def word_changes(
    canonical: str, copy: str, in_canonical: Callable[[Key], bool], in_copy: Callable[[Key], bool]
) -> tuple[Part, ...]:
    """The words of two versions of a sentence in order.

    in_canonical, in_copy: whether a passage is somewhere in the whole text. Words of the canonical sentence
    that are elsewhere in the copy are left out, and words of the copy that are elsewhere in the canonical
    text are the same: one text only ended its sentence earlier.
    """
    return tuple(_parts(_groups(canonical), _groups(copy), in_canonical, in_copy))


def have_other_figures(parts: Sequence[Part]) -> bool:
    """Whether the two versions have different figures. In lower case, names are not among them."""
    return _figures(parts, PartKind.ADDED) != _figures(parts, PartKind.DROPPED)


def _figures(parts: Sequence[Part], but: PartKind) -> set[int]:
    text = "".join(part.text for part in parts if part.kind is not but)
    return set(names_and_figures(tokens(text.lower())).tolist())


@dataclass(frozen=True, slots=True)
class _WordGroup:
    """Words that give tokens together, as `12`, `500` and `per`, `cent` do; with what follows them."""

    text: str
    key: Key


def _groups(sentence: str) -> list[_WordGroup]:
    found = [_WordGroup(written, key_of(written)) for written in _GROUP.findall(sentence)]
    if tuple(token for group in found for token in group.key) != key_of(sentence):
        found = list(_joined(found))
    groups: list[_WordGroup] = []
    lead = ""
    for group in found:
        if group.key:
            groups.append(_WordGroup(lead + group.text, group.key))
            lead = ""
        elif groups:  # a dash belongs to the word before it
            groups[-1] = _WordGroup(groups[-1].text + group.text, groups[-1].key)
        else:
            lead += group.text
    if groups and not _ENDS_UNSPACED.search(groups[-1].text):  # in a diff other words may follow the last
        groups[-1] = _WordGroup(groups[-1].text + " ", groups[-1].key)
    return groups


def _joined(groups: Sequence[_WordGroup]) -> Iterator[_WordGroup]:
    held: _WordGroup | None = None
    for group in groups:
        if held is None:
            held = group
            continue
        together = key_of(held.text + group.text)
        if together != held.key + group.key:
            held = _WordGroup(held.text + group.text, together)
        else:
            yield held
            held = group
    if held is not None:
        yield held


def _parts(
    ours: Sequence[_WordGroup],
    theirs: Sequence[_WordGroup],
    in_ours: Callable[[Key], bool],
    in_theirs: Callable[[Key], bool],
) -> Iterator[Part]:
    """The words of both in order; see `word_changes`. ours: of the canonical text."""
    our_same, their_same = _same_groups(ours, theirs)
    hidden = _elsewhere(ours, our_same, in_theirs)
    known = _elsewhere(theirs, their_same, in_ours)
    written: list[Part] = []

    def write(kind: PartKind, text: str) -> None:
        if written and written[-1].kind is kind:
            written[-1] = Part(kind, written[-1].text + text)
        else:
            written.append(Part(kind, text))

    # ahead: tokens of the same groups that were read of ours beyond those of theirs
    one = other = ahead = 0
    while one < len(ours) or other < len(theirs):
        if ahead > 0 or one == len(ours):
            if their_same[other]:
                ahead -= len(theirs[other].key)
            is_added = not their_same[other] and other not in known
            write(PartKind.ADDED if is_added else PartKind.SAME, theirs[other].text)
            other += 1
        elif not our_same[one]:
            if one not in hidden:
                write(PartKind.DROPPED, ours[one].text)
            one += 1
        elif ahead == 0 and other < len(theirs) and not their_same[other]:
            write(PartKind.SAME if other in known else PartKind.ADDED, theirs[other].text)
            other += 1
        else:
            ahead += len(ours[one].key)
            one += 1
    if written:
        written[-1] = Part(written[-1].kind, written[-1].text.rstrip())
    return iter(written)


def _elsewhere(groups: Sequence[_WordGroup], same: Sequence[bool], stands: Callable[[Key], bool]) -> set[int]:
    """The groups at the beginning or end of a changed passage that stand in the other text in a run."""
    found: set[int] = set()
    end = 0
    for start in range(len(groups)):
        if same[start] or start < end:
            continue
        end = start
        while end < len(groups) and not same[end]:
            end += 1
        cuts = [(n, end) for n in range(start, end)] + [(start, n) for n in range(start + 1, end)]
        for first, last in cuts:
            key = tuple(token for group in groups[first:last] for token in group.key)
            if len(key) >= MIN_RUN and stands(key):
                found.update(range(first, last))
                break
    return found


def _same_groups(ours: Sequence[_WordGroup], theirs: Sequence[_WordGroup]) -> tuple[list[bool], list[bool]]:
    """Which groups are the same in both: those of which every token is."""
    one = [token for group in ours for token in group.key]
    other = [token for group in theirs for token in group.key]
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()[:-1]
    pairs: list[tuple[int, int]] = []
    for n, block in enumerate(blocks):
        # A lone word between two changes reads better as part of one change.
        if block.size > 1 or n in (0, len(blocks) - 1):
            pairs.extend((block.a + k, block.b + k) for k in range(block.size))
    our_group = [n for n, group in enumerate(ours) for _ in group.key]
    their_group = [n for n, group in enumerate(theirs) for _ in group.key]
    while True:
        ours_held = Counter(our_group[a] for a, _ in pairs)
        theirs_held = Counter(their_group[b] for _, b in pairs)
        our_same = [ours_held[n] == len(group.key) for n, group in enumerate(ours)]
        their_same = [theirs_held[n] == len(group.key) for n, group in enumerate(theirs)]
        kept = [(a, b) for a, b in pairs if our_same[our_group[a]] and their_same[their_group[b]]]
        if len(kept) == len(pairs):
            return our_same, their_same
        pairs = kept
