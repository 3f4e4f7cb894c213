"""`copydesk crawl`: the news spider over the sites of sites.toml."""

from __future__ import annotations

from typing import Annotated

import typer

from copydesk.console import err, print_json
from copydesk.options import DEFAULT_DATABASE, Database, Json, Sites, SitesFile
from copydesk.progress import print_alerts, print_lesson, print_summary
from copydesk.status import Status


def crawl(
    sites: Sites = None,
    db: Database = DEFAULT_DATABASE,
    sites_file: SitesFile = None,
    refetch: Annotated[bool, typer.Option("--refetch", help="Fetch articles that are stored, too.")] = False,
    fail_on_alert: Annotated[
        bool,
        typer.Option("--fail-on-alert", help="End with status 3 where a site fell out of its own history."),
    ] = False,
    json: Json = False,
) -> None:
    """Fetch the news of sites from their feeds and sitemaps, and store their articles, grouped.

    Obeys robots.txt, fetches no article that is stored already, and stops in order on Ctrl-C.
    """
    from crawler.crawl import crawl as run
    from crawler.monitor import alert_lines

    done = run(db, sites or (), sites_file=sites_file, refetch=refetch)
    if json:
        print_json(
            {
                "run": done.run_id,
                "finished": done.finish_reason,
                "counts": done.counts,
                "sites": done.sites,
                "alerts": done.alerts,
                "lesson": done.lesson,
            }
        )
    else:
        for name, figures in sorted(done.sites.items()):
            err.print(f"{name}: " + ", ".join(f"{what} {count:,}" for what, count in sorted(figures.items())))
        print_summary(done.counts)
        print_lesson(done.lesson)
        print_alerts(alert_lines(done.alerts))
    if done.counts.faults:
        raise typer.Exit(Status.FAULTS)
    if fail_on_alert and any(site.alerts for site in done.alerts):
        raise typer.Exit(Status.ALERT)
    if any(figures.get("locked") for figures in done.sites.values()):
        raise typer.Exit(Status.BUSY)
