"""Groups of copies and their canonical copies, of the verified pairs of all articles at once.

`pipeline.copies.groups` and `pipeline.copies.canonical` decide; here is found what they have to decide. A
component of any size costs numpy's arrays of its pairs, and Python objects only of texts that may hold
several stories and of the articles that may become canonical copies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline import copies
from pipeline.batch.components import components
from pipeline.batch.stories import integers
from pipeline.copies import LOOKED_AT, Contender, Cut, Passage, Shared
from pipeline.text import is_agency_site
from pipeline.times import from_microseconds

GROUPS = pa.schema([("id", pa.int64()), ("group_id", pa.int64()), ("is_canonical", pa.bool_())])
"""A row for each article that has a verified pair, sorted by id. Every other article is a group of its own.

group_id: the least id of the group. is_canonical: whether it is the canonical copy; one in each group is.
"""

CUTS = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("cut", pa.int64())])
"""The verified pairs that do not join their groups, sorted. cut: bits of `copies.Cut`, at least one."""

MEMBERS = ("id", "url", "site", "title", "fetched_at", "published_at", "agency", "word_count")
"""The columns of STORIES that `group` reads."""

# Possible bridges that are decided together.
_BRIDGES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Grouped:
    """groups: a table GROUPS. cuts: a table CUTS."""

    groups: pa.Table
    cuts: pa.Table


def group(pairs: pa.Table, stories: pa.Table) -> Grouped:
    """The groups of whole components of verified pairs.

    pairs: a table PAIRS with all pairs of each of its articles. stories: all articles of the pairs, each
    once, and maybe others, with the columns MEMBERS. Raises KeyError if one is missing.
    """
    ends = _Ends(pairs)
    cut = _cuts(ends)
    cut_pairs = cut.nonzero()[0]
    joins = cut == 0
    ids = np.unique(ends.one)
    joined = components(ends.a[joins], ends.b[joins])
    groups = ids.copy()
    groups[np.searchsorted(ids, joined.ids)] = joined.labels
    is_canonical = _canonical(ends, cut, ids, groups, _rows_of(stories, ids))
    found = pa.table([ends.a[cut_pairs], ends.b[cut_pairs], cut[cut_pairs]], schema=CUTS)
    return Grouped(
        pa.table([ids, groups, pa.array(is_canonical)], schema=GROUPS),
        found.sort_by([("a", "ascending"), ("b", "ascending")]),
    )


class _Ends:
    """Both ends of each pair: int64 arrays of twice as many, first those of all a, then those of all b.

    one, other: ids. start, end: the passage of the one that both share. holds: whether the one holds the
    other. a, b: ids, of each pair.
    """

    def __init__(self, pairs: pa.Table) -> None:
        self.a, self.b = integers(pairs["a"]), integers(pairs["b"])
        self.one = np.concatenate((self.a, self.b))
        self.other = np.concatenate((self.b, self.a))
        self.start, self.end = (
            np.concatenate((integers(pairs[f"a_{name}"]), integers(pairs[f"b_{name}"])))
            for name in ("start", "end")
        )
        self.holds = np.tile(integers(pc.fill_null(pairs["holder"], _NOBODY)), 2) == self.one
        self.jaccard, self.containment = (
            pairs[name].to_numpy(zero_copy_only=False) for name in ("jaccard", "containment")
        )


# No id.
_NOBODY = -1


def _cuts(ends: _Ends) -> NDArray[np.int64]:
    """Bits of `copies.Cut` for each pair."""
    cut = np.zeros(ends.a.size, dtype=np.int64)
    holders = _possible_bridges(ends)
    order = np.argsort(ends.one, kind="stable")
    sorted_ones = ends.one[order]
    for first in range(0, holders.size, _BRIDGES_AT_ONCE):
        some = holders[first : first + _BRIDGES_AT_ONCE]
        begins, stops = (np.searchsorted(sorted_ones, some, side) for side in ("left", "right"))
        here = order[np.concatenate([np.arange(*span) for span in zip(begins, stops, strict=True)])]
        is_cut = _bridged(ends, here)
        bits = np.where(is_cut < ends.a.size, int(Cut.BY_A), int(Cut.BY_B))
        np.bitwise_or.at(cut, is_cut % ends.a.size, bits)
    return cut


def _possible_bridges(ends: _Ends) -> NDArray[np.int64]:
    """Articles that hold another, and do not share one stretch of their text with all that they share."""
    ids, of = np.unique(ends.one, return_inverse=True)
    latest, first_end, longest = (np.zeros(ids.size, dtype=np.int64) for _ in range(3))
    first_end += np.iinfo(np.int64).max
    np.maximum.at(latest, of, ends.start)
    np.minimum.at(first_end, of, ends.end)
    np.maximum.at(longest, of, ends.end - ends.start)
    common = first_end - latest
    is_holder = np.zeros(ids.size, dtype=np.bool_)
    is_holder[of[ends.holds]] = True
    possible: NDArray[np.int64] = ids[is_holder & ((common <= 0) | (common < copies.OVERLAP * longest))]
    return possible


def _bridged(ends: _Ends, here: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the ends of some holders at which the pair is cut. here: all ends of these holders."""
    shared: dict[int, dict[int, Passage]] = {}
    columns = (ends.one, ends.other, ends.start, ends.end)
    for one, other, start, end in zip(*(column[here].tolist() for column in columns), strict=True):
        shared.setdefault(one, {})[other] = Passage(start, end)
    holding = here[ends.holds[here]]
    held = set(_pairs(ends.one[holding], ends.other[holding]))
    among = np.isin(ends.a, ends.other[holding]) & np.isin(ends.b, ends.other[holding])
    cut = copies.bridges(shared, held, set(_pairs(ends.a[among], ends.b[among])))
    is_cut = [pair in cut for pair in _pairs(ends.one[here], ends.other[here])]
    return here[np.array(is_cut, dtype=np.bool_)]


def _pairs(one: NDArray[np.int64], other: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    return zip(one.tolist(), other.tolist(), strict=True)


def _rows_of(stories: pa.Table, ids: NDArray[np.int64]) -> pa.Table:
    """The rows of these articles, in their order. ids: sorted."""
    stored = integers(stories["id"])
    is_missing = ~np.isin(ids, stored)
    if is_missing.any():
        raise KeyError(f"article {ids[is_missing][0]} of a pair is not among the stories")
    order = np.argsort(stored)
    return stories.select(MEMBERS).take(order[np.searchsorted(stored[order], ids)])


def _canonical(
    ends: _Ends, cut: NDArray[np.int64], ids: NDArray[np.int64], groups: NDArray[np.int64], rows: pa.Table
) -> NDArray[np.bool_]:
    """Whether each article is the canonical copy of its group. rows: of the articles, in their order."""
    _, of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    size = sizes[of]
    is_canonical: NDArray[np.bool_] = size == 1
    looked_at = _looked_at(rows, groups, size)
    shared, holders = _shared(ends, cut, ids, looked_at, rows)
    contended = rows.take(looked_at).to_pylist()
    of_group = groups[looked_at]
    bounds = np.append((np.diff(of_group, prepend=_NOBODY) != 0).nonzero()[0], of_group.size).tolist()
    chosen = [
        copies.choose_canonical(_contenders(contended[first:end], holders), shared)
        for first, end in pairwise(bounds)
    ]
    is_canonical[np.searchsorted(ids, chosen)] = True
    return is_canonical


def _contenders(rows: Sequence[dict[str, Any]], holders: Collection[int]) -> list[Contender]:
    agencies = {row["agency"] for row in rows if row["agency"]}
    return [
        Contender(
            id=row["id"],
            url=row["url"],
            site=row["site"],
            title=row["title"],
            words=row["word_count"],
            published_at=None if row["published_at"] is None else from_microseconds(row["published_at"]),
            is_own=is_agency_site(row["site"], agencies),
            holds_more=row["id"] in holders,
        )
        for row in rows
    ]


def _looked_at(rows: pa.Table, groups: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """The members of groups of several that may become canonical copies, by group: numbers of rows.

    size: of the group of each row.
    """
    is_looked_at = (size > 1) & (size <= LOOKED_AT)
    crowd = (size > LOOKED_AT).nonzero()[0]
    members = rows.select(["fetched_at", "published_at", "url"]).take(crowd)
    places = pa.table(
        {
            "group": groups[crowd],
            "is_undated": pc.is_null(members["published_at"]),
            "at": pc.coalesce(members["published_at"], members["fetched_at"]),
            "url": members["url"],
        }
    )
    order = pc.sort_indices(places, [(name, "ascending") for name in places.column_names]).to_numpy()
    # Groups, each those with a date and those without, as numbers: the earliest of each are looked at.
    part = groups[crowd][order] * 2 + pc.is_null(members["published_at"]).to_numpy()[order]
    rank = np.arange(part.size) - np.searchsorted(part, part)
    is_looked_at[crowd[order[rank < LOOKED_AT]]] = True
    found = is_looked_at.nonzero()[0]
    by_group: NDArray[np.int64] = found[np.argsort(groups[found], kind="stable")]
    return by_group


def _shared(
    ends: _Ends, cut: NDArray[np.int64], ids: NDArray[np.int64], looked_at: NDArray[np.int64], rows: pa.Table
) -> tuple[dict[int, list[Shared]], set[int]]:
    """What those looked at share with others of their group, by id; and who of them holds a further story."""
    pairs = ends.a.size
    here = np.isin(ends.one, ids[looked_at]).nonzero()[0]
    cut_here = cut[here % pairs]
    bits = np.where(here < pairs, int(Cut.BY_A), int(Cut.BY_B))
    holders = set(ends.one[here[cut_here & bits != 0]].tolist())
    here = here[cut_here == 0]
    others, of = np.unique(np.searchsorted(ids, ends.other[here]), return_inverse=True)
    known = rows.select(["site", "title", "word_count"]).take(others)
    sites, titles, words = (column.to_pylist() for column in known.columns)
    shared: dict[int, list[Shared]] = defaultdict(list)
    columns = (
        ends.one[here],
        of,
        ends.jaccard[here % pairs],
        ends.containment[here % pairs],
        ends.start[here],
    )
    for one, n, jaccard, containment, start in zip(*(column.tolist() for column in columns), strict=True):
        shared[one].append(Shared(sites[n], titles[n], words[n], jaccard, containment, start))
    return shared, holders
