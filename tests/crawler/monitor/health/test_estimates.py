"""Estimates that single outliers do not change."""

from __future__ import annotations

import random

import pytest

from crawler.monitor.health.estimates import median_and_spread, pooled_share, quantile
from storage.schema import SiteRun
from tests.crawler.monitor.health.histories import MONDAY, run_at


def test_an_outlier_moves_neither_median_nor_spread() -> None:
    usual = [10.0, 11.0, 12.0, 13.0, 14.0]
    assert median_and_spread([*usual[:-1], 1e9]) == median_and_spread(usual)
    assert median_and_spread([7.0] * 9) == (7.0, 0.0)


def test_the_spread_is_on_the_scale_of_a_standard_deviation() -> None:
    chance = random.Random(1)
    middle, spread = median_and_spread([chance.gauss(100, 15) for _ in range(5000)])
    assert middle == pytest.approx(100, abs=1)
    assert spread == pytest.approx(15, abs=1)


def test_quantiles() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0, 10.0, 9.0, 8.0, 7.0, 6.0]
    assert [quantile(values, share) for share in (0.0, 0.1, 0.5, 0.9, 1.0)] == [1.0, 2.0, 6.0, 10.0, 10.0]
    assert quantile([3.0], 0.9) == 3.0


def test_a_share_of_runs_is_that_of_their_documents() -> None:
    runs = [run_at(MONDAY, 1, without_date=1), run_at(MONDAY, 99, without_date=0)]

    def share(runs: list[SiteRun]) -> float:
        return pooled_share(runs, lambda run: run.without_date, lambda run: run.stored)

    assert share(runs) == 0.01
    assert share([]) == 0
    assert share([run_at(MONDAY, 0)]) == 0
