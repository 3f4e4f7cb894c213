"""The progress of a crawl on a terminal: a line for each site that is being crawled, in place of the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from copydesk.terminal.console import as_line, err
from pipeline.counts import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from crawler.crawl import CrawlProgress

# Lines for sites; of more than that, those with work left are shown, and then the others.
_MOST_SITES = 15


@contextmanager
def watching_sites() -> Iterator[Callable[[CrawlProgress], None]]:
    """Yields the function that takes how far a crawl has come; warnings of the log are shown above."""
    from rich.live import Live

    log = _Warnings()
    logging.root.addHandler(log)
    try:
        with Live(console=err, transient=True, auto_refresh=False) as live:
            yield lambda progress: live.update(_table(progress), refresh=True)
    finally:
        logging.root.removeHandler(log)


class _Warnings(logging.Handler):
    """Prints warnings and errors, and that a crawl ends because of a signal."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            if record.levelno >= logging.WARNING:
                style = "red" if record.levelno >= logging.ERROR else "yellow"
                err.print(f"[{style}]{record.levelname.lower()}:[/{style}] {as_line(message)}")
            elif record.name == "scrapy.core.engine" and message == "Closing spider (shutdown)":
                err.print("stopping: what was fetched is stored")
        except Exception:
            self.handleError(record)


def _table(progress: CrawlProgress) -> RenderableType:
    """A table of the sites with a bar each, and a line of totals under it."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    wanted = {key: _wanted(figures) for key, figures in progress.sites.items()}
    done = {key: _done(figures) for key, figures in progress.sites.items()}
    # Sorting keeps the order of the others, so that lines do not jump about.
    by_work = sorted(progress.sites, key=lambda key: done[key] >= wanted[key])
    shown = by_work[:_MOST_SITES]
    table = Table.grid(padding=(0, 2))
    for key in (key for key in progress.sites if key in shown):
        table.add_row(
            Text(key, "cyan", overflow="ellipsis", no_wrap=True),
            ProgressBar(total=max(wanted[key], 1), completed=done[key], width=20),
            Text(f"{done[key]:,} of {wanted[key]:,}", justify="right", no_wrap=True),
            Text(_said(progress.sites[key]), "dim"),
        )
    totals = (
        f"{counted(len(progress.sites), 'site')}: {sum(done.values()):,} of"
        f" {counted(sum(wanted.values()), 'page')}, {counted(progress.articles, 'article')},"
        f" {progress.rejected:,} rejected"
    )
    return Group(table, Text(totals))


def _wanted(figures: Mapping[str, int]) -> int:
    """Pages that the crawl has fetched, or is to fetch, as far as it has read the feeds."""
    left_out = sum(figures.get(what, 0) for what in ("known", "forgotten", "over_budget"))
    return max(figures.get("discovered", 0) - left_out, _done(figures))


def _done(figures: Mapping[str, int]) -> int:
    return sum(figures.get(what, 0) for what in ("fetched", "failed", "failed_for_now", "put_off"))


def _said(figures: Mapping[str, int]) -> str:
    """What else is known of the site's pages and feeds, in words."""
    of_pages = {
        "known": "known",
        "revisited": "visited again",
        "failed": "failed",
        "failed_for_now": "failed for now",
        "put_off": "put off",
    }
    of_feeds = {"not_modified": "unchanged feed", "sources_failed": "failed feed"}
    said = [f"{figures[what]:,} {name}" for what, name in of_pages.items() if figures.get(what)]
    said += [counted(figures[what], name) for what, name in of_feeds.items() if figures.get(what)]
    if figures.get("locked"):
        said.append("crawled by another process")
    return ", ".join(said)
