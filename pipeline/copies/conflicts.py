"""Where two texts say the same with another figure or another name.

The words of both are aligned: by the shingles that stand once in each, and between these word by word. Two
figures, or two runs of capitalised words, in the same place between the same words agree or conflict. A table
that is issued again with other figures conflicts in most of them, and a press release that is sent with other
firms or towns in it in many names. A corrected copy conflicts in one or two. Words that only one text has are
no conflict, nor is a name that the outlet spells in its own way: Kiev and Kyiv, Gaddafi and Qaddafi.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.copies.shingles import Hashes
from pipeline.copies.tokens import CAPITAL, FIGURE, Tokens, spelling, tokens

# A passage between two anchors of more words than these, in either text, is not aligned.
_MOST_WORDS = 200

# Nor is one of more words than these of which less than this share is the same: it says something else.
_FEW_WORDS = 15
_LEAST_SAME = 0.35

# A passage in both texts: its first word and the word after its last, in one and in the other.
Span = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Conflicts:
    """figures: places where both texts have a figure; figures_differ: those where it is another one.

    names, names_differ: the same of distinct names. A name in another spelling is the same one.
    """

    figures: int = 0
    figures_differ: int = 0
    names: int = 0
    names_differ: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class AlignableText:
    """What of a text does not depend on the other one that it is aligned with.

    words: the `spelling` of its tokens; flags: FIGURE and CAPITAL of each, a byte a word. once, places: the
    shingles that stand once in it, sorted, and where each begins. figures: how many. text: as written.
    """

    words: Tokens
    flags: bytes
    once: Hashes
    places: NDArray[np.intp]
    figures: int
    text: str


def alignable(found: Tokens, shingles: Hashes, text: str) -> AlignableText:
    """found: tokens of the text with their flags; shingles: of the text, in order."""
    hashes, places, times = np.unique(shingles, return_index=True, return_counts=True)
    is_once = times == 1
    return AlignableText(
        words=spelling(found),
        flags=(found & np.uint64(FIGURE | CAPITAL)).astype(np.uint8).tobytes(),
        once=hashes[is_once],
        places=places[is_once],
        figures=int(np.count_nonzero(found & np.uint64(FIGURE))),
        text=text,
    )


def find_conflicts(
    one: AlignableText, other: AlignableText, enough: Callable[[int, int], bool] = lambda *_: False
) -> Conflicts:
    """enough: whether so many figures that differ are enough, of at most so many places where both have one.

    If they are, the rest of the texts is not looked at, and these two numbers are returned.
    """
    ours, theirs = one.words.tolist(), other.words.tolist()
    is_same = np.zeros(len(ours), dtype=np.bool_)
    figures = figures_differ = 0
    run_pairs: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for is_equal, (a, b, c, d) in _passages(ours, theirs, _anchor_runs(one, other)):
        if is_equal:
            is_same[a:b] = True
            continue
        mine = [ours[n] for n in range(a, b) if one.flags[n] & FIGURE]
        its = [theirs[n] for n in range(c, d) if other.flags[n] & FIGURE]
        pairs = list(zip(mine, its, strict=False))
        figures += len(pairs)
        figures_differ += sum(x != y for x, y in pairs)
        if enough(figures_differ, one.figures):
            return Conflicts(one.figures, figures_differ)
        runs, others = _names(ours, one.flags, a, b), _names(theirs, other.flags, c, d)
        if len(runs) == len(others):
            run_pairs.extend(zip(runs, others, strict=True))
    flags = np.frombuffer(one.flags, dtype=np.uint8)
    figures += int(np.count_nonzero(is_same & (flags & FIGURE != 0)))
    agreed: set[int] = set(one.words[is_same & (flags == CAPITAL)].tolist())
    changed = _changed(run_pairs, ours, theirs)
    if changed:
        spelled, its_spelled = names_by_token(one.text), names_by_token(other.text)
        for run, its_run in list(changed.items()):
            if _are_one_name(run, its_run, spelled, its_spelled):
                del changed[run]
                agreed.update(run)
    other_names = _apart(changed)
    return Conflicts(figures, figures_differ, len(agreed) + other_names, other_names)


def _changed(
    run_pairs: Sequence[tuple[tuple[int, ...], tuple[int, ...]]], ours: Sequence[int], theirs: Sequence[int]
) -> dict[tuple[int, ...], tuple[int, ...]]:
    """The runs of capitalised words in the same place of which neither text has a word of the other's."""
    changed: dict[tuple[int, ...], tuple[int, ...]] = {}
    if run_pairs:
        our_words, their_words = set(ours), set(theirs)
        for run, its_run in run_pairs:
            if their_words.isdisjoint(run) and our_words.isdisjoint(its_run):
                changed.setdefault(run, its_run)
    return changed


_WORD = re.compile(r"[^\W\d_]+")
# Letters that transliterations and outlets take for each other: the groups of Soundex (Russell 1918), with
# the Cyrillic and Greek letters of these sounds. Vowels, h, w, y and the Cyrillic signs have none.
_GROUPS = (
    *("bfpvбпвфβπφψ", "cgjkqsxzгґжзксхцчшщћџγζκξσςχ", "dtдтђδθτ"),
    *("lлљλ", "mnмнњμν", "rрρ"),
)
_SOUNDS = str.maketrans(
    {letter: group[0] for group in _GROUPS for letter in group}
    | dict.fromkeys("aeiouhwyаеиоуыэюяіїєўјйъьαεηιουω")
)
# At most so many letters may differ: Kiev and Kyiv differ in two.
_MOST_LETTERS = 2
_LONGEST_NAME = 40
# Names that are looked for in another spelling, and others of one sound that each is compared with.
_MOST_NAMES = 60


@lru_cache(maxsize=1024)  # a page of a template is compared with hundreds of others
def names_by_token(text: str) -> Mapping[int, str]:
    """The capitalised words of a text by their token's spelling."""
    words = sorted({word for word in _WORD.findall(text) if word[0].isupper()})
    found = spelling(tokens("\n".join(words))).tolist()
    # "Per" and "Cent" are one token
    return dict(zip(found, words, strict=True)) if len(found) == len(words) else {}


def is_respelt(word: str, other: str) -> bool:
    """Whether two words are one name in two spellings: they sound alike, and two letters differ at most.

    Words of two or three letters are too short to tell, and very long ones are no names.
    """
    if max(len(word), len(other)) > _LONGEST_NAME:
        return False
    return _sound(word) == _sound(other) and _have_like_letters(word, other)


def count_respelt(names: Sequence[str], others: Iterable[str]) -> int:
    """Return how many of the names are among the others in another spelling; 0 for very many names.

    Two texts that spell so many names differently are not copies, and to compare them would take long.
    """
    if len(names) > _MOST_NAMES:
        return 0
    by_sound: dict[str, list[str]] = {}
    for other in others:
        if len(other) > _LONGEST_NAME:
            continue
        alike = by_sound.setdefault(_sound(other), [])
        if len(alike) < _MOST_NAMES:
            alike.append(other)
    return sum(
        any(is_respelt(name, other) for other in by_sound.get(_sound(name), ()))
        for name in names
        if len(name) <= _LONGEST_NAME
    )


def _are_one_name(
    run: Sequence[int], other: Sequence[int], spelled: Mapping[int, str], other_spelled: Mapping[int, str]
) -> bool:
    return len(run) == len(other) and all(
        a == b or is_respelt(spelled.get(a, ""), other_spelled.get(b, ""))
        for a, b in zip(run, other, strict=True)
    )


def _plain(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


@lru_cache(maxsize=1 << 14)
def _sound(word: str) -> str:
    """The groups of the word's letters; neighbours of one group count once."""
    return re.sub(r"(.)\1+", r"\1", _plain(word).translate(_SOUNDS))


@lru_cache(maxsize=1 << 14)
def _have_like_letters(word: str, other: str) -> bool:
    word, other = _plain(word), _plain(other)
    return min(len(word), len(other)) >= 4 and _letters_differ(word, other) <= _MOST_LETTERS


def _letters_differ(word: str, other: str) -> int:
    """Letters to replace, drop or add, as Levenshtein counts them, up to one more than may be."""
    if abs(len(word) - len(other)) > _MOST_LETTERS:
        return _MOST_LETTERS + 1
    before = list(range(len(other) + 1))
    for n, letter in enumerate(word, 1):
        row = [n]
        for m, its in enumerate(other, 1):
            row.append(min(before[m] + 1, row[-1] + 1, before[m - 1] + (letter != its)))
        before = row
    return before[-1]


def _apart(runs: Iterable[tuple[int, ...]]) -> int:
    """How many names the runs are: "Ada Lind" and "Lind" are one."""
    count = 0
    seen: set[int] = set()
    for run in sorted(runs, key=len, reverse=True):
        count += seen.isdisjoint(run)
        seen.update(run)
    return count


def _names(words: Sequence[int], flags: Sequence[int], start: int, end: int) -> list[tuple[int, ...]]:
    """Runs of capitalised words."""
    found: list[list[int]] = []
    is_open = False
    for n in range(start, end):
        if flags[n] & CAPITAL:
            if is_open:
                found[-1].append(words[n])
            else:
                found.append([words[n]])
        is_open = bool(flags[n] & CAPITAL)
    return [tuple(run) for run in found]


def _passages(
    ours: Sequence[int], theirs: Sequence[int], runs: Sequence[tuple[int, int, int]]
) -> Iterator[tuple[bool, Span]]:
    """Passages in order, with whether their words are the same. runs: see `_anchor_runs`."""
    a = c = 0
    for start, there, length in (*runs, (len(ours), len(theirs), 1)):
        n = max(a - start, c - there, 0)  # anchors before it are inside the passage before
        while n < length:
            yield from _between(ours, theirs, (a, start + n, c, there + n))
            a, c = start + n, there + n
            left = length - n
            if ours[a : a + left] == theirs[c : c + left]:  # all the words that begin an anchor of the run
                a, c = min(a + left, len(ours)), min(c + left, len(theirs))
            while a < len(ours) and c < len(theirs) and ours[a] == theirs[c]:
                a, c = a + 1, c + 1
            if a > start + n:
                yield True, (start + n, a, there + n, c)
            n = max(a - start, n + 1)


def _between(ours: Sequence[int], theirs: Sequence[int], span: Span) -> Iterator[tuple[bool, Span]]:
    """The passages between two anchors, word by word."""
    a, b, c, d = span
    most = max(b - a, d - c)
    if not 0 < most <= _MOST_WORDS:
        return
    one, other = ours[a:b], theirs[c:d]
    if set(one).isdisjoint(other):  # as most figures of a table that is issued again
        if most <= _FEW_WORDS:
            yield False, span
        return
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    same = sum(x - w for kind, w, x, _, _ in blocks if kind == "equal")
    if most <= _FEW_WORDS or same >= _LEAST_SAME * min(b - a, d - c):
        for kind, w, x, y, z in blocks:
            yield kind == "equal", (a + w, a + x, c + y, c + z)


def _anchor_runs(one: AlignableText, other: AlignableText) -> list[tuple[int, int, int]]:
    """Shingles that stand once in each text, in the longest order that both texts have.

    Those that follow each other in both texts are one run: the places of its first shingle in the one and in
    the other, and how many shingles it has.
    """
    if not one.once.size or not other.once.size:
        return []
    found = np.minimum(np.searchsorted(other.once, one.once), other.once.size - 1)
    is_shared = other.once[found] == one.once
    a, b = one.places[is_shared], other.places[found[is_shared]]
    order = np.argsort(a)
    a, b = a[order], b[order]
    if (b[1:] < b[:-1]).any():
        a, b = np.array(_rising(list(zip(a.tolist(), b.tolist(), strict=True)))).T
    ends = (((a[1:] - a[:-1]) != 1) | ((b[1:] - b[:-1]) != 1)).nonzero()[0] + 1
    starts = [0, *ends.tolist()] if a.size else []
    return [(a.item(n), b.item(n), end - n) for n, end in zip(starts, [*starts[1:], a.size], strict=False)]


def _rising(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the places, which are in the order of the first number, that is in that of both."""
    ends: list[int] = []  # the least second number that a rising part of each length ends with
    last: list[int] = []  # its place
    before: list[int] = []
    for n, (_, b) in enumerate(places):
        length = bisect_left(ends, b)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(b)
            last.append(n)
        else:
            ends[length], last[length] = b, n
    n = last[-1] if last else -1
    found = []
    while n >= 0:
        found.append(places[n])
        n = before[n]
    return found[::-1]
