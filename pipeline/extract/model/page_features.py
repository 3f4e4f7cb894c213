"""What a page says about each of its blocks, as numbers: the evidence that the block model weighs.

How much text and how many links the containers around a block hold, what its neighbours are, what was taken
for the article at first sight and what the rules say of that; what the template calls it is told by
`pipeline.extract.model.name_features`. All is computed for whole pages, many features in one operation (see
`pipeline.extract.model.columns`): most of the time goes by the operation, not by the block.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.extract.model.columns import (
    KEPT,
    LANDMARK_BITS,
    Array,
    Columns,
    Marks,
    Places,
    Sums,
    View,
    running_sums,
    whole,
)
from pipeline.extract.model.text_features import TEXT_NAMES, folded_before, text_evidence

# Elements whose presence among a block's ancestors is evidence; those with `below` also as ancestors that
# stand below the container of what is kept.
_LANDMARKS = ("article", "main", "section", "aside", "footer", "figure", "table", "ul", "li", "hidden")
_BELOW = ("article", "main", "section", "aside", "footer", "figure")
# Levels of headings, and two more elements.
_TAGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6, "p": 7, "div": 8}
_FAR = 30

# --- the features' names, in the order of their rows --------------------------------------------------

_MEASURES = ("chars", "links", "blocks", "prose", "kept", "kept_blocks", "of_kept")
_AROUND = (*(f"up{level}" for level in range(5)), "group", "outer")
_LOOKS = ("blocks", "words", "share", "links", "kept", "kept_blocks")


def _measures(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{name}.{measure}" for name in names for measure in _MEASURES)


PAGE_NAMES = (
    *TEXT_NAMES,
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
_ROW = {name: row for row, name in enumerate(PAGE_NAMES)}


def _rows(*names: str) -> Places:
    return np.array([_ROW[name] for name in names])


class Stated(NamedTuple):
    """What a page calls itself, and its summary, in any form."""

    titles: Sequence[str] = ()
    descriptions: Sequence[str] = ()


def page_evidence(out: Array, view: View, stated: Sequence[Stated], wanted: Places | None = None) -> None:
    """Fills `out`, (len(PAGE_NAMES), n): everything but what the names of elements say.

    stated: of each page. wanted: the blocks of which it will be asked how like what is stated they are, in
    order; all if not given.
    """
    columns = view.columns
    links = np.array(columns.links_in, dtype=np.float32)
    text_evidence(out[: len(TEXT_NAMES)], columns.texts, columns.words, columns.chars, links)
    _add_kinds(out, columns)
    texts = _numbered(columns.words_of, columns)
    wanted = np.arange(len(texts)) if wanted is None else wanted
    _add_likeness(out, columns, texts, wanted, stated)
    _add_verdict(out, view)
    _add_neighbours(out, view)
    _add_windows(out, view)
    _add_containers(out, view)
    _add_top(out, view)
    _add_groups(out, view, texts)
    _add_page(out, view)


# --- its kind and its text ----------------------------------------------------------------------------

_KIND_ROWS = slice(_ROW["kind.heading"], _ROW["heading_level"] + 1)


def _add_kinds(out: Array, columns: Columns) -> None:
    tag = whole([_TAGS.get(tag, 0) for tag in columns.block_tags])
    rows = out[_KIND_ROWS]
    for row, kind in enumerate((0, 1, 4)):
        rows[row] = columns.kind == kind
    rows[3] = tag == _TAGS["p"]
    rows[4] = tag == _TAGS["div"]
    rows[5] = np.where(tag < _TAGS["p"], tag, 0)


def _numbered(keys: Iterable[Hashable], columns: Columns) -> Places:
    """For the key of each block, the place of the first one of its page that equals it."""
    found: list[int] = []
    every = iter(keys)
    for start, end in itertools.pairwise(columns.starts):
        places: dict[Hashable, int] = {}
        found += map(places.setdefault, itertools.islice(every, end - start), itertools.count(start))
    return whole(found)


def _add_likeness(
    out: Array, columns: Columns, texts: Places, wanted: Places, stated: Sequence[Stated]
) -> None:
    """How much a block's words are those of the headline or of the summary, and how often it stood before."""
    times, before = Counter[int](), out[_ROW["same_before"]]
    before[:] = 0.0
    repeated = (texts < np.arange(len(texts))).nonzero()[0]
    for place, first in zip(repeated.tolist(), texts[repeated].tolist(), strict=True):
        times[first] += 1
        before[place] = min(times[first], 9)
    likeness, similar = np.zeros((2, len(texts)), dtype=np.float32)
    asked = zip(wanted.tolist(), texts[wanted].tolist(), strict=True)
    limits = wanted.searchsorted(columns.starts).tolist()
    for page, (start, end) in enumerate(itertools.pairwise(limits)):
        _add_likeness_to(*stated[page], columns, itertools.islice(asked, end - start), likeness, similar)
    out[_ROW["like_title"]] = likeness
    out[_ROW["like_description"]] = similar


def _add_likeness_to(
    titles: Sequence[str],
    descriptions: Sequence[str],
    columns: Columns,
    asked: Iterator[tuple[int, int]],
    likeness: Array,
    similar: Array,
) -> None:
    """Of the blocks of one page; asked: their places, each with the place of the first of its text."""
    names = [frozenset(name.split()) for name in set(map(folded_before, titles)) if name]
    summaries = [text.split() for text in set(map(folded_before, descriptions))]
    summaries = [words for words in summaries if len(words) >= 6]
    in_names, in_summaries = (frozenset[str]().union(*texts) for texts in (names, summaries))
    triples_of = [set(_triples(words)) for words in summaries]
    met: dict[int, tuple[float, float]] = {}
    for place, first in asked:
        if first not in met:
            words = columns.words_of[first]
            like = same = 0.0
            if len(words) < 60 and not in_names.isdisjoint(words):
                mine = frozenset(words)
                for other in names:
                    common = len(mine & other)
                    if common:
                        like = max(like, common / (len(mine) + len(other) - common))
            if 4 <= len(words) < 120 and 2 * sum(map(in_summaries.__contains__, words)) >= len(words):
                triples = set(_triples(words))
                same = max(len(triples & theirs) / len(triples) for theirs in triples_of)
            met[first] = like, same
        likeness[place], similar[place] = met[first]


def _triples(words: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(words, words[1:], words[2:], strict=False))


# --- its place in the page ----------------------------------------------------------------------------


def beside(columns: Columns, by: Sequence[int]) -> tuple[Places, Marks]:
    """Of each block the place of the one so many places on (negative: back), and whether it is on the page.

    Both (len(by), n).
    """
    place = np.arange(len(columns.words)) + whole(by)[:, None]
    return place, (place >= columns.low) & (place < columns.high)


_BESIDE = (-3, -2, -1, 1, 2, 3)
_WORDS_BESIDE = _rows(*(f"words{by:+}" for by in _BESIDE))
_NEXT = _BESIDE.index(1)
_LINKS_BESIDE = _rows(*(f"link_density{by:+}" for by in _BESIDE[1:5]))
_RULED_BESIDE = _rows("ruled-1", "ruled+1")


def _add_neighbours(out: Array, view: View) -> None:
    columns = view.columns
    at, is_there = beside(columns, _BESIDE)

    def fill(rows: Places | int, values: Array, which: slice | int) -> None:
        out[rows] = np.where(is_there[which], values.take(at[which], mode="clip"), -1.0)

    out[_ROW["link_density"]] = columns.links
    fill(_WORDS_BESIDE, columns.words, slice(None))
    fill(_LINKS_BESIDE, columns.links, slice(1, 5))
    fill(_ROW["sentence_end+1"], out[_ROW["sentence_end"]], _NEXT)
    out[_ROW["ruled"]] = view.ruled
    fill(_RULED_BESIDE, view.ruled, slice(_NEXT - 1, _NEXT + 1))


_SINCE_ROWS = _rows("since_kept", "since_prose", "section.since_heading", "since_ruled")
_UNTIL_ROWS = _rows("until_prose", "until_any_prose", "section.until_heading", "until_ruled")


def _add_verdict(out: Array, view: View) -> None:
    columns = view.columns
    words, share, low, high, page_of = columns.words, view.share, columns.low, columns.high, columns.page_of
    kept = share >= KEPT
    where = np.flatnonzero(kept & (words >= 8))
    # of each page the first and the last of these, or places beyond its end and before its beginning
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
    heading, ruled, solid = columns.kind == 0, view.ruled >= KEPT, kept & view.prose
    out[_SINCE_ROWS] = _since(np.array((kept, solid, heading, ruled)), low)
    # the same read backwards, where a page begins at what was its end
    backwards = np.array((solid, view.prose, heading, ruled))[:, ::-1]
    out[_UNTIL_ROWS] = _since(backwards, len(words) - high[::-1])[:, ::-1]


def _since(marks: Marks, low: Places) -> Places:
    """How many blocks up the last marked block stands (itself excluded), at most `_FAR`; (k, n).

    low: where the page of each begins.
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


def _add_windows(out: Array, view: View) -> None:
    """Sums over the block and some blocks on either side."""
    columns, share, ruled = view.columns, view.share, view.ruled
    words = columns.words
    lost = words * np.maximum(share - ruled, 0.0)
    sums = running_sums(
        np.array(
            (
                words, share, view.prose, words * columns.links, words * share, words * ruled,
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


def _add_containers(out: Array, view: View) -> None:
    columns = view.columns
    holder, parent, root = columns.holder, columns.parent, columns.root
    chars, linked, prose, kept_chars, kept_blocks, ruled_chars = view.inside
    blocks = (columns.end - columns.first).astype(np.float64)
    mass = np.maximum(1.0, chars)
    # per container: what stands in it, and how much of it is kept
    measures = np.array(
        (
            mass, linked / mass, blocks, prose, kept_chars / mass, kept_blocks / np.maximum(1.0, blocks),
            kept_chars / np.maximum(1.0, kept_chars.take(root)), ruled_chars / mass,
        ),
        dtype=np.float32,
    )  # fmt: skip
    # the first container around a block that holds more than the block; and the one around that
    own = np.arange(len(parent))
    alone = np.where((blocks <= 1) & (own != root), parent, own)
    same = np.where((blocks[parent] <= blocks) & (parent != root), parent, own)
    group = holder
    for _ in range(_GROUP_LEVELS):
        group = alone[group]
    inner = group
    for _ in range(_GROUP_LEVELS):
        inner = same[inner]
    # the child of the nearest container of the top's own path that leads to the block
    marks = np.zeros(len(parent), dtype=np.bool_)
    marks[[*itertools.chain.from_iterable(view.top_paths)]] = True
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


def _add_top(out: Array, view: View) -> None:
    """Relation to the container that holds most of what is kept, and what else stands around."""
    columns = view.columns
    firsts, ends, depths = columns.first.tolist(), columns.end.tolist(), columns.depth.tolist()
    of_block = columns.depth[columns.holder]
    inside = (columns.landmarks[columns.holder] & _IN_BITS) != 0
    out[_IN_ROWS] = inside
    below = out[_BELOW_ROWS]
    below[:] = inside[: len(_BELOW)]
    in_top = out[_ROW["in_top"]]
    in_top[:] = 0.0
    # depth at which the block's path and that of the top part, and the depth of the top
    meets, deepest = np.zeros((2, len(of_block)), dtype=np.intp)
    for part, path in zip(columns.parts(), view.top_paths, strict=True):
        top = path[0]
        for number in reversed(path):
            meets[firsts[number] : ends[number]] = depths[number]
        in_top[firsts[top] : ends[top]] = 1.0
        deepest[part] = depths[top]
        # what stands around the top as well
        for tag in {columns.tags[number] for number in path}.intersection(_BELOW):
            below[_BELOW.index(tag), part] = 0.0
    out[_ROW["below_top"]] = of_block - meets
    out[_ROW["parts_above_top"]] = deepest - meets
    out[_ROW["depth"]] = of_block
    out[_ROW["top.depth"]] = deepest


# --- blocks that belong together ----------------------------------------------------------------------

_LOOK_ROWS = np.array([[_ROW[f"{name}.{look}"] for name in ("alike", "like")] for look in _LOOKS])
_SECTION_ROWS = _rows(
    "section.words", "section.blocks", "section.kept", "section.links",
    "section.heading_kept", "section.heading_words",
)  # fmt: skip


def _add_groups(out: Array, view: View, texts: Places) -> None:
    """Of blocks with one text, in a run of kept or of dropped ones, or from one heading to the next.

    And of those that the template makes alike: same element, same names (same container around).
    """
    columns, words, share = view.columns, view.columns.words, view.share
    n = len(words)
    kept, heading = share >= KEPT, columns.kind == 0
    run = np.zeros(n, dtype=np.intp)
    page_of = columns.page_of
    np.cumsum((kept[1:] != kept[:-1]) | (page_of[1:] != page_of[:-1]), out=run[1:])
    # what stands before the first heading of a page is a section as well
    section = np.cumsum(heading) + page_of
    # one numbering for all: no grouping has more groups than blocks and pages
    size = n + len(columns.pages)
    of = np.concatenate(
        [numbers + k * size for k, numbers in enumerate((texts, run, section, *_looks(columns)))]
    )
    number_of = np.bincount(of, minlength=5 * size)

    def sums(values: NDArray[np.generic], first: int) -> Sums:
        """In each group, of the groupings from the number `first` on."""
        weights = np.concatenate((values,) * (5 - first))
        return np.bincount(of[first * n :], weights, 5 * size).astype(np.float64, copy=False)

    mass, linked = sums(words, 1), sums(words * columns.links, 2)
    taken, shares = sums(words * share, 3), sums(share, 3)
    out[_ROW["same"]] = np.minimum(number_of[texts], 9)
    out[_ROW["same_kept"]] = np.minimum(np.bincount(texts, kept)[texts], 9)
    of_run = of[n : 2 * n]
    out[_ROW["run_words"]] = mass[of_run]
    out[_ROW["run_blocks"]] = number_of[of_run]

    counted, weighed = np.maximum(1.0, number_of), np.maximum(1.0, mass)
    # of looks, whose numbers are places of blocks; nothing is asked of the other groupings
    of_page = np.ones((5, size))
    of_page[3:, :n] = np.maximum(1.0, columns.by_page(words)).take(page_of)
    of_looks = np.array(
        (
            number_of, mass / counted, mass / of_page.ravel(), linked / weighed, taken / weighed,
            shares / counted,
        ),
        dtype=np.float32,
    )  # fmt: skip
    out[_LOOK_ROWS] = of_looks.take(of[3 * n :].reshape(2, n), axis=1)

    body = words * ~heading
    body_kept, body_words = (np.bincount(section, values, size) for values in (body * share, body))
    head_kept, head_words = np.zeros((2, size))
    heads = np.flatnonzero(heading)
    head_kept[section[heads]] = share[heads]
    head_words[section[heads]] = words[heads]
    held = slice(2 * size, 3 * size)
    of_section = np.array(
        (
            mass[held], number_of[held], body_kept / np.maximum(1, body_words),
            linked[held] / weighed[held], head_kept, head_words,
        ),
        dtype=np.float32,
    )  # fmt: skip
    out[_SECTION_ROWS] = of_section.take(section, axis=1)


def _looks(columns: Columns) -> tuple[Places, Places]:
    """Which blocks are alike, and which of these also stand in containers that are."""
    tags, tokens = columns.tags, columns.tokens
    holder, around = columns.holder.tolist(), columns.parent[columns.holder].tolist()
    alike = _numbered(
        zip(columns.block_tags, [tags[n] for n in holder], [tokens[n] for n in holder], strict=True), columns
    )
    like = _numbered(
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


def _add_page(out: Array, view: View) -> None:
    columns, share = view.columns, view.share
    words, chars = columns.words, columns.chars
    of_prose = words * view.prose
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
