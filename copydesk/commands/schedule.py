"""`copydesk schedule`: crawls sites when they are due, or prints systemd units or a crontab for that."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.completion import complete_site
from copydesk.options import DEFAULT_DATABASE, Database, SitesFile
from copydesk.status import Status
from copydesk.terminal import err
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from crawler.sites import Site


def schedule(
    sites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SITE…]",
            help="Sites of the sites file; all that have a schedule if none is named.",
            autocompletion=complete_site,
        ),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    sites_file: SitesFile = None,
    concurrent: Annotated[
        int, typer.Option("--concurrent", min=1, metavar="N", help="Run at most this many crawls at a time.")
    ] = 4,
    jitter: Annotated[
        float,
        typer.Option(
            "--jitter", min=0, metavar="SECONDS", help="Start each crawl up to this long after its time."
        ),
    ] = 60,
    print_systemd: Annotated[
        bool,
        typer.Option("--print-systemd", help="Only print units for systemd (with --out, write them)."),
    ] = False,
    print_cron: Annotated[bool, typer.Option("--print-cron", help="Only print a crontab.")] = False,
    out_folder: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="With --print-systemd: write them there.")
    ] = None,
) -> None:
    """Crawl each site when its schedule in the sites file says so, until SIGTERM or Ctrl-C.

    Notices changes of the sites file while it runs. At the first signal, running crawls store what they
    fetched, and the scheduler ends; a second signal kills them. A site is never crawled twice at a time, even
    if another process crawls.
    """
    names = tuple(sites or ())
    if print_cron:
        sys.stdout.write(_crontab(names, db, sites_file))
        return
    if print_systemd:
        _print_units(_units(names, db, sites_file, concurrent, jitter), out_folder)
        return
    from crawler.scheduling import Plan, log_events_to_stderr
    from crawler.scheduling import run as run_schedule

    log_events_to_stderr()
    stopped = run_schedule(Plan(db, sites_file, names, concurrent=concurrent, jitter=jitter))
    if stopped.killed:
        raise typer.Exit(Status.FAULTS)
    if stopped.signal == signal.SIGINT:
        raise typer.Exit(Status.INTERRUPTED)


def _scheduled(names: Sequence[str], sites_file: str | None) -> list[Site]:
    """The named sites that have a schedule (no name: all sites); prints those that have none."""
    from crawler.sites import choose_sites, read_sites

    chosen = choose_sites(read_sites(sites_file), names)
    for site in chosen:
        if site.schedule is None:
            err.print(f"{site.key}: has no schedule, left out", markup=False)
    return [site for site in chosen if site.schedule is not None]


def _crontab(names: Sequence[str], db: str, sites_file: str | None) -> str:
    from crawler.scheduling import crontab, this_installation

    return crontab(_scheduled(names, sites_file), this_installation(db, sites_file))


def _units(
    names: Sequence[str], db: str, sites_file: str | None, concurrent: int, jitter: float
) -> dict[str, str]:
    from crawler.scheduling import systemd_units, this_installation

    installation = this_installation(db, sites_file)
    sites = _scheduled(names, sites_file)
    return systemd_units(sites, installation, names=names, concurrent=concurrent, jitter=jitter)


def _print_units(units: Mapping[str, str], folder: Path | None) -> None:
    """Print the units in the form of `systemctl cat`, or write them into a folder."""
    for name, text in units.items():
        if folder is None:
            sys.stdout.write(f"# /etc/systemd/system/{name}\n{text}\n")
            continue
        try:
            (folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise OperatorError(f"{folder / name}: cannot be written ({error.strerror})") from error
