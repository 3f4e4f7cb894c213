"""Checks whether a site's articles became much shorter or longer."""

from __future__ import annotations

import math
from collections.abc import Sequence

from crawler.monitor.health.alert import Alert, Figure
from crawler.monitor.health.estimates import DEVIATIONS, MIN_DAYS, median_and_spread, quantile
from crawler.monitor.health.history import split_into_days
from storage.crawls import SiteRun

# A smaller change of the median length, as a factor, does not matter.
_SHORTER, _LONGER = 0.5, 2.5


def check_words(runs: Sequence[SiteRun]) -> Alert | None:
    """Articles are much shorter (cut, or only teasers) or much longer (with clutter) than usual."""
    days = list(split_into_days(runs, lambda run: run.texts))
    if len(days) <= MIN_DAYS:
        return None
    now, *before = (max(1.0, _median_words(day.runs)) for day in days)
    logs = [math.log(words) for words in before]
    usual = [value for value, day in zip(logs, days[1:], strict=True) if not day.had_alert(Figure.WORDS)]
    middle, spread = median_and_spread(logs)
    was, distance = math.exp(middle), abs(math.log(now) - middle)
    # The logarithm of an article's length has a standard deviation of about 0.8; the median of n of them has
    # 1.25 times that, divided by the root of n.
    chance = 1.25 * 0.8 / math.sqrt(sum(run.texts for run in days[0].runs))
    is_shorter = now < min(_SHORTER * was, 0.9 * math.exp(quantile(usual or logs, 0.1)))
    is_longer = now > max(_LONGER * was, 1.1 * math.exp(quantile(usual or logs, 0.9)))
    if not (is_shorter or is_longer) or distance <= DEVIATIONS * max(spread, chance):
        return None
    return Alert(
        Figure.WORDS,
        round(was, 1),
        round(now, 1),
        f"its new articles have {now:,.0f} words (median), {was:,.0f} before",
    )


def _median_words(runs: Sequence[SiteRun]) -> float:
    """The median of the runs' medians, each weighted by its number of articles."""
    pairs = sorted((run.words, run.texts) for run in runs if run.words is not None)
    half = sum(count for _, count in pairs) / 2
    seen = 0
    for words, count in pairs:
        seen += count
        if seen >= half:
            return words
    return 0.0
