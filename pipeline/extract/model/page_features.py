"""Features of a block from its text and its place in the page.

How much text and how many links the containers around it hold, what its neighbours are, which blocks are
candidates, and what the rules say of these. All are computed for whole pages, many features in one numpy
operation (see `pipeline.extract.model.columns`).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.extract.model.columns import (
    KEPT,
    LANDMARK_BITS,
    Array,
    BlockColumns,
    CandidateBlocks,
    Marks,
    Places,
    Sums,
    running_sums,
    whole,
)
from pipeline.extract.model.text_features import TEXT_FEATURES, text_features
from pipeline.text import runs_key

# Ancestors of a block that are features; those in _BELOW also if they stand below the candidates' container.
_LANDMARKS = ("article", "main", "section", "aside", "footer", "figure", "table", "ul", "li", "hidden")
_BELOW = ("article", "main", "section", "aside", "footer", "figure")
# Levels of headings, and two more tags.
_TAGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6, "p": 7, "div": 8}
# Distances in blocks are cut at this.
_FAR = 30

# --- the features' names, in the order of their rows --------------------------------------------------

_MEASURES = ("chars", "links", "blocks", "prose", "kept", "kept_blocks", "of_kept")
_AROUND = (*(f"up{level}" for level in range(5)), "group", "outer")
_LOOKS = ("blocks", "words", "share", "links", "kept", "kept_blocks")


def _measures(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{name}.{measure}" for name in names for measure in _MEASURES)


PAGE_FEATURES = (
    *TEXT_FEATURES,
    "kind.heading", "kind.paragraph", "kind.caption", "tag.p", "tag.div", "heading_level",
    "same", "same_before", "same_kept", "like_title", "like_description",
    "from_first", "from_last", "position", "kept_before", "kept_after", "words_of_kept",
    "since_kept", "since_prose", "until_prose", "until_any_prose", "run_words", "run_blocks",
    "link_density", "words-3", "words-2", "link_density-2", "words-1", "link_density-1",
    "words+1", "link_density+1", "words+2", "link_density+2", "words+3", "sentence_end+1",
    *(f"window{n}.{name}" for n in (4, 10) for name in ("words", "links", "kept", "kept_blocks", "prose")),
    "window4.headings", "window4.ends",
    *_measures(_AROUND), "group.share_of_page", "group.place", "group.last",
    "in_top", "below_top", "parts_above_top", *_measures(("branch",)), "depth", "top.depth",
    *(f"in.{tag}" for tag in _LANDMARKS), *(f"in.{tag}.below" for tag in _BELOW),
    *(f"{name}.{look}" for name in ("like", "alike") for look in _LOOKS),
    "section.words", "section.blocks", "section.kept", "section.links", "section.since_heading",
    "section.until_heading", "section.heading_kept", "section.heading_words",
    "ruled", "ruled-1", "ruled+1", "window4.ruled", "window10.ruled",
    *(f"up{level}.ruled" for level in range(4)), "window4.lost", "page.lost", "since_ruled", "until_ruled",
    "page.blocks", "page.words", "page.link_density", "page.kept_words", "page.kept_share",
    "page.prose_kept", "page.list_share",
)  # fmt: skip
_ROW = {name: row for row, name in enumerate(PAGE_FEATURES)}


def _rows(*names: str) -> Places:
    return np.array([_ROW[name] for name in names])


class StatedTexts(NamedTuple):
    """What a page states about its article: its titles and descriptions, in any form."""

    titles: Sequence[str] = ()
    descriptions: Sequence[str] = ()


def page_features(candidates: CandidateBlocks, stated: Sequence[StatedTexts]) -> Array:
    """The features `PAGE_FEATURES` of all blocks, (len(PAGE_FEATURES), blocks); stated: of each page."""
    columns = candidates.columns
    out = np.empty((len(PAGE_FEATURES), len(columns.words)), dtype=np.float32)
    links = np.array(columns.links_in, dtype=np.float32)
    out[: len(TEXT_FEATURES)] = text_features(columns.texts, columns.words, columns.chars, links)
    texts = _first_equal(columns.words_of, columns)
    _add_kinds(out, columns)
    _add_likeness(out, columns, texts, stated)
    _add_order(out, candidates)
    _add_neighbours(out, candidates)
    _add_windows(out, candidates)
    _add_containers(out, candidates)
    _add_top(out, candidates)
    _add_groups(out, candidates, texts)
    _add_page(out, candidates)
    return out


# --- its kind and its text ----------------------------------------------------------------------------

_KIND_ROWS = slice(_ROW["kind.heading"], _ROW["heading_level"] + 1)


def _add_kinds(out: Array, columns: BlockColumns) -> None:
    tag = whole([_TAGS.get(tag, 0) for tag in columns.block_tags])
    rows = out[_KIND_ROWS]
    for row, kind in enumerate((0, 1, 4)):
        rows[row] = columns.kind == kind
    rows[3] = tag == _TAGS["p"]
    rows[4] = tag == _TAGS["div"]
    rows[5] = np.where(tag < _TAGS["p"], tag, 0)


def _first_equal(keys: Iterable[Hashable], columns: BlockColumns) -> Places:
    """The place of the first block of the same page with an equal key, (blocks,). keys: of each block."""
    found: list[int] = []
    every = iter(keys)
    for start, end in itertools.pairwise(columns.starts):
        places: dict[Hashable, int] = {}
        found += map(places.setdefault, itertools.islice(every, end - start), itertools.count(start))
    return whole(found)


def _add_likeness(out: Array, columns: BlockColumns, texts: Places, stated: Sequence[StatedTexts]) -> None:
    """How much a block's words are those of the title or description, and how often they stood before."""
    times, before = Counter[int](), out[_ROW["same_before"]]
    before[:] = 0.0
    repeated = (texts < np.arange(len(texts))).nonzero()[0]
    for place, first in zip(repeated.tolist(), texts[repeated].tolist(), strict=True):
        times[first] += 1
        before[place] = min(times[first], 9)
    like_title, like_description = out[_ROW["like_title"]], out[_ROW["like_description"]]
    for of_page, part in zip(stated, columns.parts(), strict=True):
        likeness = _Likeness(of_page)
        for place in range(part.start, part.stop):
            words = columns.words_of[place]
            like_title[place] = likeness.to_title(words)
            like_description[place] = likeness.to_description(words)


class _Likeness:
    """How much a block's words are those of a page's titles and descriptions."""

    def __init__(self, stated: StatedTexts) -> None:
        self._titles = [frozenset(key.split()) for key in set(map(runs_key, stated.titles)) if key]
        descriptions = [key.split() for key in set(map(runs_key, stated.descriptions))]
        descriptions = [words for words in descriptions if len(words) >= 6]
        self._title_words = frozenset[str]().union(*self._titles)
        self._description_words = frozenset[str]().union(*descriptions)
        self._triples = [set(_triples(words)) for words in descriptions]

    def to_title(self, words: Sequence[str]) -> float:
        """The Jaccard index of the words with those of the title that is most like them."""
        if len(words) >= 60 or self._title_words.isdisjoint(words):
            return 0.0
        mine = frozenset(words)
        return max(len(mine & title) / len(mine | title) for title in self._titles)

    def to_description(self, words: Sequence[str]) -> float:
        """The largest share of the block's word triples that stand in one description."""
        if not 4 <= len(words) < 120 or 2 * sum(map(self._description_words.__contains__, words)) < len(
            words
        ):
            return 0.0
        mine = set(_triples(words))
        return max(len(mine & triples) / len(mine) for triples in self._triples)


def _triples(words: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(words, words[1:], words[2:], strict=False))


# --- its order in the page ----------------------------------------------------------------------------


def beside(columns: BlockColumns, by: Sequence[int]) -> tuple[Places, Marks]:
    """The place of the block so many places on (negative: back), and whether it is on the same page.

    Both (len(by), blocks).
    """
    place = np.arange(len(columns.words)) + whole(by)[:, None]
    return place, (place >= columns.low) & (place < columns.high)


_BESIDE = (-3, -2, -1, 1, 2, 3)
_WORDS_BESIDE = _rows(*(f"words{by:+}" for by in _BESIDE))
_NEXT = _BESIDE.index(1)
_LINKS_BESIDE = _rows(*(f"link_density{by:+}" for by in _BESIDE[1:5]))
_RULED_BESIDE = _rows("ruled-1", "ruled+1")


def _add_neighbours(out: Array, candidates: CandidateBlocks) -> None:
    """Words and links of the blocks before and after; -1 beyond the page."""
    columns = candidates.columns
    at, is_there = beside(columns, _BESIDE)

    def fill(rows: Places | int, values: Array, which: slice | int) -> None:
        out[rows] = np.where(is_there[which], values.take(at[which], mode="clip"), -1.0)

    out[_ROW["link_density"]] = columns.links
    fill(_WORDS_BESIDE, columns.words, slice(None))
    fill(_LINKS_BESIDE, columns.links, slice(1, 5))
    fill(_ROW["sentence_end+1"], out[_ROW["sentence_end"]], _NEXT)
    out[_ROW["ruled"]] = candidates.ruled
    fill(_RULED_BESIDE, candidates.ruled, slice(_NEXT - 1, _NEXT + 1))


_SINCE_ROWS = _rows("since_kept", "since_prose", "section.since_heading", "since_ruled")
_UNTIL_ROWS = _rows("until_prose", "until_any_prose", "section.until_heading", "until_ruled")


def _add_order(out: Array, candidates: CandidateBlocks) -> None:
    """Where a block stands in the page, and how far from candidates, prose and headings."""
    columns = candidates.columns
    words, share, low, high, page_of = (
        columns.words,
        candidates.share,
        columns.low,
        columns.high,
        columns.page_of,
    )
    kept = share >= KEPT
    where = np.flatnonzero(kept & (words >= 8))
    # The first and the last of these on each page; of none, places after and before the page.
    limits = where.searchsorted(columns.starts)
    starts, padded = whole(columns.starts), np.append(where, 0)
    is_any = limits[1:] > limits[:-1]
    first = np.where(is_any, padded.take(limits[:-1]), starts[1:])
    last = np.where(is_any, padded.take(limits[1:] - 1), starts[:-1] - 1)
    place = np.arange(len(words))
    mass = words * share
    sums = running_sums(mass)
    before = sums[:-1] - sums.take(low)
    total = np.maximum(1.0, sums.take(high) - sums.take(low))
    rows = out[_ROW["from_first"] : _ROW["words_of_kept"] + 1]
    rows[0] = np.minimum(np.maximum(place - first.take(page_of), -_FAR), 3 * _FAR)
    rows[1] = np.minimum(np.maximum(place - last.take(page_of), -3 * _FAR), _FAR)
    rows[2] = (place - low) / np.maximum(1, high - low - 1)
    rows[3] = before / total
    rows[4] = (total - before - mass) / total
    rows[5] = words / total
    heading, ruled, solid = columns.kind == 0, candidates.ruled >= KEPT, kept & candidates.is_prose
    out[_SINCE_ROWS] = blocks_since(np.array((kept, solid, heading, ruled)), low)
    # The same, read backwards.
    backwards = np.array((solid, candidates.is_prose, heading, ruled))[:, ::-1]
    out[_UNTIL_ROWS] = blocks_since(backwards, len(words) - high[::-1])[:, ::-1]


def blocks_since(marks: Marks, low: Places) -> Places:
    """How many blocks before each block the last marked one stands, at most `_FAR`; (k, blocks).

    marks: (k, blocks). low: where the page of each block begins.
    """
    place = np.arange(marks.shape[1])
    last = np.full(marks.shape, -10_000, dtype=np.intp)
    last[:, 1:] = np.where(marks[:, :-1], place[:-1], -10_000)
    last = np.maximum.accumulate(last, axis=1)
    since: Places = np.where(last >= low, np.minimum(place - last, _FAR), _FAR)
    return since


_WINDOW_SUMS = {
    reach: (_rows(f"window{reach}.words", f"window{reach}.kept_blocks", f"window{reach}.prose"),
            _rows(f"window{reach}.links", f"window{reach}.kept", f"window{reach}.ruled"))
    for reach in (4, 10)
}  # fmt: skip
_WINDOW4_ROWS = _rows("window4.headings", "window4.ends", "window4.lost")


def _add_windows(out: Array, candidates: CandidateBlocks) -> None:
    """Sums over a block and 4, or 10, blocks on either side."""
    columns, share, ruled = candidates.columns, candidates.share, candidates.ruled
    words = columns.words
    lost = words * np.maximum(share - ruled, 0.0)
    sums = running_sums(
        np.array(
            (
                words, share, candidates.is_prose, words * columns.links, words * share, words * ruled,
                columns.kind == 0, out[_ROW["sentence_end"]], lost,
            ),
        )
    )  # fmt: skip
    place = np.arange(len(words))
    for reach, (plain, weighted) in _WINDOW_SUMS.items():
        low, high = np.maximum(place - reach, columns.low), np.minimum(place + reach + 1, columns.high)
        window = (sums.take(high, axis=1) - sums.take(low, axis=1)).astype(np.float32)
        out[plain] = window[0:3]
        out[weighted] = window[3:6] / window[0]
        if reach == 4:
            out[_WINDOW4_ROWS] = window[6:9]
    of_page = sums[4:9:4].take(columns.high, axis=1) - sums[4:9:4].take(columns.low, axis=1)
    out[_ROW["page.lost"]] = of_page[1] / np.maximum(1.0, of_page[0])


# --- the containers around it -------------------------------------------------------------------------

_CONTAINER_ROWS = np.array(
    [[_ROW[f"{name}.{measure}"] for name in (*_AROUND, "branch")] for measure in _MEASURES]
)
_UP_RULED_ROWS = _rows(*(f"up{level}.ruled" for level in range(4)))
_GROUP_LEVELS = 6


def _add_containers(out: Array, candidates: CandidateBlocks) -> None:
    """What the containers around a block hold, and how much of it is candidates."""
    columns = candidates.columns
    holder, parent, root = columns.holder, columns.parent, columns.root
    chars, linked, prose, kept_chars, kept_blocks, ruled_chars = candidates.inside
    blocks = (columns.end - columns.first).astype(np.float64)
    mass = np.maximum(1.0, chars)
    # Of each container: what stands in it, and how much of it is a candidate.
    measures = np.array(
        (
            mass, linked / mass, blocks, prose, kept_chars / mass, kept_blocks / np.maximum(1.0, blocks),
            kept_chars / np.maximum(1.0, kept_chars.take(root)), ruled_chars / mass,
        ),
        dtype=np.float32,
    )  # fmt: skip
    # `group`: the first container around a block that holds more than the block; `inner` leads to the next.
    own = np.arange(len(parent))
    alone = np.where((blocks <= 1) & (own != root), parent, own)
    same = np.where((blocks[parent] <= blocks) & (parent != root), parent, own)
    group = holder
    for _ in range(_GROUP_LEVELS):
        group = alone[group]
    inner = group
    for _ in range(_GROUP_LEVELS):
        inner = same[inner]
    # `branch`: the child of the top, or of a container around it, through which the block is reached.
    marks = np.zeros(len(parent), dtype=np.bool_)
    marks[[*itertools.chain.from_iterable(candidates.top_paths)]] = True
    branch = np.maximum.accumulate(np.where(marks | marks[parent], own, 0))[holder]
    at = [holder]
    for _ in range(4):
        at.append(parent[at[-1]])
    around = measures.take(np.array((*at, group, parent[inner], branch)), axis=1)
    out[_CONTAINER_ROWS] = around[:7]
    out[_UP_RULED_ROWS] = around[7, :4]
    out[_ROW["group.share_of_page"]] = (chars / np.maximum(1.0, chars.take(root)))[group]
    place = (np.arange(len(holder)) - columns.first[group]) / np.maximum(1.0, blocks[group] - 1)
    out[_ROW["group.place"]] = place
    out[_ROW["group.last"]] = place >= 1


_IN_ROWS = slice(_ROW[f"in.{_LANDMARKS[0]}"], _ROW[f"in.{_LANDMARKS[-1]}"] + 1)
_IN_BITS = np.array([[LANDMARK_BITS[name]] for name in _LANDMARKS])
_BELOW_ROWS = slice(_ROW[f"in.{_BELOW[0]}.below"], _ROW[f"in.{_BELOW[-1]}.below"] + 1)


def _add_top(out: Array, candidates: CandidateBlocks) -> None:
    """How a block stands to the container with most of the candidates, and which elements are around it."""
    columns = candidates.columns
    firsts, ends, depths = columns.first.tolist(), columns.end.tolist(), columns.depth.tolist()
    of_block = columns.depth[columns.holder]
    inside = (columns.landmarks[columns.holder] & _IN_BITS) != 0
    out[_IN_ROWS] = inside
    below = out[_BELOW_ROWS]
    below[:] = inside[: len(_BELOW)]
    in_top = out[_ROW["in_top"]]
    in_top[:] = 0.0
    # The depth at which the block's path leaves that of the top, and the depth of the top.
    meets, deepest = np.zeros((2, len(of_block)), dtype=np.intp)
    for part, path in zip(columns.parts(), candidates.top_paths, strict=True):
        top = path[0]
        for number in reversed(path):
            meets[firsts[number] : ends[number]] = depths[number]
        in_top[firsts[top] : ends[top]] = 1.0
        deepest[part] = depths[top]
        # Elements around the top say nothing that tells its blocks apart.
        for tag in {columns.tags[number] for number in path}.intersection(_BELOW):
            below[_BELOW.index(tag), part] = 0.0
    out[_ROW["below_top"]] = of_block - meets
    out[_ROW["parts_above_top"]] = deepest - meets
    out[_ROW["depth"]] = of_block
    out[_ROW["top.depth"]] = deepest


# --- blocks that belong together ----------------------------------------------------------------------

_LOOK_ROWS = {name: _rows(*(f"{name}.{look}" for look in _LOOKS)) for name in ("alike", "like")}
_SECTION_ROWS = _rows(
    "section.words", "section.blocks", "section.kept", "section.links",
    "section.heading_kept", "section.heading_words",
)  # fmt: skip


def _add_groups(out: Array, candidates: CandidateBlocks, texts: Places) -> None:
    """Sums over the blocks that belong together with a block.

    These are: blocks with the same text; a run of candidates, or of others; the section from one heading to
    the next; and blocks that the template makes alike (`_looks`).
    """
    columns, words, share = candidates.columns, candidates.columns.words, candidates.share
    is_kept, is_heading = share >= KEPT, columns.kind == 0
    out[_ROW["same"]] = np.minimum(_group_sums(texts)[texts], 9)
    out[_ROW["same_kept"]] = np.minimum(_group_sums(texts, is_kept)[texts], 9)

    run = np.zeros(len(words), dtype=np.intp)
    is_new_page = columns.page_of[1:] != columns.page_of[:-1]
    np.cumsum((is_kept[1:] != is_kept[:-1]) | is_new_page, out=run[1:])
    out[_ROW["run_words"]] = _group_sums(run, words)[run]
    out[_ROW["run_blocks"]] = _group_sums(run)[run]

    page_words = np.maximum(1.0, columns.by_page(words)).take(columns.page_of)
    for name, look in zip(_LOOK_ROWS, _looks(columns), strict=True):
        blocks = np.maximum(1.0, _group_sums(look))
        look_words = _group_sums(look, words)
        mass = np.maximum(1.0, look_words)
        of_looks = np.array(
            (
                _group_sums(look)[look],
                (look_words / blocks)[look],
                look_words[look] / page_words[look],
                (_group_sums(look, words * columns.links) / mass)[look],
                (_group_sums(look, words * share) / mass)[look],
                (_group_sums(look, share) / blocks)[look],
            ),
            dtype=np.float32,
        )
        out[_LOOK_ROWS[name]] = of_looks

    # What precedes the first heading of a page is a section as well.
    section = np.cumsum(is_heading) + columns.page_of
    section_words = _group_sums(section, words)
    body = words * ~is_heading
    of_sections = np.array(
        (
            section_words,
            _group_sums(section),
            _group_sums(section, body * share) / np.maximum(1.0, _group_sums(section, body)),
            _group_sums(section, words * columns.links) / np.maximum(1.0, section_words),
            _group_sums(section, share * is_heading),
            _group_sums(section, words * is_heading),
        ),
        dtype=np.float32,
    )
    out[_SECTION_ROWS] = of_sections.take(section, axis=1)


def _group_sums(group: Places, values: NDArray[np.generic] | None = None) -> Sums:
    """The sum of the values of each group, or how many blocks it has; (groups,). group: of each block."""
    return np.bincount(group, values).astype(np.float64, copy=False)


def _looks(columns: BlockColumns) -> tuple[Places, Places]:
    """Which blocks are alike (tag, and tag and names of the container), and which of these also within alike
    containers; for each block the place of the first one like it.
    """
    tags, tokens = columns.tags, columns.tokens
    holder, around = columns.holder.tolist(), columns.parent[columns.holder].tolist()
    alike = _first_equal(
        zip(columns.block_tags, [tags[n] for n in holder], [tokens[n] for n in holder], strict=True), columns
    )
    like = _first_equal(
        zip(
            alike.tolist(),
            columns.inline_tokens,
            [tags[n] for n in around],
            [tokens[n] for n in around],
            strict=True,
        ),
        columns,
    )
    return alike, like


_PAGE_ROWS = slice(_ROW["page.blocks"], _ROW["page.list_share"] + 1)


def _add_page(out: Array, candidates: CandidateBlocks) -> None:
    """Features of the whole page."""
    columns, share = candidates.columns, candidates.share
    words, chars = columns.words, columns.chars
    of_prose = words * candidates.is_prose
    count, all_words, all_chars, linked, kept, prose, prose_kept, listed = columns.by_page(
        np.array(
            (
                np.ones(len(words)), words, chars, chars * columns.links, words * share, of_prose,
                of_prose * share, words * (columns.kind == 2),
            )
        )
    )  # fmt: skip
    total = np.maximum(1.0, all_words)
    of_page = np.array(
        (
            count, total, linked / np.maximum(1.0, all_chars), kept, kept / total,
            prose_kept / np.maximum(1.0, prose), listed / total,
        )
    )  # fmt: skip
    out[_PAGE_ROWS] = of_page.take(columns.page_of, axis=1)
