"""A site's history as rows of runs and as days."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from crawler.monitor.health.alert import Figure
from storage.crawls import SiteRun

# A daily crawl may be some minutes early.
_DAY = timedelta(hours=23)
# A share or a median of fewer documents says little.
_MIN_DOCUMENTS = 15
# Runs before a row of failing ones.
MIN_RUNS = 7


def trailing(runs: Sequence[SiteRun], condition: Callable[[SiteRun], bool]) -> Sequence[SiteRun]:
    """The longest row of runs at the end of which each meets the condition."""
    count = 0
    while count < len(runs) and condition(runs[-1 - count]):
        count += 1
    return runs[len(runs) - count :]


def is_lasting(runs: Sequence[SiteRun]) -> bool:
    """True if a row of runs is more than a bad hour: three within an hour or more, or two 20 hours apart."""
    if len(runs) < 2:
        return False
    duration = runs[-1].started_at - runs[0].started_at
    return duration >= timedelta(hours=20) or (len(runs) >= 3 and duration >= timedelta(hours=1))


def last_crawls(runs: Sequence[SiteRun]) -> str:
    """The row of runs in the words of a message."""
    return f"the last {len(runs)} crawls (since {runs[0].started_at:%Y-%m-%d %H:%M})"


def pauses(runs: Sequence[SiteRun]) -> list[timedelta]:
    """The times between each run and the next."""
    return [later.started_at - run.started_at for run, later in pairwise(runs)]


def longest_usual_pause(between: Sequence[timedelta], least: timedelta) -> timedelta:
    """Three times the median pause, and not less than `least`; zero without pauses."""
    return max(3 * sorted(between)[len(between) // 2], least) if between else timedelta()


@dataclass(frozen=True, slots=True)
class Day:
    """A row of runs that covers a day or more, from the run before it to its last.

    length: in days. is_regular: no pause was unusually long, that is the crawler worked all the time.
    is_last: the site's last run is in it.
    """

    runs: Sequence[SiteRun]
    length: float
    is_regular: bool
    is_last: bool

    def had_alert(self, figure: Figure) -> bool:
        """True if there was an alert about the figure: then the day does not show what is usual."""
        return any(alert["figure"] == figure for run in self.runs for alert in run.alerts or ())


def split_into_days(
    runs: Sequence[SiteRun], documents: Callable[[SiteRun], int] | None = None
) -> Iterator[Day]:
    """The history as days, the last first, of at least 15 documents each where `documents` counts them."""
    between = pauses(runs)
    longest = longest_usual_pause(between, timedelta(hours=6))
    end = len(runs)
    count = 0
    for start in range(len(runs) - 1, 0, -1):
        count += documents(runs[start]) if documents is not None else 0
        covered = runs[end - 1].started_at - runs[start - 1].started_at
        if covered >= _DAY and (documents is None or count >= _MIN_DOCUMENTS):
            is_regular = all(pause <= longest for pause in between[start - 1 : end - 1])
            yield Day(runs[start:end], covered / timedelta(days=1), is_regular, end == len(runs))
            end, count = start, 0
