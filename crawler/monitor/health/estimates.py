"""Estimates that single outliers do not change: median, spread, quantile, and pooled shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from storage.crawls import SiteRun

# From the median absolute deviation of a normal distribution to its standard deviation.
_MAD_TO_DEVIATION = 1.4826

# A value is unusual from so many standard deviations on. docs/tuning.md: DEVIATIONS
DEVIATIONS = 4.0
# Days before the last one that shares and lengths are compared with.
MIN_DAYS = 7


def median_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Median, and spread on the scale of a standard deviation."""
    middle = median(values)
    return middle, _MAD_TO_DEVIATION * median(abs(value - middle) for value in values)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values is."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def pooled_share(
    runs: Sequence[SiteRun], part: Callable[[SiteRun], int], whole: Callable[[SiteRun], int]
) -> float:
    """The sum of the parts as a share of the sum of the wholes, from 0 to 1; 0 of nothing."""
    return sum(map(part, runs)) / max(1, sum(map(whole, runs)))
