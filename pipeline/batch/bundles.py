"""Bundles of pairs for tasks of bounded size: pairs of one component follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from pipeline.batch.components import Forest
from pipeline.batch.neighbours import CANDIDATES
from pipeline.batch.stories import integers

PLACED = pa.schema([*CANDIDATES, pa.field("along", pa.int64())])
"""CANDIDATES with the position in the index (`copies.order_key`) of the earlier of both articles.

The copies of a template are a band of pairs along time: each is compared with those of the same hours. In
this order a bundle names few articles. By their ids it would name as many as it has pairs, and all of their
texts.
"""

LABELLED = pa.schema([("component", pa.int64()), *PLACED])
"""PLACED with the least id of the component that the pair is in."""

BUNDLED = ("component", "along", "a", "b")
"""The order in which `bundles` takes pairs."""

BUNDLES = pa.schema([*CANDIDATES, pa.field("bundle", pa.int64())])
"""Pairs of articles, and the number of the bundle that each is in, from 0; sorted by bundle."""


def labelled(pairs: pa.RecordBatch, forest: Forest) -> pa.RecordBatch:
    """LABELLED of pairs. pairs: PLACED, or CANDIDATES, whose `along` is 0. forest: has joined all pairs."""
    component = forest.of(integers(pairs["a"]))
    along = pairs["along"] if "along" in pairs.schema.names else np.zeros(len(pairs), dtype=np.int64)
    return pa.record_batch([component, pairs["a"], pairs["b"], along], schema=LABELLED)


def bundles(pairs: Iterable[pa.RecordBatch], most: int, *, are_whole: bool = False) -> Iterator[pa.Table]:
    """BUNDLES of pairs: the pairs of one component are in one bundle, or in bundles that follow each other.

    pairs: LABELLED in parts of any size, all together in the order BUNDLED. most: pairs in a bundle.
    are_whole: no component is cut, so a bundle has less than so many pairs beside its last component. Numbers
    of bundles have no gaps.
    """
    place_before, component_before, begins, last, number = -1, -1, 0, -1, -1
    for batch in pairs:
        component = integers(batch["component"])
        place = np.arange(place_before + 1, place_before + 1 + component.size)
        if not place.size:
            continue
        place_before = int(place[-1])
        if are_whole:
            is_first = np.diff(component, prepend=component_before) != 0
            place = np.maximum.accumulate(np.where(is_first, place, begins))  # where its component begins
            component_before, begins = int(component[-1]), int(place[-1])
        bundle = place // most
        numbers = number + np.cumsum(np.diff(bundle, prepend=last) != 0)
        last, number = int(bundle[-1]), int(numbers[-1])
        yield pa.table([batch["a"], batch["b"], numbers], schema=BUNDLES)
