"""Labels for training: which blocks of a page are in its true text.

Blocks and truth are matched in order: dynamic programming finds the chain of matches with the most words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.extract.model.columns import Array
from pipeline.page.blocks import RawBlock
from pipeline.text import runs

# The chain takes time by the square of the number of matches. If there are more, short ones are left out.
_MOST_MATCHES = 6000


@dataclass(frozen=True, slots=True)
class _Match:
    """A block's text found in the truth: words `start` to `end` of it, of which `words` are the block's."""

    block: int
    start: int
    end: int
    words: int


def label_blocks(blocks: Sequence[RawBlock], truth: str) -> Array:
    """Share of each block's words that are in the truth, (blocks,) float32. Each word is used once.

    Blocks and truth are matched in order, as the best chain of matches. Long matches outside the chain count
    where the chain left their words uncovered. A match of one to three words counts only where it is a whole
    line of the truth or adjoins another match, because such words occur anywhere.
    """
    words: list[str] = []
    starts: set[int] = set()
    ends: set[int] = set()
    for line in truth.splitlines():
        found = runs(line)
        if found:
            starts.add(len(words))
            words += found
            ends.add(len(words))
    share = np.zeros(len(blocks), dtype=np.float32)
    matches = sorted(_matches(blocks, words), key=lambda m: (m.start, m.block))
    if len(matches) > _MOST_MATCHES:
        matches = [match for match in matches if match.words >= 3][:_MOST_MATCHES]
    if not matches:
        return share
    chain = _best_chain(matches, starts, ends)
    begins = {match.start for match in chain} | ends
    finishes = {match.end for match in chain} | starts
    covered = np.zeros(len(words), dtype=np.bool_)
    for match in chain:
        if match.words < 4 and not (match.start in finishes and match.end in begins):
            continue
        share[match.block] = match.words / len(blocks[match.block].words)
        covered[match.start : match.end] = True
    for match in sorted(matches, key=lambda m: -m.words):
        if not share[match.block] and match.words >= 8 and not covered[match.start : match.end].any():
            share[match.block] = match.words / len(blocks[match.block].words)
            covered[match.start : match.end] = True
    return share


def _matches(blocks: Sequence[RawBlock], words: Sequence[str]) -> Iterator[_Match]:
    """Where a block may be in the words of the truth: as a whole, or in parts of at least four words."""
    by_word: dict[str, list[int]] = defaultdict(list)
    by_four: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, word in enumerate(words):
        by_word[word].append(place)
    for place in range(len(words) - 3):
        by_four[tuple(words[place : place + 4])].append(place)
    for number, block in enumerate(blocks):
        wanted = list(block.words)
        size = len(wanted)
        whole = [place for place in by_word.get(wanted[0], ()) if list(words[place : place + size]) == wanted]
        for place in whole[: 50 if size < 4 else 20]:
            yield _Match(number, place, place + size, size)
        if size < 4 or whole:
            continue
        # a part of the block: runs of four words at about the same distance between block and truth
        near: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for at in range(size - 3):
            for place in by_four.get(tuple(wanted[at : at + 4]), ())[:20]:
                near[round((place - at) / 12)].append((place, at))
        spans: dict[tuple[int, int], int] = {}
        for diagonal in list(near):
            points = near[diagonal] + near.get(diagonal + 1, [])
            places = sorted({place for place, _ in points})
            spans[places[0], places[-1] + 4] = len({at + k for _, at in points for k in range(4)})
        for (start, end), count in sorted(spans.items(), key=lambda item: -item[1])[:4]:
            if count >= max(4, 0.15 * size) and end - start <= 2 * count + 20:
                yield _Match(number, start, end, count)


def _best_chain(matches: Sequence[_Match], starts: set[int], ends: set[int]) -> list[_Match]:
    """The chain of matches with most words, in order in page and truth; gaps between blocks cost a little."""
    block = np.array([match.block for match in matches])
    start = np.array([match.start for match in matches])
    end = np.array([match.end for match in matches])
    count = np.array([match.words for match in matches], dtype=np.float64)
    whole = np.array([(m.start in starts) + (m.end in ends) for m in matches])
    gain = np.where((count < 4) & (whole == 0), 0.2 * count, count) + 0.3 * whole
    best = gain.copy()
    before = np.full(len(matches), -1)
    for i in range(1, len(matches)):
        possible = (block[:i] < block[i]) & (end[:i] <= start[i])
        if not possible.any():
            continue
        gap = np.minimum(0.4, 0.004 * (block[i] - block[:i] - 1))
        value = np.where(possible, best[:i] - gap + 0.2 * (end[:i] == start[i]), -np.inf)
        at = int(value.argmax())
        if value[at] > 0:
            best[i] += value[at]
            before[i] = at
    chain = []
    at = int(best.argmax())
    while at >= 0:
        chain.append(matches[at])
        at = int(before[at])
    return chain[::-1]
