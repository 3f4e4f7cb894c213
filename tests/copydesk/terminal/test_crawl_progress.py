"""The lines of a crawl on a terminal."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from copydesk.terminal import crawl_progress
from crawler.crawl import CrawlProgress


def _shown(monkeypatch: pytest.MonkeyPatch, *reports: CrawlProgress, log: str = "") -> list[str]:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, color_system=None, width=100, _environ={"TERM": "xterm"}
    )
    monkeypatch.setattr(crawl_progress, "err", console)
    with crawl_progress.watching_sites() as report:
        for progress in reports:
            report(progress)
        if log:
            logging.getLogger("crawler").warning("%s", log)
            logging.getLogger("crawler").debug("a detail")
            logging.getLogger("scrapy.core.engine").warning("%s", "Closing spider (shutdown)")
    return stream.getvalue().splitlines()


def test_a_site_has_what_is_done_of_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {
        "discovered": 40,
        "known": 30,
        "over_budget": 2,
        "fetched": 5,
        "failed": 1,
        "sources_failed": 1,
    }
    progress = CrawlProgress({"gazette": figures, "herald": {"locked": 1}}, articles=4, rejected=1)
    gazette, herald, totals, *_ = _shown(monkeypatch, progress)
    assert gazette.removeprefix("\x1b[?25l").startswith("gazette ")
    assert "6 of 8  30 known, 1 failed, 1 failed feed" in gazette
    assert "0 of 0  crawled by another process" in herald
    assert totals.startswith("2 sites: 6 of 8 pages, 4 articles, 1 rejected")


def test_sites_with_work_left_have_a_line_first(monkeypatch: pytest.MonkeyPatch) -> None:
    done = {f"done{n}": {"discovered": 1, "fetched": 1} for n in range(30)}
    progress = CrawlProgress({**done, "late": {"discovered": 9}}, articles=30, rejected=0)
    lines = _shown(monkeypatch, progress)[: crawl_progress._MOST_SITES + 1]
    assert any(line.startswith("late ") for line in lines)
    assert lines[-1].startswith("31 sites: 30 of 39 pages")


def test_warnings_of_the_log_are_shown_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "\n".join(_shown(monkeypatch, CrawlProgress({}, 0, 0), log="Site [a]\nfailed"))
    assert "warning: Site [a]\\nfailed" in said
    assert "a detail" not in said
    assert not any(isinstance(one, crawl_progress._Warnings) for one in logging.root.handlers)
