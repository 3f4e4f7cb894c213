"""The blocks of pages as arrays, and which of them are candidates for the article.

The features of the block model are computed from these for all blocks of several pages at once: numpy takes
hardly longer for a thousand blocks than for one. Sums are in double precision, which single values add up
to without rounding, so that a page gives the same features whatever stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.document import BlockKind
from pipeline.page import PROSE_WORDS, Page, RawBlock

Array = NDArray[np.float32]
Marks = NDArray[np.bool_]
Places = NDArray[np.intp]
Sums = NDArray[np.float64]

# In the order of their numbers.
KINDS = (
    BlockKind.HEADING,
    BlockKind.PARAGRAPH,
    BlockKind.LIST_ITEM,
    BlockKind.QUOTE,
    BlockKind.CAPTION,
    BlockKind.TABLE_ROW,
)
# Containers that say something of all blocks in them, however deep, a bit each.
LANDMARK_BITS = {
    name: 1 << bit
    for bit, name in enumerate(
        (
            "article", "main", "section", "aside", "footer", "figure", "table", "ul", "li", "hidden",
            "nav", "form", "figcaption",
        )
    )
}  # fmt: skip
# A block is kept if at least this share of its text is.
KEPT = 0.5


@dataclass(frozen=True, slots=True)
class BlockColumns:
    """The blocks of k pages and their containers, page after page: n blocks, m containers.

    starts: where the blocks of each page begin, and the end of the last, k + 1. roots: the same of
    containers; the first container of a page is its root. page_of: the page of each block, (n,). low, high:
    where the blocks of its page begin and end, (n,). root: the root of each container's page, (m,).
    texts, links_in, block_tags, inline_tokens, words_of: of each block, what `RawBlock` holds.
    words, chars, linked, links: of each block, how many words and characters, how many characters are linked
    and what share, (n,). kind: its number in `KINDS`, (n,). holder: its container, (n,).
    tags, tokens: of each container, in the order of the page; a container precedes those in it. parent,
    depth: (m,). landmarks: which of `LANDMARK_BITS` a container is or stands in, (m,).
    first, end: the blocks in a container stand side by side, from `first` to the one before `end`, (m,).
    """

    pages: Sequence[Page]
    starts: Sequence[int]
    roots: Sequence[int]
    page_of: Places
    low: Places
    high: Places
    root: Places
    texts: Sequence[str]
    links_in: Sequence[int]
    block_tags: Sequence[str]
    inline_tokens: Sequence[frozenset[str]]
    words_of: Sequence[tuple[str, ...]]
    words: Array
    chars: Array
    linked: Array
    links: Array
    kind: Places
    holder: Places
    tags: Sequence[str]
    tokens: Sequence[frozenset[str]]
    parent: Places
    depth: Places
    landmarks: Places
    first: Places
    end: Places

    def parts(self) -> Iterator[slice]:
        """Where the blocks of each page are."""
        return (slice(start, end) for start, end in pairwise(self.starts))

    def inside(self, of_blocks: NDArray[np.generic]) -> Sums:
        """The sum over all blocks in each container, however deep; (..., n) to (..., m)."""
        sums = running_sums(of_blocks)
        return sums.take(self.end, axis=-1) - sums.take(self.first, axis=-1)

    def by_page(self, of_blocks: NDArray[np.generic]) -> Sums:
        """The sum over all blocks of each page; (..., n) to (..., k)."""
        sums = running_sums(of_blocks).take(self.starts, axis=-1)
        return sums[..., 1:] - sums[..., :-1]

    def path(self, container: int) -> list[int]:
        """The container and those around it, innermost first."""
        found = [container]
        while (above := int(self.parent[container])) != container:
            container = above
            found.append(container)
        return found


def block_columns(pages: Sequence[Page]) -> BlockColumns:
    """The blocks and containers of the pages, side by side."""
    blocks = list(chain.from_iterable(page.blocks for page in pages))
    starts = [0, *accumulate(len(page.blocks) for page in pages)]
    roots = [0, *accumulate(len(page.containers) for page in pages)]
    kinds, texts, linked_in, links_in, holders, block_tags, inline_tokens, words_of = (
        zip(*blocks, strict=True) if blocks else ((),) * len(RawBlock._fields)
    )
    containers = [page.containers for page in pages]
    tags = [*chain.from_iterable(held.tag for held in containers)]
    tokens = [*chain.from_iterable(held.tokens for held in containers)]
    page_of = np.arange(len(pages)).repeat(np.diff(starts))
    page_of_container = np.arange(len(pages)).repeat(np.diff(roots))
    root = whole(roots).take(page_of_container)
    first_block = whole(starts).take(page_of_container)
    parent = _joined(held.parent for held in containers) + root
    chars = np.array([*map(len, texts)], dtype=np.float32)
    linked = np.array(linked_in, dtype=np.float32)
    return BlockColumns(
        pages=pages,
        starts=starts,
        roots=roots,
        page_of=page_of,
        low=whole(starts).take(page_of),
        high=whole(starts[1:]).take(page_of) if blocks else whole(()),
        root=root,
        texts=texts,
        links_in=links_in,
        block_tags=block_tags,
        inline_tokens=inline_tokens,
        words_of=words_of,
        words=np.array([*map(len, words_of)], dtype=np.float32),
        chars=chars,
        linked=linked,
        links=np.minimum(1.0, linked / np.maximum(1.0, chars)),
        kind=whole([*map(KINDS.index, kinds)]),
        holder=whole(holders) + whole(roots).take(page_of),
        tags=tags,
        tokens=tokens,
        parent=parent,
        depth=_joined(held.depth for held in containers),
        landmarks=_landmarks(tags, tokens, parent),
        first=_joined(held.first for held in containers) + first_block,
        end=_joined(held.end for held in containers) + first_block,
    )


def _joined(numbers: Iterable[Sequence[int]]) -> Places:
    return whole([*chain.from_iterable(numbers)])


def whole(numbers: Sequence[int]) -> Places:
    """The numbers as an array of integers that numpy can index with."""
    return np.array(numbers, dtype=np.intp)


def _landmarks(tags: Sequence[str], tokens: Sequence[frozenset[str]], parent: Places) -> Places:
    found: list[int] = []
    for number, (tag, names, above) in enumerate(zip(tags, tokens, parent.tolist(), strict=True)):
        bits = LANDMARK_BITS.get(tag, 0)
        if "hidden" in names:
            bits |= LANDMARK_BITS["hidden"]
        found.append(bits | found[above] if above < number else bits)
    return whole(found)


def running_sums(values: NDArray[np.generic]) -> Sums:
    """The sum of the values before each place, and of all; (..., n) to (..., n + 1)."""
    sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=sums[..., 1:])
    return sums


def main_containers(columns: BlockColumns, held: Sums, share: float = 0.8) -> list[int]:
    """The deepest container of each page with at least `share` of what the page holds; its root for none.

    held: by each container, however deep, (m,).
    """
    enough = held >= np.maximum(1.0, share * held.take(columns.root))
    depth = np.where(enough, columns.depth, -1)
    return [int(depth[start:end].argmax()) + start for start, end in pairwise(columns.roots)]


@dataclass(frozen=True, slots=True)
class BlockEvidence:
    """What the two readers took of each block, and what the rules of structure say of it; arrays of (n,).

    share: the share of its text that Trafilatura took, 0 to 1. own: the same of the regions of prose.
    rule: 0 where no rule is against the block, else the number of the rule in `NUMBERED_RULES`, from 1; the
    number after the last stands for all other rules. vetoed: the rule decides, whatever the model says.
    """

    share: Array
    own: Array
    rule: Places
    vetoed: Marks


# Rules that are features of their own.
NUMBERED_RULES = (
    "structure.caption", "structure.author", "structure.related", "structure.share", "structure.link-list",
    "structure.linked-line", "structure.teasers", "structure.next-article", "structure.repeated",
    "structure.title", "structure.dateline", "structure.navigation", "structure.embed",
)  # fmt: skip


def rule_number(rule: str | None) -> int:
    """The number of a rule as in `BlockEvidence.rule`; 0 for None."""
    if rule is None:
        return 0
    return NUMBERED_RULES.index(rule) + 1 if rule in NUMBERED_RULES else len(NUMBERED_RULES) + 1


@dataclass(frozen=True, slots=True)
class CandidateBlocks:
    """Which blocks are candidates for the article; many features are relative to them.

    share, own, rule: as in `BlockEvidence`; features with "kept" in their names are about `share`. ruled:
    the share that either reader took, 0 where a rule is against the block; features with "ruled". is_prose:
    which blocks are prose, (n,).
    inside: sums over all blocks in each container: characters, linked characters, blocks of prose, candidate
    characters, candidate blocks, and characters that the rules keep, (6, m).
    top_paths: of each page the deepest container with most of the candidates, and those around it.
    """

    columns: BlockColumns
    share: Array
    own: Array
    rule: Places
    ruled: Array
    is_prose: Marks
    inside: Sums
    top_paths: list[list[int]]


def candidate_blocks(columns: BlockColumns, evidence: BlockEvidence) -> CandidateBlocks:
    """The candidates that the evidence gives."""
    share, own = evidence.share, evidence.own
    ruled = np.where(evidence.rule == 0, np.maximum(share, own), np.float32(0.0))
    chars = columns.chars
    is_prose = (columns.words >= PROSE_WORDS) & (columns.links < 0.5)
    inside = columns.inside(
        np.array((chars, columns.linked, is_prose, chars * share, share >= KEPT, chars * ruled))
    )
    tops = main_containers(columns, inside[3])
    return CandidateBlocks(
        columns, share, own, evidence.rule, ruled, is_prose, inside, [columns.path(top) for top in tops]
    )
