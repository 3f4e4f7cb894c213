"""Aligns the lines of an extractor's text with the blocks of the raw page.

Trafilatura returns the text of the article as plain lines. Each line is looked up in the page, so that its
position and its evidence (tags, links, containers) are known. A line that is not found is kept without
evidence: alignment may lose evidence, but never text.
"""

from __future__ import annotations

import bisect
import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from pipeline.page.blocks import RawBlock
from pipeline.text import RUN, runs

# A block of fewer words is matched only at the start of a line: a word such as "Share" is in many lines.
_FREE_WORDS = 6
# A block is the source of a line if it has at least this share of the line's word triples.
_LIKENESS = 0.6


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of article text.

    index: its block in the page; None if it was not found.
    position: sort key for page order; a piece that was not found comes after the piece before it.
    """

    index: int | None
    text: str
    position: float


def align_lines(blocks: Sequence[RawBlock], lines: Sequence[str]) -> list[Passage]:
    """Return the extractor's `lines` as passages in page order."""
    texts = [line for line in lines if RUN.search(line)]
    line_words = [runs(line) for line in texts]
    found = _anchors(blocks, line_words)
    used = {index for index, _ in found}
    pieces = [Passage(index, blocks[index].text, float(index)) for index, _ in found]
    place: dict[int, int] = {line: index for index, line in found}

    rest: list[tuple[int, str]] = []
    bounds = [(-1, -1), *found, (len(blocks), len(texts))]
    for (block_before, line_before), (block_after, line_after) in itertools.pairwise(bounds):
        if line_after - line_before <= 1:
            continue
        matched, uncovered = _fill_gap(
            blocks,
            range(block_before + 1, block_after),
            texts,
            line_words,
            range(line_before + 1, line_after),
        )
        for index, line in matched:
            used.add(index)
            place.setdefault(line, index)
            pieces.append(Passage(index, blocks[index].text, float(index)))
        rest += uncovered
    pieces += _place_rest(blocks, rest, used, place)
    pieces.sort(key=lambda piece: piece.position)
    return pieces


def _anchors(blocks: Sequence[RawBlock], lines: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Pairs (block, line) of equal texts that occur once in the page and once in the lines.

    If the orders differ, the pairs are the longest increasing subsequence.
    """
    in_blocks = Counter(block.words for block in blocks)
    in_lines = Counter(lines)
    where = {block.words: number for number, block in enumerate(blocks) if in_blocks[block.words] == 1}
    pairs = [
        (where[words], number)
        for number, words in enumerate(lines)
        if in_lines[words] == 1 and words in where
    ]
    # Patience sorting: longest increasing subsequence of block numbers; the lines are in order already.
    ends: list[int] = []
    ends_at: list[int] = []
    before: list[int] = []
    for number, (index, _) in enumerate(pairs):
        at = bisect.bisect_left(ends, index)
        before.append(ends_at[at - 1] if at else -1)
        if at == len(ends):
            ends.append(index)
            ends_at.append(number)
        else:
            ends[at] = index
            ends_at[at] = number
    chain: list[tuple[int, int]] = []
    number = ends_at[-1] if ends_at else -1
    while number >= 0:
        chain.append(pairs[number])
        number = before[number]
    return chain[::-1]


def _fill_gap(
    blocks: Sequence[RawBlock],
    candidates: range,
    texts: Sequence[str],
    line_words: Sequence[tuple[str, ...]],
    lines: range,
) -> tuple[list[tuple[int, int]], list[tuple[int, str]]]:
    """Matches blocks and lines between two anchors, in order.

    Returns the matched pairs (block, line), and the text that no block covers as pairs (line, text).
    """
    stream = " "
    starts: list[int] = []
    for line in lines:
        starts.append(len(stream))
        stream += " ".join(line_words[line]) + " "
    at_start = set(starts)
    cursor = 1
    matched: list[tuple[int, int]] = []
    covered: list[tuple[int, int]] = []
    for index in candidates:
        wanted = " " + " ".join(blocks[index].words) + " "
        at = stream.find(wanted, cursor - 1)
        if len(blocks[index].words) < _FREE_WORDS:
            while at >= 0 and at + 1 not in at_start and at + 1 != cursor:
                at = stream.find(wanted, at + 1)
        if at < 0:
            continue
        end = at + len(wanted)
        matched.append((index, lines[bisect.bisect_right(starts, at + 1) - 1]))
        covered.append((at + 1, end - 1))
        cursor = end
    uncovered: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        begin = starts[number]
        end = begin + len(" ".join(line_words[line]))
        # What is covered is in order, and does not overlap.
        first = bisect.bisect_right(covered, begin, key=_end_of)
        after = bisect.bisect_left(covered, end, first, key=_start_of)
        inside = [(max(a, begin), min(b, end)) for a, b in covered[first:after]]
        if not inside:
            uncovered.append((line, texts[line]))
            continue
        spans = [match.span() for match in RUN.finditer(texts[line])]
        if len(spans) != len(line_words[line]):
            continue
        taken = _covered_words(line_words[line], begin, inside)
        uncovered += [(line, part) for part in _left_over(texts[line], spans, taken)]
    return matched, uncovered


_start_of, _end_of = itemgetter(0), itemgetter(1)


def _covered_words(words: Sequence[str], begin: int, inside: Sequence[tuple[int, int]]) -> list[bool]:
    """For each word of a line, whether a block covers it; `inside`: (start, end) offsets in order."""
    taken = []
    at, part = begin, 0
    for word in words:
        while part < len(inside) and inside[part][1] <= at:
            part += 1
        taken.append(part < len(inside) and inside[part][0] <= at)
        at += len(word) + 1
    return taken


def _left_over(text: str, spans: Sequence[tuple[int, int]], taken: Sequence[bool]) -> list[str]:
    """The stretches of a line whose words are not taken; those without a word are dropped."""
    parts: list[str] = []
    start: int | None = None
    for number, gone in enumerate([*taken, True]):
        if not gone and start is None:
            start = number
        elif gone and start is not None:
            end = spans[number][0] if number < len(spans) else len(text)
            parts.append(text[spans[start][0] : end].strip())
            start = None
    return [part for part in parts if RUN.search(part)]


def _place_rest(
    blocks: Sequence[RawBlock], rest: Sequence[tuple[int, str]], used: set[int], place: dict[int, int]
) -> list[Passage]:
    """Finds blocks for the rest: an equal block that is unused, else a similar block, else none."""
    if not rest:
        return []
    by_words: dict[tuple[str, ...], list[int]] = defaultdict(list)
    by_triple: dict[tuple[str, ...], list[int]] = defaultdict(list)
    wanted = {triple for _, text in rest for triple in _triples(runs(text))}
    for index, block in enumerate(blocks):
        by_words[block.words].append(index)
        for triple in _triples(block.words):
            if triple in wanted:
                by_triple[triple].append(index)
    known = sorted(place)
    pieces: list[Passage] = []
    for line, text in rest:
        words = runs(text)
        same = [index for index in by_words.get(words, ()) if index not in used]
        before = bisect.bisect_right(known, line) - 1
        near = float(place[known[before]]) if before >= 0 else -1.0
        if same:
            index = min(same, key=lambda i: abs(i - near))
            used.add(index)
            pieces.append(Passage(index, blocks[index].text, float(index)))
            continue
        triples = _triples(words)
        votes = Counter(index for triple in triples for index in set(by_triple.get(triple, ())[:50]))
        likely = max(votes, key=lambda i: (votes[i], -abs(i - near)), default=None)
        if likely is not None and votes[likely] >= _LIKENESS * len(triples):
            first = likely not in used
            used.add(likely)
            pieces.append(Passage(likely, text, likely + (0.0 if first else 0.25)))
        else:
            pieces.append(Passage(None, text, near + 0.5))
    return pieces


def _triples(words: Sequence[str]) -> list[tuple[str, ...]]:
    if len(words) < 3:
        return [tuple(words)]
    return [tuple(words[i : i + 3]) for i in range(len(words) - 2)]
