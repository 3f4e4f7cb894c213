"""How many groups of copies a run changed."""

from __future__ import annotations

import numpy as np

from crawler.runs.regrouped import Partition, Regrouped, compare_groups


def _groups(groups: dict[int, int]) -> Partition:
    return np.array(list(groups), np.int64), np.array(list(groups.values()), np.int64)


def test_groups_that_stay_are_no_change() -> None:
    groups = _groups({1: 1, 2: 1, 3: 3})
    assert compare_groups(groups, groups) == Regrouped(articles=0, before=1, after=1)


def test_an_article_that_leaves_its_group_is_counted_once() -> None:
    before, after = _groups({1: 1, 2: 1, 3: 1, 4: 4}), _groups({1: 1, 2: 1, 3: 3, 4: 4})
    assert compare_groups(before, after) == Regrouped(articles=1, before=1, after=1)


def test_articles_that_are_in_one_of_both_only_are_not_compared() -> None:
    before, after = _groups({1: 1, 2: 2, 5: 2}), _groups({2: 2, 5: 5, 7: 7, 8: 7})
    assert compare_groups(before, after) == Regrouped(articles=1, before=1, after=1)
    empty = _groups({})
    assert compare_groups(empty, after) == Regrouped(articles=0, before=0, after=1)
    assert compare_groups(empty, empty) == Regrouped(0, 0, 0)
