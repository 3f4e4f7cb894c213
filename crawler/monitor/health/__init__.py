"""Judges whether a site's latest crawls are unusual, compared with the site's own history.

Pure: the counts of a site's runs in, alerts out. Sites are not compared with each other, and there are no
fixed quotas: an outlet with three articles a week and one with three hundred a day are both well while they
stay so.

- Shares and lengths are compared day by day: a single run, of a site that is crawled every half hour, has
  few documents, and nights differ from mornings. A day here is a row of runs that covers a day and has
  enough documents, counted back from the last run. A value is unusual if it is far from the median of the
  days before: by several times their spread (median absolute deviation), beyond nine tenths of the days
  without an alert, by more than chance explains in so few documents, and by enough to matter.
- A silence is compared with the site's longest silences, so that nights, weekends and holidays are usual.
  Until two weeks are known, four days are allowed.
- Fewer articles are compared with the site's slowest days (a tenth of the days are slower), so that Sundays
  are usual.
- Sources that all fail, or name no article any more, cause an alert after three runs in a row, or after two
  that are a day apart.

A lasting change becomes usual after two weeks, when it is in most of the four weeks that are read. A slow
decline causes no alert; `copydesk stats --sites` shows it.

Spidermon was considered. It checks the counters of one run of one spider against limits that are written
for it. A run here has hundreds of sites, whose limits follow from their history, and Spidermon keeps its
history in a file for each spider on the machine that ran it. Only its sending of messages could be
used.
"""

from crawler.monitor.health.alert import Alert, Figure
from crawler.monitor.health.judge import HISTORY, judge

__all__ = [
    "HISTORY",
    "Alert",
    "Figure",
    "judge",
]
