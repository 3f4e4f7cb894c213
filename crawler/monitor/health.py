"""Whether a site's crawls are as they used to be: the last ones judged against the site's own history.

Pure: the figures of a site's runs in, what fell out of its history back. Nothing is compared with other
sites, and nothing is a fixed quota: an outlet of three articles a week and one of three hundred a day are
both well as long as they stay so.

- Shares and lengths are compared day by day, because a single run, of a site that is asked every half hour,
  has few documents, and nights and mornings differ. A day here is as many runs in a row as cover one and hold
  enough documents, counted back from the last run. A figure has fallen out where it is far from the
  median of the days before: by several times their own spread (median absolute deviation), past nine
  tenths of those that were well, by more than chance explains in so few documents, and by enough to matter.
- Silence is compared with the site's longest silences, so that a night, a weekend and a holiday's
  weekend are nothing new; before two weeks are known, four days are allowed.
- Fewer articles are compared with the site's slowest days (a tenth of the days are slower), so that Sundays
  after Fridays are nothing new.
- Sources that all fail, or name nothing at all any more, are told after three runs in a row, or two that are
  a day apart.

A change that stays becomes the site's own way after two weeks, when most of the four that are looked at are
like it. A slow decline is no alert; `copydesk stats --sites` shows it.

Spidermon was considered. It checks the counters of one run of one spider, against limits that are written
down for it; a run of ours has hundreds of sites, each with limits that follow from its own past, and its
history of runs is a pickle a spider on the disk of whoever ran it, where ours is in the database that
every process shares. What would be left of it is the sending of messages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import accumulate, pairwise
from statistics import median
from typing import Any

from storage.crawls import SiteRun

# How far back a site's history is looked at: four weekends.
HISTORY = timedelta(days=28)

# A daily crawl is some minutes early now and then.
_DAY = timedelta(hours=23)
# Days before the last one without which nothing is said of shares and lengths; and of how much there is,
# which takes two weekends before the one that it may be.
_LEAST_DAYS, _LEAST_DAYS_OF_YIELD = 7, 17
# Documents without which a share or a median says little.
_LEAST_DOCUMENTS = 15
# Runs that read something, before the failing ones.
_LEAST_RUNS = 7
# Deviations from the median, in units of a standard deviation. These were chosen on the invented sites of
# `benchmarks/health.py`.
_DEVIATIONS = 4.0
# And of what chance makes of a share in so few documents; small numbers are skewed, so more.
_BY_CHANCE = 6.0
# Changes of a share that a person would want to know of; lengths, as a factor; articles a day, as a part.
_SHARE_FLOOR = 0.3
_SHORTER, _LONGER = 0.5, 2.5
_FEWER = 0.4
# Articles that would have come meanwhile; of fewer, silence may be chance, or a weekend of a slow site.
_MISSED = 12
# Median absolute deviation to standard deviation, of a normal distribution.
_MAD = 1.4826


class Figure(StrEnum):
    """What is judged."""

    SOURCES = "sources failed"
    DISCOVERED = "discovered"
    STORED = "stored"
    REJECTED = "rejected"
    WORDS = "words"
    WITHOUT_DATE = "without date"
    WITHOUT_AUTHOR = "without author"


@dataclass(frozen=True, slots=True)
class Alert:
    """A figure that fell out of a site's history.

    was: what is usual, now: what it is: shares from 0 to 1 of SOURCES, REJECTED and WITHOUT_…; median words;
    addresses named a run, of DISCOVERED; articles a day, of STORED. message: one line for people.
    """

    figure: Figure
    was: float
    now: float
    message: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def judge(runs: Sequence[SiteRun]) -> tuple[Alert, ...]:
    """What of the site has fallen out of its history, as of the last of these runs.

    runs: one site's, the oldest first, not older than HISTORY; those that did not finish are passed over.
    """
    done = [run for run in runs if run.ended == "finished"]
    if not done:
        return ()
    found = _of(done, _sources, _discovered, _rejected)
    if not found:  # otherwise that is why there are no articles: one cause, one alert
        found = _of([run for run in done if _has_read(run)], _silence, _fewer)[:1]
    return (*found, *_of(done, _words, _dates, _authors))


def _of(runs: Sequence[SiteRun], *checks: Callable[[Sequence[SiteRun]], Alert | None]) -> list[Alert]:
    return [alert for check in checks if (alert := check(runs))]


@dataclass(frozen=True, slots=True)
class Trend:
    """The last run of a site beside its history.

    usual: median of each figure of FIGURES over the runs before it that finished; None where there is none.
    stored_by_day: new articles of each of the last days, the last day's last. alerts: of the last run judged.
    """

    site: str
    last: SiteRun
    runs: int
    usual: Mapping[str, float | None]
    stored_by_day: tuple[int, ...]
    alerts: tuple[Mapping[str, Any], ...]


# What a trend compares, with the value that a run has; shares are of the articles stored or revised.
FIGURES: Mapping[str, Callable[[SiteRun], float | None]] = {
    "discovered": lambda run: run.discovered,
    "fetched": lambda run: run.fetched,
    "stored": lambda run: run.stored,
    "rejected": lambda run: run.rejected,
    "words": lambda run: run.words,
    "without_date": lambda run: run.without_date / run.texts if run.texts else None,
    "without_author": lambda run: run.without_author / run.texts if run.texts else None,
    "bytes": lambda run: run.bytes,
    "seconds": lambda run: run.seconds,
}


def trend(runs: Sequence[SiteRun], days: int = 14) -> Trend:
    """Of one site, whose runs are given, the oldest first; at least one."""
    last, before = runs[-1], [run for run in runs[:-1] if run.ended == "finished"]
    usual = {}
    for name, value in FIGURES.items():
        values = [found for run in before if (found := value(run)) is not None]
        usual[name] = float(median(values)) if values else None
    today = last.started_at.date()
    by_day = [0] * days
    for run in runs:
        if (age := (today - run.started_at.date()).days) < days:
            by_day[days - 1 - age] += run.stored
    judged = [run.alerts for run in runs if run.alerts is not None]
    return Trend(last.site, last, len(runs), usual, tuple(by_day), tuple(judged[-1]) if judged else ())


# --- runs in a row ------------------------------------------------------------------------------------


def _sources(runs: Sequence[SiteRun]) -> Alert | None:
    tried = [run for run in runs if run.sources + run.not_modified + run.sources_failed]
    failing = _last(tried, lambda run: run.sources + run.not_modified == 0)
    before = tried[: len(tried) - len(failing)]
    if _lasts(failing) and len(before) >= _LEAST_RUNS:
        return Alert(
            Figure.SOURCES,
            _share_of(before, _failed, _tried),
            1.0,
            f"none of its feeds, sitemaps or sections could be read in {_times(failing)}",
        )
    return _share(
        runs,
        Figure.SOURCES,
        _failed,
        _tried,
        "{now:.0%} of its feeds, sitemaps and sections cannot be read, {was:.0%} before",
    )


def _discovered(runs: Sequence[SiteRun]) -> Alert | None:
    # A source that is unchanged names nothing, and is well.
    read = [run for run in runs if run.sources and not run.not_modified]
    empty = _last(read, lambda run: run.discovered == 0)
    before = read[: len(read) - len(empty)]
    usual = sum(run.discovered > 0 for run in before)
    if not _lasts(empty) or usual < _LEAST_RUNS or usual < 0.95 * len(before):
        return None
    was = median(run.discovered for run in before)
    return Alert(
        Figure.DISCOVERED,
        was,
        0.0,
        f"its feeds, sitemaps and sections named no article in {_times(empty)}, {was:,.0f} a run before",
    )


def _last(runs: Sequence[SiteRun], condition: Callable[[SiteRun], bool]) -> Sequence[SiteRun]:
    """The runs from the last that do not meet the condition on."""
    count = 0
    while count < len(runs) and condition(runs[-1 - count]):
        count += 1
    return runs[len(runs) - count :]


def _lasts(runs: Sequence[SiteRun]) -> bool:
    """Whether these are more than a bad hour: three over an hour or longer, or two nearly a day apart."""
    if len(runs) < 2:
        return False
    lasted = runs[-1].started_at - runs[0].started_at
    return lasted >= timedelta(hours=20) or (len(runs) >= 3 and lasted >= timedelta(hours=1))


def _times(runs: Sequence[SiteRun]) -> str:
    return f"the last {len(runs)} crawls (since {runs[0].started_at:%Y-%m-%d %H:%M})"


# --- how much there is --------------------------------------------------------------------------------


def _silence(runs: Sequence[SiteRun]) -> Alert | None:
    """Nothing new for longer than ever. A silence begins with the first run that finds nothing, and is as
    long as somebody asked: what was before, and that the crawler stood still, is not the site's doing.
    """
    clock = _watched(runs)
    spells: list[timedelta] = []
    silent: timedelta | None = None
    for run, now in zip(runs, clock, strict=True):
        if run.stored:
            if silent is not None:
                spells.append(now - silent)
            silent = None
        elif silent is None:
            silent = now
    quiet = _last(runs, lambda run: run.stored == 0)
    productive = [run for run in runs if run.stored]
    if silent is None or len(quiet) < 3 or len(productive) < _LEAST_RUNS:
        return None
    # Of two weekends or more the second, as the longest may have been a fault as well.
    knows_weekends = silent >= timedelta(days=14)
    longest = sorted([*spells, timedelta(), timedelta()], reverse=True)
    usual = longest[1 if knows_weekends else 0]
    limit = max(2 * usual, timedelta(hours=12) if knows_weekends else timedelta(days=4))
    lasted = clock[-1] - silent
    a_day = sum(run.stored for run in productive) / max(1.0, silent / timedelta(days=1))
    if lasted <= limit or a_day * (lasted / timedelta(days=1)) < _MISSED:
        return None
    return Alert(
        Figure.STORED,
        round(a_day, 2),
        0.0,
        f"no new article in {_times(quiet)}, {a_day:,.1f} a day before, and hardly ever none for"
        f" more than {_long(usual)}",
    )


def _watched(runs: Sequence[SiteRun]) -> list[timedelta]:
    """For each run, the time since the first; of pauses that are longer than usual only the usual part."""
    if not runs:
        return []
    gaps = _gaps(runs)
    most = max(3 * sorted(gaps)[len(gaps) // 2], timedelta(hours=1)) if gaps else timedelta()
    return list(accumulate((min(gap, most) for gap in gaps), initial=timedelta()))


def _gaps(runs: Sequence[SiteRun]) -> list[timedelta]:
    return [later.started_at - run.started_at for run, later in pairwise(runs)]


def _long(time: timedelta) -> str:
    hours = time / timedelta(hours=1)
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.1f} days"


def _fewer(runs: Sequence[SiteRun]) -> Alert | None:
    """Fewer articles a day than on the slowest days."""
    days = [day for day in _days(runs) if day.is_even]
    if not days or len(days) <= _LEAST_DAYS_OF_YIELD or not days[0].is_last:
        return None
    now, *before = days
    rates = [sum(run.stored for run in day.runs) / day.length for day in before]
    well = [rate for rate, day in zip(rates, before, strict=True) if not day.is_known_for(Figure.STORED)]
    if len(well) < _LEAST_DAYS_OF_YIELD:
        return None
    slow = _quantile(well, 0.1)
    expected, came = slow * now.length, sum(run.stored for run in now.runs)
    if came >= min(_FEWER * expected, expected - 3 * math.sqrt(expected)):
        return None
    was = median(rates)
    rate = came / now.length
    return Alert(
        Figure.STORED,
        round(was, 2),
        round(rate, 2),
        f"{rate:,.1f} new articles a day, {was:,.1f} before and {slow:,.1f} on slow days",
    )


# --- shares and lengths -------------------------------------------------------------------------------


def _has_read(run: SiteRun) -> bool:
    """Whether it could have found something. A spider of one's own counts no sources."""
    return bool(run.sources or run.not_modified or not run.sources_failed)


def _failed(run: SiteRun) -> int:
    return run.sources_failed


def _tried(run: SiteRun) -> int:
    return run.sources + run.not_modified + run.sources_failed


def _turned_away(run: SiteRun) -> int:
    # What an operator had taken out is not the site's doing, and what is gone was an article.
    return max(0, run.rejected - run.reasons.get("forgotten", 0) - run.gone)


def _new(run: SiteRun) -> int:
    # Known pages that are asked for again say nothing of new ones, and may be many more.
    return run.stored + _turned_away(run)


def _rejected(runs: Sequence[SiteRun]) -> Alert | None:
    alert = _share(
        runs,
        Figure.REJECTED,
        _turned_away,
        _new,
        "{now:.0%} of its new pages are turned away, {was:.0%} before",
    )
    if alert is None:
        return None
    reasons: dict[str, int] = {}
    for run in next(_days(runs, _new)).runs:
        for reason, count in run.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    most = max(reasons, key=lambda reason: (reasons[reason], reason))
    return Alert(alert.figure, alert.was, alert.now, f"{alert.message}; most of them for: {most}")


def _dates(runs: Sequence[SiteRun]) -> Alert | None:
    return _share(
        runs,
        Figure.WITHOUT_DATE,
        lambda run: run.without_date,
        lambda run: run.texts,
        "{now:.0%} of its new articles have no date, {was:.0%} before",
    )


def _authors(runs: Sequence[SiteRun]) -> Alert | None:
    return _share(
        runs,
        Figure.WITHOUT_AUTHOR,
        lambda run: run.without_author,
        lambda run: run.texts,
        "{now:.0%} of its new articles name no author, {was:.0%} before",
    )


def _share(
    runs: Sequence[SiteRun],
    figure: Figure,
    part: Callable[[SiteRun], int],
    whole: Callable[[SiteRun], int],
    message: str,
) -> Alert | None:
    """A share that rose. One that fell is good news."""
    days = list(_days(runs, whole))
    if len(days) <= _LEAST_DAYS:
        return None
    now, *before = (_share_of(day.runs, part, whole) for day in days)
    well = [value for value, day in zip(before, days[1:], strict=True) if not day.is_known_for(figure)]
    count = sum(map(whole, days[0].runs))
    was, spread = _usual(before)
    # By all documents of the days that were well: of few, the median of shares is often 0 and says little.
    known = [run for day in days[1:] if not day.is_known_for(figure) for run in day.runs]
    expected = max(was, _share_of(known, part, whole))
    by_chance = math.sqrt(expected * (1 - expected) / count)
    limit = max(was + _SHARE_FLOOR, was + _DEVIATIONS * spread, was + _BY_CHANCE * by_chance)
    if well:
        limit = max(limit, _quantile(well, 0.9) + 0.1)
    if now <= limit:
        return None
    return Alert(figure, round(was, 3), round(now, 3), message.format(now=now, was=was))


def _share_of(
    runs: Sequence[SiteRun], part: Callable[[SiteRun], int], whole: Callable[[SiteRun], int]
) -> float:
    return sum(map(part, runs)) / max(1, sum(map(whole, runs)))


def _words(runs: Sequence[SiteRun]) -> Alert | None:
    """Articles that became much shorter (they are cut, or a teaser is taken for them) or longer (clutter)."""
    days = list(_days(runs, lambda run: run.texts))
    if len(days) <= _LEAST_DAYS:
        return None
    now, *before = (max(1.0, _median_words(day.runs)) for day in days)
    logs = [math.log(words) for words in before]
    well = [value for value, day in zip(logs, days[1:], strict=True) if not day.is_known_for(Figure.WORDS)]
    usual, spread = _usual(logs)
    was, away = math.exp(usual), abs(math.log(now) - usual)
    # A logarithm of lengths varies by .8 among articles, and its median by 1.25 of that over the root of n.
    by_chance = 1.25 * 0.8 / math.sqrt(sum(run.texts for run in days[0].runs))
    is_shorter = now < min(_SHORTER * was, 0.9 * math.exp(_quantile(well or logs, 0.1)))
    is_longer = now > max(_LONGER * was, 1.1 * math.exp(_quantile(well or logs, 0.9)))
    if not (is_shorter or is_longer) or away <= _DEVIATIONS * max(spread, by_chance):
        return None
    return Alert(
        Figure.WORDS,
        round(was, 1),
        round(now, 1),
        f"its new articles have {now:,.0f} words (median), {was:,.0f} before",
    )


def _median_words(runs: Sequence[SiteRun]) -> float:
    """The median of the runs' medians, each weighing as much as it has articles."""
    pairs = sorted((run.words, run.texts) for run in runs if run.words is not None)
    half = sum(count for _, count in pairs) / 2
    seen = 0
    for words, count in pairs:
        seen += count
        if seen >= half:
            return words
    return 0.0


def _usual(values: Sequence[float]) -> tuple[float, float]:
    """Median and spread, the latter on the scale of a standard deviation."""
    middle = median(values)
    return middle, _MAD * median(abs(value - middle) for value in values)


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


# --- days ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Day:
    """Runs in a row that cover a day, or more, from the run before them to the last of them.

    length: in days. is_even: they came as they usually do; False where the crawler itself had stood still.
    is_last: the site's last run is among them.
    """

    runs: Sequence[SiteRun]
    length: float
    is_even: bool
    is_last: bool

    def is_known_for(self, figure: Figure) -> bool:
        """Whether an alert of that figure was on: then it is no measure of how much is usual at most."""
        return any(alert["figure"] == figure for run in self.runs for alert in run.alerts or ())


def _days(runs: Sequence[SiteRun], documents: Callable[[SiteRun], int] | None = None) -> Iterator[_Day]:
    """The history as days of at least _LEAST_DOCUMENTS documents each, the last first."""
    gaps = _gaps(runs)
    longest = max(3 * sorted(gaps)[len(gaps) // 2], timedelta(hours=6)) if gaps else timedelta()
    end = len(runs)
    count = 0
    for start in range(len(runs) - 1, 0, -1):
        count += documents(runs[start]) if documents is not None else 0
        covered = runs[end - 1].started_at - runs[start - 1].started_at
        if covered >= _DAY and (documents is None or count >= _LEAST_DOCUMENTS):
            is_even = all(gap <= longest for gap in gaps[start - 1 : end - 1])
            yield _Day(runs[start:end], covered / timedelta(days=1), is_even, end == len(runs))
            end, count = start, 0
