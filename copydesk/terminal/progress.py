"""Shows the progress of a run (a bar on a terminal, else log lines), and its summary at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from copydesk.terminal.console import as_line, err
from pipeline.counts import counted

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from crawler.runs import Progress as Watcher
    from storage.upkeep import SiteRulesUse
    from storage.writer import BatchCounts
    from storage.writing import Lesson

# Seconds between two log lines if there is no terminal.
_LOG_EVERY = 10.0


@contextmanager
def watching(doing: str) -> Iterator[Watcher]:
    """Yields the object to which a run reports its progress."""
    if not err.is_terminal:
        yield _LogLines(doing)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[said]}"), console=err) as bar:
        yield _Bar(bar, bar.add_task(doing, total=None, said=""))


@contextmanager
def counting(doing: str, total: int) -> Iterator[tuple[Callable[[int], None], Callable[[], bool]]]:
    """Shows the progress of work that only counts.

    Yields a function that takes how much more was done, and one that returns whether a signal ended the work.
    """
    from crawler.runs import stopping

    with stopping() as is_stopped:
        if not err.is_terminal:
            last, done = time.monotonic(), 0

            def log(more: int) -> None:
                nonlocal last, done
                done += more
                if time.monotonic() - last >= _LOG_EVERY:
                    last = time.monotonic()
                    err.print(f"{doing}: {done:,} of {total:,}")

            yield log, is_stopped
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=err) as bar:
            task = bar.add_task(doing, total=total)
            yield (lambda more: bar.advance(task, more)), is_stopped


class _Bar:
    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar = bar
        self._task = task

    def advance(self, counts: BatchCounts) -> None:
        self._bar.update(self._task, completed=counts.seen, said=_brief(counts))

    def total(self, documents: int) -> None:
        self._bar.update(self._task, total=documents)


class _LogLines:
    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._last = time.monotonic()

    def advance(self, counts: BatchCounts) -> None:
        if time.monotonic() - self._last >= _LOG_EVERY:
            self._last = time.monotonic()
            err.print(f"{self._doing}: {counts.seen:,} seen, {_brief(counts)}")

    def total(self, documents: int) -> None:
        pass


def _brief(counts: BatchCounts) -> str:
    said = [f"{counts.stored:,} stored"] if counts.stored or not counts.updated else []
    said += [f"{counts.updated:,} updated"] if counts.updated else []
    said += [f"{counts.rejected:,} rejected"] if counts.rejected else []
    return ", ".join(said)


def print_summary(counts: BatchCounts) -> None:
    """The summary of a run: how many documents were stored, rejected, and so on."""
    err.print(
        f"seen {counts.seen:,}: stored {counts.stored:,}, revised {counts.revised:,},"
        f" updated {counts.updated:,}, unchanged {counts.unchanged:,}, rejected {counts.rejected:,};"
        f" {counts.grouped:,} joined a group"
    )
    for reason, count in sorted(counts.reasons.items(), key=lambda item: (-item[1], item[0])):
        err.print(f"  rejected, {reason}: {count:,}")


def print_site_rules(uses: Iterable[SiteRulesUse]) -> None:
    """Prints warnings about rules of sites that do not fit their pages, or that were missing."""
    for use in uses:
        if use.take_ignored:
            err.print(
                f"{use.key}: on {use.take_ignored:,} of {counted(use.articles, 'page')} the elements that its"
                " rules take held too little text, so the whole page was read: look at one with copydesk"
                " extract --sites"
            )
        if use.foreign:
            err.print(
                f"{use.key}: {counted(use.foreign, 'article')} made by its rules did not change:"
                " name the sites file that has the site with --sites"
            )


def print_lesson(lesson: Lesson | None) -> None:
    """Prints what was learned about sites, if it would change texts of stored pages."""
    if lesson is None or not lesson.sites:
        return
    learned, unlearned = sum(lesson.learned.values()), sum(lesson.unlearned.values())
    said = [f"{learned:,} learned as clutter"] if learned else []
    said += [f"{unlearned:,} no longer clutter"] if unlearned else []
    err.print(
        f"lines of {', '.join(lesson.sites[:3])}{' and other sites' if len(lesson.sites) > 3 else ''}:"
        f" {', '.join(said)} (copydesk learn lists them); copydesk reprocess applies this to stored pages"
    )


def print_alerts(lines: Iterable[tuple[str, bool]]) -> None:
    """Prints the alerts and recoveries of a crawl; each line comes with whether it is an alert."""
    for line, is_bad in lines:
        err.print(f"[{'red' if is_bad else 'green'}]{as_line(line)}")
