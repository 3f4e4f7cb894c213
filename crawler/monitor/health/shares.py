"""Checks whether a share of a site's documents has risen: rejected pages, articles without date or author."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from crawler.monitor.health.alert import Alert, Figure
from crawler.monitor.health.estimates import DEVIATIONS, MIN_DAYS, median_and_spread, pooled_share, quantile
from crawler.monitor.health.history import split_into_days
from storage.crawls import SiteRun

# Standard deviations of a share in so few documents; more than DEVIATIONS, because small numbers are skewed.
_CHANCE_DEVIATIONS = 6.0
# A smaller rise of a share does not matter.
_MIN_RISE = 0.3


def check_rejected(runs: Sequence[SiteRun]) -> Alert | None:
    """More of the new pages are rejected; the message names the most frequent reason."""
    alert = check_share(
        runs,
        Figure.REJECTED,
        _rejected,
        _new,
        "{now:.0%} of its new pages are rejected, {was:.0%} before",
    )
    if alert is None:
        return None
    reasons: dict[str, int] = {}
    for run in next(split_into_days(runs, _new)).runs:
        for reason, count in run.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    most = max(reasons, key=lambda reason: (reasons[reason], reason))
    return Alert(alert.figure, alert.was, alert.now, f"{alert.message}; most of them for: {most}")


def check_dates(runs: Sequence[SiteRun]) -> Alert | None:
    """More of the new articles have no date."""
    return check_share(
        runs,
        Figure.WITHOUT_DATE,
        lambda run: run.without_date,
        lambda run: run.texts,
        "{now:.0%} of its new articles have no date, {was:.0%} before",
    )


def check_authors(runs: Sequence[SiteRun]) -> Alert | None:
    """More of the new articles name no author."""
    return check_share(
        runs,
        Figure.WITHOUT_AUTHOR,
        lambda run: run.without_author,
        lambda run: run.texts,
        "{now:.0%} of its new articles name no author, {was:.0%} before",
    )


def check_share(
    runs: Sequence[SiteRun],
    figure: Figure,
    part: Callable[[SiteRun], int],
    whole: Callable[[SiteRun], int],
    message: str,
) -> Alert | None:
    """Return an alert if a share is unusually high on the last day; a low one is good news.

    message: with the fields {now} and {was}, shares from 0 to 1.
    """
    days = list(split_into_days(runs, whole))
    if len(days) <= MIN_DAYS:
        return None
    now, *before = (pooled_share(day.runs, part, whole) for day in days)
    usual = [value for value, day in zip(before, days[1:], strict=True) if not day.had_alert(figure)]
    was, spread = median_and_spread(before)
    # The median of days with few documents is often 0 and says little; the pooled share says more.
    usual_runs = [run for day in days[1:] if not day.had_alert(figure) for run in day.runs]
    expected = max(was, pooled_share(usual_runs, part, whole))
    chance = math.sqrt(expected * (1 - expected) / sum(map(whole, days[0].runs)))
    limit = max(was + _MIN_RISE, was + DEVIATIONS * spread, was + _CHANCE_DEVIATIONS * chance)
    if usual:
        limit = max(limit, quantile(usual, 0.9) + 0.1)
    if now <= limit:
        return None
    return Alert(figure, round(was, 3), round(now, 3), message.format(now=now, was=was))


def _rejected(run: SiteRun) -> int:
    # Without forgotten pages, which the operator took out, and gone ones, which were articles.
    return max(0, run.rejected - run.reasons.get("forgotten", 0) - run.gone)


def _new(run: SiteRun) -> int:
    # Without revisits of known pages, which may be many more than the new ones.
    return run.stored + _rejected(run)
