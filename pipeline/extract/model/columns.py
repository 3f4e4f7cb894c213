"""The blocks of pages as arrays, and what is taken for the article at first sight.

What the block model weighs (`pipeline.extract.model.page_features`) is worked out from these, for all blocks
at once: those of one page, or of several side by side. A page has some hundred blocks, for which numpy takes
hardly longer than for one. Sums are in double precision, which single values add up to without rounding, so
that a page comes out the same whatever stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise, repeat

import numpy as np
from numpy.typing import NDArray

from pipeline.document import BlockKind
from pipeline.page import PROSE_WORDS, Page, RawBlock

Array = NDArray[np.float32]
Marks = NDArray[np.bool_]
Places = NDArray[np.intp]
Sums = NDArray[np.float64]
Shares = Sequence[float] | Array

# In the order of their numbers.
_KINDS = (
    BlockKind.HEADING,
    BlockKind.PARAGRAPH,
    BlockKind.LIST_ITEM,
    BlockKind.QUOTE,
    BlockKind.CAPTION,
    BlockKind.TABLE_ROW,
)
# Containers that say something of all that is in them, however deep, each by a bit.
_LANDMARKS = (
    "article", "main", "section", "aside", "footer", "figure", "table", "ul", "li", "hidden",
    "nav", "form", "figcaption",
)  # fmt: skip
LANDMARK_BITS = {name: 1 << bit for bit, name in enumerate(_LANDMARKS)}
# Those that hold no prose of the story, whatever they are called.
_APART = sum(LANDMARK_BITS[tag] for tag in ("nav", "footer", "aside", "form", "figcaption"))
# A verdict of at least this share of a block's words counts as "kept".
KEPT = 0.5


@dataclass(frozen=True, slots=True)
class Columns:
    """The blocks of pages and their containers, page after page, as arrays: k pages, n blocks, m containers.

    starts: where the blocks of each page begin, and the end of the last, k + 1. roots: the same of
    containers; the first of a page is its root. page_of: of each block the number of its page, (n,).
    low, high: where the blocks of its page begin and end, (n,). root: of each container that of its page,
    (m,).
    texts, links_in, block_tags, inline_tokens, words_of: of each block what `RawBlock` says, n of each.
    words, chars, linked, links: of each block, how many words and characters, how many of these are linked
    and what share, (n,). kind: number of its kind, (n,). holder: its container, (n,).
    tags, tokens: of each container, in the order of the page, each before those in it. parent, depth: (m,).
    landmarks: of each container, which of `LANDMARK_BITS` it is or stands in, (m,).
    first, end: all blocks in a container stand side by side, from its first to the one before its end, (m,).
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
        """Of each page, where its blocks stand."""
        return (slice(start, end) for start, end in pairwise(self.starts))

    def inside(self, of_blocks: NDArray[np.generic]) -> Sums:
        """Per container, the sum over all blocks in it, however deep; (..., n) to (..., m)."""
        sums = running_sums(of_blocks)
        return sums.take(self.end, axis=-1) - sums.take(self.first, axis=-1)

    def by_page(self, of_blocks: NDArray[np.generic]) -> Sums:
        """Per page, the sum over all its blocks; (..., n) to (..., k)."""
        sums = running_sums(of_blocks).take(self.starts, axis=-1)
        return sums[..., 1:] - sums[..., :-1]

    def path(self, container: int) -> list[int]:
        """The container and those around it, innermost first."""
        found, parent = [container], self.parent
        while (above := int(parent[container])) != container:
            container = above
            found.append(container)
        return found


def columns_of(pages: Sequence[Page]) -> Columns:
    blocks = list(chain.from_iterable(page.blocks for page in pages))
    starts = [0, *accumulate(len(page.blocks) for page in pages)]
    roots = [0, *accumulate(len(page.containers) for page in pages)]
    n, m = starts[-1], roots[-1]
    # field by field
    kinds, texts, linked_in, links_in, holders, block_tags, inline_tokens, words_of = (
        zip(*blocks, strict=True) if blocks else ((),) * len(RawBlock._fields)
    )
    containers = [page.containers for page in pages]
    tags = [*chain.from_iterable(held.tag for held in containers)]
    tokens = [*chain.from_iterable(held.tokens for held in containers)]
    numbers = np.arange(len(pages))
    page_of, page_around = (numbers.repeat(np.diff(places)) for places in (starts, roots))
    root, before = (whole(places).take(page_around) for places in (roots, starts))
    parent = _joined([held.parent for held in containers], m) + root
    depth = _joined([held.depth for held in containers], m)
    chars = np.array([*map(len, texts)], dtype=np.float32)
    linked = np.array(linked_in, dtype=np.float32)
    return Columns(
        pages=pages,
        starts=starts,
        roots=roots,
        page_of=page_of,
        low=whole(starts).take(page_of),
        high=whole(starts[1:]).take(page_of) if n else whole(()),
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
        kind=whole([*map(_KINDS.index, kinds)]),
        holder=whole(holders) + whole(roots).take(page_of),
        tags=tags,
        tokens=tokens,
        parent=parent,
        depth=depth,
        landmarks=_landmarks(tags, tokens, parent, depth),
        first=_joined([held.first for held in containers], m) + before,
        end=_joined([held.end for held in containers], m) + before,
    )


def _joined(numbers: Iterable[Sequence[int]], count: int) -> Places:
    return np.fromiter(chain.from_iterable(numbers), dtype=np.intp, count=count)


def _landmarks(
    tags: Sequence[str], tokens: Sequence[frozenset[str]], parent: Places, depth: Places
) -> Places:
    found = whole([*map(LANDMARK_BITS.get, tags, repeat(0))])
    hidden = [number for number, names in enumerate(tokens) if "hidden" in names]
    if hidden:
        found[hidden] |= LANDMARK_BITS["hidden"]
    # at each turn, those of twice as many around
    for _ in range(int(depth.max()).bit_length()):
        found |= found[parent]
        parent = parent[parent]
    return found


def whole(numbers: Sequence[int]) -> Places:
    return np.array(numbers, dtype=np.intp)


def running_sums(values: NDArray[np.generic]) -> Sums:
    """Of the values before each place, and of all; (..., n) to (..., n + 1)."""
    sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=sums[..., 1:])
    return sums


def main_containers(columns: Columns, kept: Sums, share: float = 0.8) -> list[int]:
    """Of each page the deepest container that holds at least `share` of what is kept; its root for none.

    kept: per container, all inside.
    """
    enough = kept >= np.maximum(1.0, share * kept.take(columns.root))
    depth = np.where(enough, columns.depth, -1)
    return [int(depth[start:end].argmax()) + start for start, end in pairwise(columns.roots)]


# The innermost container with this share of a page's prose holds the article, at first sight. Of the model
# that follows, cross-validated by site, mean F1 of wcxb-dev, multi-dev and fundus-dev with .45, .6 and .8:
# .9631, .9656, .9596. Counting teasers as prose costs .0023.
_MAIN_SHARE = 0.6
# Words of one block that count: a comment without end must not outweigh a story of many paragraphs.
_COUNTED_WORDS = 120.0
# Fewer words are taken for the article by the model only: "Share", "Photo: AP".
_FREE_WORDS = 4


def first_sight(columns: Columns) -> Array:
    """Which blocks stand where most of the page's prose stands, 0 or 1, (n,).

    No more than a point to start from: about .95 of the words of a news page are judged rightly by it.
    """
    taken = np.zeros(len(columns.words), dtype=np.float32)
    if not len(taken):
        return taken
    words, links = columns.words, columns.links
    within = (columns.landmarks & _APART == 0)[columns.holder]
    prose = (words >= PROSE_WORDS) & (links < 0.35) & within & ~teasers(columns)
    mass = columns.inside(np.where(prose, np.minimum(words, _COUNTED_WORDS), 0.0))
    plain = within & (links < 0.5) & (words >= _FREE_WORDS)
    for top in main_containers(columns, mass, _MAIN_SHARE):
        inside = slice(columns.first[top], columns.end[top])
        taken[inside] = plain[inside]
    return taken


def teasers(columns: Columns) -> Marks:
    """Of all blocks at once what `structure.is_teaser` says of one."""
    words, links, parent = columns.words, columns.links, columns.parent
    up = parent[columns.holder]
    around = np.array((columns.holder, up, parent[up]))
    leads = np.zeros(len(parent), dtype=np.bool_)
    leads[around[:, (words >= 3) & (links > 0.8)]] = True
    paragraphs = columns.inside((words >= PROSE_WORDS) & (links < 0.5))
    is_box = (columns.end - columns.first <= 7) & (paragraphs <= 2)
    found = words <= 60
    boxes = np.logical_and.accumulate(is_box[around])
    return found & (boxes & leads[around]).any(axis=0)


@dataclass(frozen=True, slots=True)
class View:
    """What is taken for the article on each page, which is what evidence is relative to.

    share: of each block's text, before the model speaks, 0 to 1, (n,). ruled: the same, after the rules of
    structure have spoken. prose: which blocks are.
    inside: per container the sums, over all blocks in it, of characters, of those that are linked, of prose,
    of characters and of blocks that are taken, and of characters that the rules leave, (6, m).
    top_paths: of each page, the deepest container that holds most of what is taken, and those around it.
    """

    columns: Columns
    share: Array
    ruled: Array
    prose: Marks
    inside: Sums
    top_paths: list[list[int]]


def view_of(columns: Columns, verdict: Shares, ruled: Shares) -> View:
    share = np.minimum(np.asarray(verdict, dtype=np.float32), 1.0)
    of_rules = np.minimum(np.asarray(ruled, dtype=np.float32), 1.0)
    chars = columns.chars
    prose = (columns.words >= PROSE_WORDS) & (columns.links < 0.5)
    inside = columns.inside(
        np.array((chars, columns.linked, prose, chars * share, share >= KEPT, chars * of_rules))
    )
    tops = main_containers(columns, inside[3])
    return View(columns, share, of_rules, prose, inside, [columns.path(top) for top in tops])
