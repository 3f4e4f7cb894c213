"""The pages that look at the whole: sites and their health, who shares with whom, what was removed or
rejected, and the database itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from copydesk.times import parse_since
from copydesk.web.asking import LONGEST, Cursor, Desk
from copydesk.web.cursors import read_cursor, write_cursor
from copydesk.web.drawing import sparkline
from copydesk.web.problems import NotHere
from copydesk.web.rendering import page
from crawler.monitor import FIGURES, HISTORY, Trend, trend
from pipeline.document import Reason
from storage import reader
from storage.crawls import SiteRun, site_runs
from storage.database import QueryTimeout, SchemaVersion
from storage.database import version as schema_version
from storage.reader import ArticleFilter, Sharing
from storage.schema import VIEWS

router = APIRouter(include_in_schema=False)

_PAGE = 100
_RUNS = 30
_HEATS = 4


# --- sites --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShownTrend:
    """A trend for a page. said: its alerts in words. spark: a drawing of new articles by day."""

    site: str
    last: SiteRun
    runs: int
    said: tuple[str, ...]
    spark: Markup


@router.get("/sites")
def sites(request: Request, engine: Desk) -> Response:
    """Every site that was crawled in the last weeks: its last crawl, and its alerts."""
    histories = site_runs.history(engine, since=datetime.now(UTC) - HISTORY)
    shown = [_shown(trend(runs)) for _, runs in sorted(histories.items())]
    return page(request, "sites.html", {"trends": shown})


@router.get("/sites/{key}")
def site(request: Request, engine: Desk, key: str) -> Response:
    """One site: its last crawl beside its history, and its crawls."""
    runs = site_history(engine, key)
    found = trend(runs)
    figures = [
        (name.replace("_", " "), _figure(of(found.last)), _figure(found.usual.get(name)))
        for name, of in FIGURES.items()
    ]
    values = {"trend": _shown(found), "figures": figures, "runs": list(reversed(runs))[:_RUNS]}
    return page(request, "one_site.html", values)


def site_history(engine: Desk, key: str) -> Sequence[SiteRun]:
    """The crawls of a site in the last weeks, the oldest first. Raises NotHere."""
    histories = site_runs.history(engine, since=datetime.now(UTC) - HISTORY, site=key[:LONGEST])
    if not histories:
        raise NotHere(f"No crawl of a site {key} in the last {HISTORY.days} days.")
    return next(iter(histories.values()))


def _shown(found: Trend) -> ShownTrend:
    said = (f"{alert['figure']}: {alert['message']}" for alert in found.alerts)
    spark = sparkline(found.stored_by_day, "new articles by day")
    return ShownTrend(found.site, found.last, found.runs, tuple(said), spark)


def _figure(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.0f}" if value == int(value) or value >= 10 else f"{value:.2f}"


# --- who shares with whom -----------------------------------------------------------------------------


@router.get("/copies")
def copies(
    request: Request,
    engine: Desk,
    since: Annotated[str, Query(pattern=r"^\d{1,4}d$")] = "7d",
    agency: Annotated[str, Query(max_length=LONGEST)] = "",
) -> Response:
    """A matrix of outlets and the stories that they share."""
    where = ArticleFilter(since=parse_since(since), agency=agency.strip() or None)
    found = reader.shared_stories(engine, where)
    names = sorted({one.site for one in found})
    values = {"sites": names, "cells": _matrix(names, found), "since": since, "agency": agency}
    return page(request, "copies.html", values)


@dataclass(frozen=True, slots=True)
class Cell:
    """heat: 0 to 4, the number beside the largest of the matrix."""

    count: int
    heat: int


def _matrix(names: Sequence[str], found: Sequence[Sharing]) -> list[list[Cell]]:
    counts = {(one.site, one.other): one.stories for one in found}
    most = max((one.stories for one in found if one.site != one.other), default=1)

    def cell(row: str, column: str) -> Cell:
        count = counts.get((min(row, column), max(row, column)), 0)
        heat = min(_HEATS, -(-_HEATS * count // most)) if row != column else 0
        return Cell(count, heat)

    return [[cell(row, column) for column in names] for row in names]


# --- removed and rejected -----------------------------------------------------------------------------


@router.get("/removed")
def removed(
    request: Request,
    engine: Desk,
    rule: Annotated[str, Query(max_length=2000)] = "",
    cursor: Cursor = "",
) -> Response:
    """The rules that removed something; or the lines that one of them removed."""
    if not rule:
        return page(request, "removed.html", {"rules": reader.rules_used(engine)})
    after = read_cursor(cursor, (int, int)) if cursor else None
    found = reader.lines_of_rule(
        engine, rule, after=(int(after[0]), int(after[1])) if after else None, limit=_PAGE + 1
    )
    shown = found[:_PAGE]
    number, last = shown[-1] if shown else (0, None)
    values = {
        "rule": rule,
        "lines": [line for _, line in shown],
        "next": write_cursor(last.article_id, number) if last is not None and len(found) > _PAGE else None,
        "first": not cursor,
    }
    return page(request, "removed_by_rule.html", values)


@router.get("/rejections")
def rejections(
    request: Request,
    engine: Desk,
    reason: Annotated[str, Query(max_length=40)] = "",
    cursor: Cursor = "",
) -> Response:
    """Addresses that give no article at present, the latest first."""
    after = read_cursor(cursor, (int, str)) if cursor else None
    found = reader.latest_rejections(
        engine,
        reason=reason or None,
        after=(int(after[0]), str(after[1])) if after else None,
        limit=_PAGE + 1,
    )
    shown = found[:_PAGE]
    values = {
        "reason": reason,
        "reasons": [("", "all"), *((one.value, one.value) for one in Reason)],
        "lines": [line for _, line in shown],
        "next": write_cursor(shown[-1][0], shown[-1][1].location) if len(found) > _PAGE else None,
        "first": not cursor,
    }
    return page(request, "rejections.html", values)


# --- about --------------------------------------------------------------------------------------------


@router.get("/about")
def about(request: Request, engine: Desk) -> Response:
    """Versions, counts, the latest runs, and the columns of the views."""
    values = {
        "versions": _versions(engine),
        "counts": _counts(engine),
        "runs": reader.runs(engine, limit=20),
        "views": VIEWS,
    }
    return page(request, "about.html", values)


def _versions(engine: Desk) -> list[tuple[str, Any]]:
    found: SchemaVersion = schema_version(engine)
    names = ("copydesk", "trafilatura", "datasketch", "SQLAlchemy", "Scrapy")
    return [
        *((name, version(name)) for name in names),
        ("schema", found.current),
        ("database", engine.dialect.name),
    ]


def _counts(engine: Desk) -> list[tuple[str, str]] | None:
    """The totals; None where they take too long to count."""
    try:
        counts = reader.totals(engine)
    except QueryTimeout:
        return None
    names: Mapping[str, str] = {
        "articles": "Articles",
        "groups": "Stories",
        "copied_groups": "Stories with copies",
        "largest_size": "Copies of the largest story",
        "pairs": "Verified pairs",
        "sites": "Sites",
        "revisions": "Earlier texts",
        "removed_lines": "Removed lines",
        "rejections": "Rejections",
        "pages": "Stored pages",
    }
    return [(shown, f"{getattr(counts, name):,}") for name, shown in names.items()]
