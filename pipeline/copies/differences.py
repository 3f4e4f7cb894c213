"""What a copy of a story added, dropped and changed against another, by the sentence, for people to read.

Sentences are compared by their tokens (`pipeline.copies.shingles`), so what is no difference to grouping is
none here either: restyled quotes and dashes, `per cent` for `%`, `1.250,5` for `1,250.5`, `seven` for `7`.

Where a sentence ends is a guess in every language, and outlets join and cut sentences. So the guess only
decides how the result is laid out: a sentence whose words stand in the other text in a run is no
difference, wherever that text ends its sentences and paragraphs. Nor is a sentence that moved.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache

from pipeline.copies.tokens import names_and_figures, spelling, tokens
from pipeline.text import UNSPACED, sentences

Key = tuple[int, ...]

# Two sentences are one that was changed if this share of the words of both, or most of the shorter one's,
# stand in both in the same order.
_ALIKE = 0.55
_SHORTER_HELD = 0.75
_SHORTER_WORDS = 6
# A sentence of fewer words ("No.", "he said") is only found again as a sentence, never inside another.
_RUN = 4
# Bounds on hostile texts: places looked at for a run, sentences that a word leads to, and sentences that are
# compared word by word.
_MOST_PLACES = 16
_COMMON = 64
_MOST_LIKELY = 3

# What stands over or under a character of a script without blanks between words, and belongs to it.
_MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3"
_UNIT = re.compile(rf"(?:[{UNSPACED}][{_MARKS}]*|[^\s{UNSPACED}]+)\s*")
_ENDS_UNSPACED = re.compile(rf"[{UNSPACED}]$")


class ChangeKind(StrEnum):
    """ADDED, DROPPED: by the copy; CHANGED: most of the sentence stands in both."""

    ADDED = "added"
    DROPPED = "dropped"
    CHANGED = "changed"


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


@dataclass(frozen=True, slots=True)
class Change:
    """A sentence that one text has and the other has not, or has otherwise.

    canonical, copy: the sentence in either text; None in the one that it was added to or dropped from.
    parts: of a changed sentence, its words in order. figures: a changed sentence has other figures.
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
class _Sentence:
    text: str
    key: Key


def compare(canonical: str, copy: str) -> Comparison:
    """What `copy` added, dropped and changed against `canonical`."""
    ours, theirs = _read(canonical), _read(copy)
    in_ours, in_theirs = _finder(ours), _finder(theirs)
    pairs = _equal(ours, theirs)
    found = set(pairs.values())
    our_new = {n for n, s in enumerate(ours) if n not in pairs and not in_theirs(s.key)}
    their_new = {n for n, s in enumerate(theirs) if n not in found and not in_ours(s.key)}
    alike = _alike(ours, theirs, pairs, our_new, their_new)
    placed: list[tuple[tuple[int, int, int], Change]] = []
    for one, other in alike.items():
        parts = tuple(_parts(_units(ours[one].text), _units(theirs[other].text), in_ours, in_theirs))
        if any(part.kind is not PartKind.SAME for part in parts):
            placed.append(((other, 0, 0), _changed(ours[one].text, theirs[other].text, parts)))
    for other in their_new - set(alike.values()):
        placed.append(((other, 0, 0), Change(ChangeKind.ADDED, None, theirs[other].text)))
    same = len(theirs) - len(placed)
    pairs |= alike
    before = -1
    for one, sentence in enumerate(ours):
        if one in our_new and one not in alike:
            placed.append(((before, 1, one), Change(ChangeKind.DROPPED, sentence.text, None)))
        before = pairs.get(one, before)
    placed.sort(key=lambda item: item[0])
    return Comparison(same, tuple(change for _, change in placed))


def _read(text: str) -> list[_Sentence]:
    found = (_Sentence(sentence, _key(sentence)) for sentence in sentences(text))
    return [sentence for sentence in found if sentence.key]


@lru_cache(maxsize=1 << 14)
def _key(text: str) -> Key:
    return tuple(spelling(tokens(text)).tolist())


# --- which sentences are new ----------------------------------------------------------------------------


def _equal(ours: Sequence[_Sentence], theirs: Sequence[_Sentence]) -> dict[int, int]:
    """Sentences with the same words, each with one of the other's."""
    places: defaultdict[Key, deque[int]] = defaultdict(deque)
    for number, sentence in enumerate(theirs):
        places[sentence.key].append(number)
    return {
        number: places[sentence.key].popleft()
        for number, sentence in enumerate(ours)
        if places.get(sentence.key)
    }


def _finder(text: Sequence[_Sentence]) -> Callable[[Key], bool]:
    """Tells whether these words stand in the text: as a sentence, or enough of them in a run."""
    known = {sentence.key for sentence in text}
    stream = tuple(token for sentence in text for token in sentence.key)
    places: defaultdict[Key, list[int]] = defaultdict(list)
    for at in range(len(stream) - _RUN + 1):
        here = places[stream[at : at + _RUN]]
        if len(here) < _MOST_PLACES:
            here.append(at)

    def stands(key: Key) -> bool:
        if key in known:
            return True
        starts = places.get(key[:_RUN], ()) if len(key) >= _RUN else ()
        return any(stream[at : at + len(key)] == key for at in starts)

    return stands


def _alike(
    ours: Sequence[_Sentence],
    theirs: Sequence[_Sentence],
    equal: Mapping[int, int],
    our_new: set[int],
    their_new: set[int],
) -> dict[int, int]:
    """Pairs of sentences that are mostly alike, the most alike first, each in one pair at most.

    At least one of the two is new. The other may be the rest of it, which stands in the other text.
    """
    places: defaultdict[int, list[int]] = defaultdict(list)
    taken = set(equal.values())
    for number, sentence in enumerate(theirs):
        if number not in taken:
            for token in set(sentence.key):
                places[token].append(number)
    scored: list[tuple[float, int, int, int]] = []
    for one, sentence in enumerate(ours):
        if one in equal:
            continue
        votes: Counter[int] = Counter()
        for token in set(sentence.key):
            if len(places.get(token, ())) <= _COMMON:
                votes.update(places.get(token, ()))
        likely = [n for n in votes if one in our_new or n in their_new]
        likely.sort(key=lambda n: (-votes[n] / len(theirs[n].key + sentence.key), abs(n - one)))
        for other in likely[:_MOST_LIKELY]:
            score = _likeness(sentence.key, theirs[other].key)
            if score:
                scored.append((-score, abs(other - one), one, other))
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for _, _, one, other in sorted(scored):
        if one not in pairs and other not in used:
            pairs[one] = other
            used.add(other)
    return pairs


def _likeness(one: Key, other: Key) -> float:
    """Share of the words of both that they have in common, in order; 0 where that is too little."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    ratio = 2 * sum(block.size for block in blocks) / (len(one) + len(other))
    shorter = min(len(one), len(other))
    in_runs = sum(block.size for block in blocks if block.size > 1)
    is_held = shorter >= _SHORTER_WORDS and in_runs / shorter >= _SHORTER_HELD
    return ratio if ratio >= _ALIKE or is_held else 0.0


# --- the words of a changed sentence --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Unit:
    """Words that give tokens together, as `12`, `500` and `per`, `cent` do; with what follows them."""

    text: str
    key: Key


def _changed(canonical: str, copy: str, parts: tuple[Part, ...]) -> Change:
    figures = _figures(parts, PartKind.ADDED) != _figures(parts, PartKind.DROPPED)
    return Change(ChangeKind.CHANGED, canonical, copy, parts, figures)


def _figures(parts: Sequence[Part], but: PartKind) -> set[int]:
    text = "".join(part.text for part in parts if part.kind is not but)
    return set(names_and_figures(tokens(text.lower())).tolist())


def _units(sentence: str) -> list[_Unit]:
    found = [_Unit(written, _key(written)) for written in _UNIT.findall(sentence)]
    if tuple(token for unit in found for token in unit.key) != _key(sentence):
        found = list(_joined(found))
    units: list[_Unit] = []
    lead = ""
    for unit in found:
        if unit.key:
            units.append(_Unit(lead + unit.text, unit.key))
            lead = ""
        elif units:  # a dash belongs to the word before it
            units[-1] = _Unit(units[-1].text + unit.text, units[-1].key)
        else:
            lead += unit.text
    if units and not _ENDS_UNSPACED.search(units[-1].text):  # in a diff other words may follow the last
        units[-1] = _Unit(units[-1].text + " ", units[-1].key)
    return units


def _joined(units: Sequence[_Unit]) -> Iterator[_Unit]:
    held: _Unit | None = None
    for unit in units:
        if held is None:
            held = unit
            continue
        together = _key(held.text + unit.text)
        if together != held.key + unit.key:
            held = _Unit(held.text + unit.text, together)
        else:
            yield held
            held = unit
    if held is not None:
        yield held


def _parts(
    ours: Sequence[_Unit],
    theirs: Sequence[_Unit],
    in_ours: Callable[[Key], bool],
    in_theirs: Callable[[Key], bool],
) -> Iterator[Part]:
    """The words of both in order. What of ours stands elsewhere in the other text is left out, and what of
    theirs does is the same: one text only ended its sentence earlier.
    """
    our_same, their_same = _same_units(ours, theirs)
    hidden = _elsewhere(ours, our_same, in_theirs)
    known = _elsewhere(theirs, their_same, in_ours)
    written: list[Part] = []

    def write(kind: PartKind, text: str) -> None:
        if written and written[-1].kind is kind:
            written[-1] = Part(kind, written[-1].text + text)
        else:
            written.append(Part(kind, text))

    # ahead: tokens of the same units that were read of ours beyond those of theirs
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


def _elsewhere(units: Sequence[_Unit], same: Sequence[bool], stands: Callable[[Key], bool]) -> set[int]:
    """The units at the beginning or end of a changed passage that stand in the other text in a run."""
    found: set[int] = set()
    end = 0
    for start in range(len(units)):
        if same[start] or start < end:
            continue
        end = start
        while end < len(units) and not same[end]:
            end += 1
        cuts = [(n, end) for n in range(start, end)] + [(start, n) for n in range(start + 1, end)]
        for first, last in cuts:
            key = tuple(token for unit in units[first:last] for token in unit.key)
            if len(key) >= _RUN and stands(key):
                found.update(range(first, last))
                break
    return found


def _same_units(ours: Sequence[_Unit], theirs: Sequence[_Unit]) -> tuple[list[bool], list[bool]]:
    """Which units are the same in both: those of which every token is."""
    one = [token for unit in ours for token in unit.key]
    other = [token for unit in theirs for token in unit.key]
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()[:-1]
    pairs: list[tuple[int, int]] = []
    for n, block in enumerate(blocks):
        # A lone word between two changes reads better as part of one change.
        if block.size > 1 or n in (0, len(blocks) - 1):
            pairs.extend((block.a + k, block.b + k) for k in range(block.size))
    our_unit = [n for n, unit in enumerate(ours) for _ in unit.key]
    their_unit = [n for n, unit in enumerate(theirs) for _ in unit.key]
    while True:
        ours_held = Counter(our_unit[a] for a, _ in pairs)
        theirs_held = Counter(their_unit[b] for _, b in pairs)
        our_same = [ours_held[n] == len(unit.key) for n, unit in enumerate(ours)]
        their_same = [theirs_held[n] == len(unit.key) for n, unit in enumerate(theirs)]
        kept = [(a, b) for a, b in pairs if our_same[our_unit[a]] and their_same[their_unit[b]]]
        if len(kept) == len(pairs):
            return our_same, their_same
        pairs = kept
