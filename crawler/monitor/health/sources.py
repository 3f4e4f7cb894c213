"""Checks whether a site's feeds, sitemaps and sections can be read, and name articles."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from crawler.monitor.health.alert import Alert, Figure
from crawler.monitor.health.estimates import pooled_share
from crawler.monitor.health.history import MIN_RUNS, is_lasting, last_crawls, trailing
from crawler.monitor.health.shares import check_share
from storage.crawls import SiteRun


def could_read(run: SiteRun) -> bool:
    """True if the run could have found articles. A spider that is not Copydesk's counts no sources."""
    return bool(run.sources or run.not_modified or not run.sources_failed)


def check_sources(runs: Sequence[SiteRun]) -> Alert | None:
    """No source can be read, or many more than usual cannot."""
    with_sources = [run for run in runs if _tried(run)]
    failing = trailing(with_sources, lambda run: run.sources + run.not_modified == 0)
    before = with_sources[: len(with_sources) - len(failing)]
    if is_lasting(failing) and len(before) >= MIN_RUNS:
        return Alert(
            Figure.SOURCES,
            pooled_share(before, _failed, _tried),
            1.0,
            f"none of its feeds, sitemaps or sections could be read in {last_crawls(failing)}",
        )
    return check_share(
        runs,
        Figure.SOURCES,
        _failed,
        _tried,
        "{now:.0%} of its feeds, sitemaps and sections cannot be read, {was:.0%} before",
    )


def check_discovered(runs: Sequence[SiteRun]) -> Alert | None:
    """Sources that named articles in nearly every run name none any more."""
    # An unchanged source (304) names nothing, and is well.
    read = [run for run in runs if run.sources and not run.not_modified]
    empty = trailing(read, lambda run: run.discovered == 0)
    before = read[: len(read) - len(empty)]
    productive = sum(run.discovered > 0 for run in before)
    if not is_lasting(empty) or productive < MIN_RUNS or productive < 0.95 * len(before):
        return None
    was = median(run.discovered for run in before)
    return Alert(
        Figure.DISCOVERED,
        was,
        0.0,
        f"its feeds, sitemaps and sections named no article in {last_crawls(empty)}, {was:,.0f} a run before",
    )


def _failed(run: SiteRun) -> int:
    return run.sources_failed


def _tried(run: SiteRun) -> int:
    return run.sources + run.not_modified + run.sources_failed
