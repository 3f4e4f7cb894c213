"""`copydesk stats`: shows totals, the latest runs, rejected documents, and the crawls of sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.amounts import shown_size
from copydesk.options import DEFAULT_DATABASE, Database, Json
from copydesk.terminal import as_line, out, print_columns, print_json, when
from pipeline.counts import counted

if TYPE_CHECKING:
    from crawler.monitor import Trend
    from storage.crawls import SiteRun
    from storage.database import Engine


def stats(
    db: Database = DEFAULT_DATABASE,
    rejections: Annotated[
        bool, typer.Option("--rejections", help="List every rejected document with its reason.")
    ] = False,
    quarantine: Annotated[
        bool,
        typer.Option(
            "--quarantine",
            help="List what hung or killed its worker twice, and is not tried until rules or code change.",
        ),
    ] = False,
    sites: Annotated[
        bool,
        typer.Option("--sites", help="Show the last crawl of each site beside its history of 28 days."),
    ] = False,
    site: Annotated[
        str | None,
        typer.Option(
            "--site",
            metavar="SITE",
            help="Show the crawls of one site, latest first: its key in the sites file, or its host.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show how much is stored, the latest runs, and what was rejected and why; or the crawls of sites.

    --quarantine lists documents that hung or killed their worker twice in a row. They are not tried again
    until rules or code change, or by copydesk reprocess --quarantined.
    """
    from storage import reader
    from storage.database import open_database, shown_url

    engine = open_database(db, create=False)
    if sites or site is not None:
        _show_sites(_histories(engine, site), one=site is not None, json=json)
        return
    if quarantine:
        _show_quarantine(engine, json=json)
        return
    counts = reader.counts(engine)
    runs = reader.runs(engine)
    rejected = list(reader.rejections(engine)) if rejections else []
    if json:
        print_json({"database": shown_url(engine), "counts": counts, "runs": runs, "rejections": rejected})
        return
    out.print(f"[bold]{shown_url(engine)}[/bold]")
    out.print(
        f"{counted(counts.articles, 'article')} on {counted(counts.sites, 'site')}"
        f" in {counted(counts.groups, 'group')},"
        f" {counts.copied_groups:,} of them with copies ({counted(counts.pairs, 'verified pair')})"
    )
    if counts.largest_size > 1:
        out.print(f"the largest is group {counts.largest_group} with {counts.largest_size:,}")
    out.print(
        f"{counted(counts.removed_lines, 'line')} removed from them;"
        f" {counted(counts.rejections, 'document')} rejected;"
        f" {counts.page_bytes / 1e6:,.1f} MB of pages kept"
    )
    if counts.without_trafilatura:
        unread = counted(counts.without_trafilatura, "article")
        out.print(f"{unread} read without Trafilatura, which could not read the page")
    rows = [("[dim]run", "[dim]started (UTC)", *(f"[dim]{name}" for name in _COLUMNS), "[dim]command")]
    for run in runs[:10]:
        values = (f"{getattr(run, name):,}" for name in _COLUMNS)
        rows.append((str(run.id), when(run.started_at), *values, as_line(run.command)))
    print_columns(rows, right=(0, *range(2, 2 + len(_COLUMNS))), head=True)
    for line in rejected:
        out.print(
            f"[red]{line.reason}[/red] {as_line(f'{line.location}: {line.detail}')} [dim]({line.stage})[/dim]"
        )


def _show_quarantine(engine: Engine, *, json: bool) -> None:
    from crawler.sites import read_rulebook
    from pipeline.settings import Settings
    from storage.writing import list_quarantine

    found = list_quarantine(engine, Settings(site_rules=read_rulebook(None)))
    if json:
        print_json({"quarantine": found})
        return
    for one in found:
        state = (
            "" if one.is_held else " [dim](rules or code have changed: is tried when it comes again)[/dim]"
        )
        said = as_line(f"{one.location}: {one.failures} times in a row, at last: {one.detail}")
        out.print(f"[red]{one.reason}[/red] {said}{state} [dim]fetched {when(one.fetched_at)}[/dim]")
    held = sum(one.is_held for one in found)
    out.print(f"{counted(len(found), 'document')} in quarantine, {held:,} of them not tried again")


_COLUMNS = ("seen", "stored", "revised", "updated", "unchanged", "rejected", "grouped")

# Number of crawls that are shown of one site.
_SHOWN = 30
_BARS = "▁▂▃▄▅▆▇█"


def _histories(engine: Engine, site: str | None) -> dict[str, list[SiteRun]]:
    """The runs of the last weeks, of one site or of all. Raises OperatorError for a site without runs."""
    from datetime import UTC, datetime

    from copydesk.named_sites import key_named
    from crawler.monitor import HISTORY
    from pipeline.errors import OperatorError
    from storage.crawls import site_runs

    since = datetime.now(UTC) - HISTORY
    if site is None:
        return site_runs.history(engine, since=since)
    key = key_named(site, site_runs.last_starts(engine))
    found = site_runs.history(engine, since=since, site=key)
    if not found:
        raise OperatorError(f"no crawl of site {key!r} in the last {HISTORY.days} days")
    return found


def _show_sites(histories: Mapping[str, Sequence[SiteRun]], *, one: bool, json: bool) -> None:
    from crawler.monitor import trend

    trends = [trend(runs) for _, runs in sorted(histories.items())]
    if json:
        runs_of_one = {"runs": list(reversed(next(iter(histories.values()))))} if one else {}
        print_json({"sites": trends, **runs_of_one})
        return
    if not trends:
        out.print("no crawl in the last weeks")
        return
    if one:
        _print_site(next(iter(histories.values())))
    else:
        _print_sites(trends)
    _print_alerts(trends)


_FIGURES = ("discovered", "fetched", "304", "stored", "revised", "rejected", "words", "no date", "no author")
_HEAD = (*_FIGURES, "size", "time")


def _print_sites(trends: Sequence[Trend]) -> None:
    """One line for each site: its last crawl; a figure that is far from its median has an arrow."""
    head = ("site", "last crawl (UTC)", "ended", *_HEAD, "crawls", "stored by day")
    rows = [tuple(f"[dim]{name}" for name in head)]
    for trend in trends:
        cells = _cells(trend.last, trend.usual)
        bars = _sparkline(trend.stored_by_day)
        name = as_line(trend.site)
        rows.append(
            (
                f"[red]{name}" if trend.alerts else name,
                when(trend.last.started_at),
                as_line(trend.last.ended or "—"),
                *cells,
                f"{trend.runs:,}",
                bars,
            )
        )
    print_columns(rows, right=range(3, 4 + len(_HEAD)), head=True)
    out.print("[dim]↑ ↓ half as much again, or a third less, than the median of the crawls before (28 days)")


def _print_site(runs: Sequence[SiteRun]) -> None:
    """One line for each crawl, the latest first, each compared with the crawls before it."""
    from crawler.monitor import trend

    head = ("run", "started (UTC)", "ended", *_HEAD, "rejected for", "alerts")
    rows = [tuple(f"[dim]{name}" for name in head)]
    for run in list(reversed(runs))[:_SHOWN]:
        reasons = ", ".join(f"{why} {count:,}" for why, count in sorted(run.reasons.items()))
        alerts = ", ".join(str(alert["figure"]) for alert in run.alerts or ())
        rows.append(
            (
                str(run.run_id),
                when(run.started_at),
                as_line(run.ended or "—"),
                *_cells(run),
                as_line(reasons),
                f"[red]{as_line(alerts)}",
            )
        )
    print_columns(rows, right=(0, *range(3, 3 + len(_HEAD))), head=True)
    usual = trend(runs).usual
    said = (f"{name.replace('_', ' ')} {_number(name, value)}" for name, value in usual.items())
    out.print(f"[dim]median of the crawls before the last: {', '.join(said)}")
    out.print(f"[dim]stored by day: {_sparkline(trend(runs, days=28).stored_by_day)}")


def _print_alerts(trends: Sequence[Trend]) -> None:
    for trend in trends:
        for alert in trend.alerts:
            out.print(
                f"[red]{as_line(trend.site)}: {alert['figure']}:[/red] {as_line(str(alert['message']))}"
            )


def _cells(run: SiteRun, usual: Mapping[str, float | None] | None = None) -> list[str]:
    from crawler.monitor import FIGURES

    def cell(name: str) -> str:
        value = FIGURES[name](run)
        return _number(name, value) + _arrow(value, (usual or {}).get(name))

    return [
        cell("discovered"),
        cell("fetched"),
        f"{run.not_modified:,}",
        cell("stored"),
        f"{run.revised:,}",
        cell("rejected"),
        cell("words"),
        cell("without_date"),
        cell("without_author"),
        cell("bytes"),
        cell("seconds"),
    ]


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "—"
    if name.startswith("without_"):
        return f"{value:.0%}"
    if name == "bytes":
        return shown_size(int(value))
    return f"{value:,.1f} s" if name == "seconds" else f"{value:,.0f}"


def _arrow(value: float | None, usual: float | None) -> str:
    """An arrow for a large difference; a blank for none, to keep the columns aligned."""
    if value is None or usual is None or abs(value - usual) < 0.01:
        return " "
    return "↑" if value > 1.5 * usual else "↓" if value < usual / 1.5 else " "


def _sparkline(values: Sequence[int]) -> str:
    most = max(values, default=0) or 1
    return "".join(_BARS[round(value / most * (len(_BARS) - 1))] for value in values)
