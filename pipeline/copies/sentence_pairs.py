"""Which sentences of two texts are equal, and which are two versions of one sentence."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pipeline.copies.word_changes import MIN_RUN, Key, key_of
from pipeline.text import sentences

# Two sentences are versions of one if they share this part of all their words, in the same order, or this
# part of the words of the shorter one, which then has this many words at least.
LEAST_SIMILARITY = 0.55
SHORTER_HELD = 0.75
SHORTER_WORDS = 6
# Bounds on hostile texts: places of a run that are looked at, sentences that a word leads to, and sentences
# that are compared word by word.
MAX_PLACES = 16
MAX_SENTENCES = 64
MAX_COMPARED = 3


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    key: Key


def read_sentences(text: str) -> list[Sentence]:
    """The sentences of a text that have words."""
    found = (Sentence(sentence, key_of(sentence)) for sentence in sentences(text))
    return [sentence for sentence in found if sentence.key]


def equal_pairs(ours: Sequence[Sentence], theirs: Sequence[Sentence]) -> dict[int, int]:
    """Sentences with the same words, each with one of the other's."""
    places: defaultdict[Key, deque[int]] = defaultdict(deque)
    for number, sentence in enumerate(theirs):
        places[sentence.key].append(number)
    return {
        number: places[sentence.key].popleft()
        for number, sentence in enumerate(ours)
        if places.get(sentence.key)
    }


def passage_finder(text: Sequence[Sentence]) -> Callable[[Key], bool]:
    """A function that says whether a passage is in the text: a sentence, or a run of `MIN_RUN` tokens."""
    known = {sentence.key for sentence in text}
    stream = tuple(token for sentence in text for token in sentence.key)
    places: defaultdict[Key, list[int]] = defaultdict(list)
    for at in range(len(stream) - MIN_RUN + 1):
        here = places[stream[at : at + MIN_RUN]]
        if len(here) < MAX_PLACES:
            here.append(at)

    def is_in_text(key: Key) -> bool:
        if key in known:
            return True
        starts = places.get(key[:MIN_RUN], ()) if len(key) >= MIN_RUN else ()
        return any(stream[at : at + len(key)] == key for at in starts)

    return is_in_text


def similar_pairs(
    ours: Sequence[Sentence],
    theirs: Sequence[Sentence],
    equal: Mapping[int, int],
    our_new: set[int],
    their_new: set[int],
) -> dict[int, int]:
    """Pairs of sentences that are mostly alike, the most alike first, each in one pair at most.

    At least one of the two is new. The other may be the rest of it, which is in the other text.
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
            if len(places.get(token, ())) <= MAX_SENTENCES:
                votes.update(places.get(token, ()))
        likely = [n for n in votes if one in our_new or n in their_new]
        likely.sort(key=lambda n: (-votes[n] / len(theirs[n].key + sentence.key), abs(n - one)))
        for other in likely[:MAX_COMPARED]:
            score = _similarity(sentence.key, theirs[other].key)
            if score:
                scored.append((-score, abs(other - one), one, other))
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for _, _, one, other in sorted(scored):
        if one not in pairs and other not in used:
            pairs[one] = other
            used.add(other)
    return pairs


def _similarity(one: Key, other: Key) -> float:
    """Share of the words of both that they have in common, in order; 0 where that is too little."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    ratio = 2 * sum(block.size for block in blocks) / (len(one) + len(other))
    shorter = min(len(one), len(other))
    in_runs = sum(block.size for block in blocks if block.size > 1)
    is_held = shorter >= SHORTER_WORDS and in_runs / shorter >= SHORTER_HELD
    return ratio if ratio >= LEAST_SIMILARITY or is_held else 0.0
