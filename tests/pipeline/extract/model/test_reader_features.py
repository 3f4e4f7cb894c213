"""Features from the second reader, each beside a plain twin of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.model.columns import (
    NUMBERED_RULES,
    BlockEvidence,
    block_columns,
    candidate_blocks,
    rule_number,
)
from pipeline.extract.model.reader_features import READER_FEATURES, reader_features
from pipeline.page import Page
from tests.pipeline.extract.pages import PAGE, STORY, evidence_of, page_of, shares_of

FAR = 30  # blocks; no distance is counted further


@dataclass(frozen=True)
class Taken:
    """A page, what Trafilatura and what the region of prose took of each block, and the rule against it."""

    page: Page
    share: list[float]
    own: list[float]
    rule: list[int]

    def evidence(self) -> BlockEvidence:
        return BlockEvidence(
            np.array(self.share, dtype=np.float32),
            np.array(self.own, dtype=np.float32),
            np.array(self.rule, dtype=np.intp),
            np.zeros(len(self.rule), dtype=np.bool_),
        )

    @property
    def words(self) -> list[int]:
        return [len(block.words) for block in self.page.blocks]

    def sum_of(self, blocks: list[int], value: Callable[[int], float]) -> float:
        """The sum over blocks, weighted by words."""
        return sum(self.words[i] * value(i) for i in blocks)

    def within(self, place: int, reach: int) -> list[int]:
        return [i for i in range(len(self.words)) if abs(i - place) <= reach]

    def level(self, place: int, level: int) -> int:
        """The container so many levels above that of the block; the root for more."""
        container = self.page.blocks[place].container
        for _ in range(level):
            container = self.page.containers.parent[container]
        return container

    def chars(self, container: int, shares: list[float]) -> float:
        return sum(
            len(block.text) * share
            for block, share in zip(self.page.blocks, shares, strict=True)
            if container in self.page.path(block.container)
        )


def ratio(part: float, whole: float) -> float:
    return part / max(1.0, whole)


def twins(taken: Taken, place: int) -> Mapping[str, float]:
    """The features of one block, as they are meant."""
    share, own, blocks = taken.share, taken.own, list(range(len(taken.own)))
    marked = [i for i in blocks if own[i] >= 0.5]
    found = {
        "own": own[place],
        "own-1": own[place - 1] if place else -1,
        "own+1": own[place + 1] if place + 1 < len(own) else -1,
        "own.either": max(share[place], own[place]),
        "own.both": min(share[place], own[place]),
        "since_own": min([FAR, *(place - i for i in marked if i < place)]),
        "until_own": min([FAR, *(i - place for i in marked if i > place)]),
    }
    for reach in (4, 10):
        near = taken.within(place, reach)
        all_words = taken.sum_of(near, lambda i: 1)
        found[f"window{reach}.own"] = ratio(taken.sum_of(near, lambda i: own[i]), all_words)
    near = taken.within(place, 4)
    found["window4.only_trafilatura"] = taken.sum_of(near, lambda i: max(share[i] - own[i], 0))
    found["window4.only_own"] = taken.sum_of(near, lambda i: max(own[i] - share[i], 0))
    mine, theirs = taken.sum_of(blocks, lambda i: own[i]), taken.sum_of(blocks, lambda i: share[i])
    both = taken.sum_of(blocks, lambda i: min(share[i], own[i]))
    found["page.own_share"] = ratio(mine, sum(taken.words))
    found["page.agreement"] = ratio(2 * both, mine + theirs)
    found["page.only_trafilatura"] = ratio(theirs - both, theirs)
    found["page.only_own"] = ratio(mine - both, mine)
    everything = [1.0] * len(own)
    for level in range(4):
        container = taken.level(place, level)
        found[f"up{level}.own"] = ratio(taken.chars(container, own), taken.chars(container, everything))
    for level in (1, 3):
        found[f"up{level}.of_own"] = ratio(taken.chars(taken.level(place, level), own), taken.chars(0, own))
    for rule in NUMBERED_RULES:
        found[f"rule.{rule}"] = float(taken.rule[place] == rule_number(rule))
    found["rule.different"] = float(taken.rule[place] == len(NUMBERED_RULES) + 1)
    return found


def features_of(*pages: Taken) -> list[list[float]]:
    """The features of all blocks of the pages, block after block."""
    evidence = [taken.evidence() for taken in pages]
    together = BlockEvidence(
        np.concatenate([one.share for one in evidence]),
        np.concatenate([one.own for one in evidence]),
        np.concatenate([one.rule for one in evidence]),
        np.concatenate([one.vetoed for one in evidence]),
    )
    found = reader_features(candidate_blocks(block_columns([taken.page for taken in pages]), together))
    assert found.dtype == np.float32
    assert found.shape == (len(READER_FEATURES), len(together.share))
    return [list(map(float, row)) for row in found.T]


_LEAF = st.sampled_from(
    ["<p>Read on.</p>", f"<p>{STORY[0]}</p>", "<li>One of a list of five</li>", "<h2>More</h2>", "<p>x</p>"]
)
_BOX = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, min_size=1, max_size=6).map(lambda parts: f"<div>{''.join(parts)}</div>"),
    max_leaves=40,
)


@st.composite
def _pages(draw: st.DrawFn) -> Taken:
    page = page_of(f"<html><body>{draw(_BOX)}</body></html>")
    random = Random(draw(st.integers(0, 10_000)))

    def shares() -> list[float]:
        return [random.choice((0.0, 0.0, 0.25, 0.5, 1.0, 1.0)) for _ in page.blocks]

    rules = [random.choice((0, 0, random.randint(1, len(NUMBERED_RULES) + 1))) for _ in page.blocks]
    return Taken(page, shares(), shares(), rules)


def test_every_feature_has_a_twin() -> None:
    page = page_of("<p>one</p>")
    assert sorted(twins(Taken(page, [1.0], [1.0], [0]), 0)) == sorted(READER_FEATURES)


@given(_pages())
@settings(max_examples=60, deadline=None)
def test_features_are_those_of_their_twins(taken: Taken) -> None:
    for place, row in enumerate(features_of(taken)):
        expected = twins(taken, place)
        for name, value in zip(READER_FEATURES, row, strict=True):
            assert value == pytest.approx(expected[name], rel=1e-5, abs=1e-6), name


@given(st.lists(_pages(), min_size=2, max_size=4))
@settings(max_examples=40, deadline=None)
def test_a_page_has_the_same_features_whatever_stands_beside_it(pages: list[Taken]) -> None:
    assert features_of(*pages) == [row for taken in pages for row in features_of(taken)]


def test_where_the_readers_agree_and_where_not() -> None:
    page = page_of(PAGE)
    share, own = shares_of(page, *STORY[:4]), shares_of(page, *STORY[1:])
    evidence = evidence_of(share, own, ruled_out=shares_of(page, "More stories"))
    found = reader_features(candidate_blocks(block_columns([page]), evidence))
    row = {
        block.text: dict(zip(READER_FEATURES, values, strict=True))
        for block, values in zip(page.blocks, found.T.tolist(), strict=True)
    }
    first, second, last = row[STORY[0]], row[STORY[1]], row[STORY[-1]]
    assert (first["own"], first["own.either"], first["own.both"], first["own+1"]) == (0, 1, 0, 1)
    assert (second["own"], second["own.both"], second["own-1"]) == (1, 1, 0)
    assert (last["own.either"], last["own.both"]) == (1, 0)
    words = [len(block.words) for text in STORY for block in page.blocks if block.text == text]
    assert first["page.only_trafilatura"] == pytest.approx(words[0] / sum(words[:4]))
    assert first["page.only_own"] == pytest.approx(words[4] / sum(words[1:]))
    assert row["More stories"]["rule.structure.related"] == 1
    assert second["rule.structure.related"] == 0


def test_a_page_without_blocks_has_no_features() -> None:
    empty = Taken(page_of("<html></html>"), [], [], [])
    assert features_of(empty) == []
