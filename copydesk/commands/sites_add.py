"""`copydesk sites add`: finds the sources of sites, tries them, and writes the sites into a sites file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape

from copydesk.amounts import parse_age
from copydesk.completion import complete_outlet
from copydesk.options import DEFAULT_DATABASE, Database, DryRun, Json, SitesFile
from copydesk.status import Status
from copydesk.terminal import err, header, out, print_columns, print_json, print_page, shown
from pipeline.counts import counted
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from crawler.discovery import FeedSite
    from crawler.probing import Discovery, Wanted
    from crawler.sites import Site

Seconds = Annotated[
    float, typer.Option("--seconds", min=1, help="Spend at most this many seconds on a site.")
]
Stale = Annotated[
    str,
    typer.Option("--stale", metavar="AGE", help="A feed with nothing newer is stale, e.g. 36h, 14d."),
]
Quarantined = Annotated[
    bool,
    typer.Option("--quarantined", help="Try also what is in quarantine (copydesk stats --quarantine)."),
]


def add(
    sites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[URL|KEY]…",
            help="Addresses of front pages, or keys of the catalogue.",
            autocompletion=complete_outlet,
        ),
    ] = None,
    sites_file: SitesFile = None,
    opml: Annotated[
        Path | None,
        typer.Option("--opml", metavar="FILE", help="The sites of the feeds in this OPML file as well."),
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Key of the site in the file.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the outlet.")] = None,
    schedule: Annotated[
        str, typer.Option("--schedule", help="When `copydesk schedule` crawls it; '' for never.")
    ] = "every 30 min",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host", metavar="HOST", help="Another host with articles of the site; repeatable."
        ),
    ] = None,
    stale: Stale = "14d",
    seconds: Seconds = 180,
    db: Database = DEFAULT_DATABASE,
    quarantined: Quarantined = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Find feeds and sitemaps of sites, try them, and write the sites into a sites file of your own.

    Of an address, looks at what the front page links to, at robots.txt and at the usual places. Of an outlet
    of the catalogue and of an OPML file, tries the addresses that they name. The rest of the file does not
    change, comments included. A file that does not exist is created. Of several sites, those that work are
    written, all in one step; exits with 3 if others do not. What is in quarantine in the database, if there
    is one, is not requested (--quarantined).
    """
    from crawler.probing import Discovery, Limits, discover
    from crawler.sites import add_sites, own_sites_file, require_new_site, sites_in_file

    path = None if dry_run and sites_file is None else own_sites_file(sites_file)
    homepages = {one.key: one.homepage for one in sites_in_file(path).values()} if path is not None else {}

    def require_new(key: str, homepage: str) -> None:
        require_new_site(homepages, key, homepage, str(path or "in this command"))
        homepages[key] = homepage

    if not sites and opml is None:
        raise OperatorError("name a site by its address or its key in the catalogue, or an --opml FILE")
    if (len(sites or ()) > 1 or opml is not None) and (key or name or allow_host):
        raise OperatorError(
            "--key, --name and --allow-host are of one site: add each in a command of its own"
        )
    wanted = list(_wanted(sites or (), key, name, allow_host or ()))
    for one in wanted:
        if one.is_given and one.key is not None:
            require_new(one.key, one.homepage)
    if opml is not None:
        wanted += _wanted_of_opml(opml, homepages)
    if not wanted:
        err.print(f"{shown(str(opml))}: all of its sites are there already")
        if json:
            print_json([])
        return
    came = discover(
        wanted,
        schedule=schedule or None,
        limits=Limits(parse_age(stale), seconds=seconds),
        require=require_new,
        held={} if quarantined else held_of(db, ()),
        done=_progress(len(wanted)),
    )
    found = [one for one in came if isinstance(one, Discovery) and _is_found(one)]
    is_written = bool(found) and path is not None and not dry_run
    if is_written and path is not None:
        add_sites(path, {one.key: one.entry for one in found})
    where = f"written to {shown(str(sites_file))}" if is_written else "nothing was written (--dry-run)"
    if len(wanted) == 1:
        _report_one(wanted[0], came[0], is_written, where, str(sites_file), json)
        return
    if json:
        print_json([_as_json(one, of, is_written) for one, of in zip(wanted, came, strict=True)])
    else:
        _print_all(wanted, came)
    if not found:
        raise OperatorError("no feed or sitemap with articles of any of the sites; nothing was written")
    if not json:
        out.print(f"\n{counted(len(found), 'site')} of {len(wanted)}: {where}")
    if len(found) < len(wanted):
        raise typer.Exit(Status.ALERT)


def held_of(db: str, sites: Sequence[Site]) -> Mapping[str, str]:
    """The locations in quarantine by the rules of these sites, each with the reason; none before a crawl."""
    from crawler.sites import site_rulebook
    from pipeline.settings import Settings
    from storage.database import NoDatabase, open_database
    from storage.writing import held_locations

    try:
        engine = open_database(db, create=False)
    except NoDatabase:
        return {}
    return held_locations(engine, Settings(site_rules=site_rulebook(sites)))


# --- which sites --------------------------------------------------------------------------------------


def _wanted(
    sites: Sequence[str], key: str | None, name: str | None, allow_hosts: Sequence[str]
) -> Iterator[Wanted]:
    """The sites that are named. Raises OperatorError for a key that the catalogue does not have."""
    from crawler.probing import Wanted
    from crawler.sites import outlets_named

    for site in dict.fromkeys(sites):
        if any(sign in site for sign in ".:/"):
            yield Wanted(site, key, name, None, tuple(allow_hosts))
            continue
        (outlet,) = outlets_named([site])
        yield Wanted(
            outlet.homepage,
            key or outlet.key,
            name or outlet.name,
            outlet.language,
            tuple(allow_hosts),
            outlet.feeds,
            outlet.news_sitemaps,
            outlet.sitemaps,
        )


def _wanted_of_opml(file: Path, homepages: dict[str, str]) -> Iterator[Wanted]:
    """The sites of the feeds in a file, without those that are there already. Raises OperatorError.

    homepages: of the sites that are there, by key; those of the file are added.
    """
    from crawler.discovery import MAX_OPML_BYTES, read_opml, sites_of_feeds
    from crawler.probing import Wanted
    from crawler.sites import site_with_homepage

    try:
        with file.open("rb") as opened:
            listed = read_opml(opened.read(MAX_OPML_BYTES + 1))
    except OSError as error:
        raise OperatorError(f"{file}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise OperatorError(f"{file}: {error}; nothing was written") from error
    for url in listed.unusable:
        err.print(f"[yellow]left out[/yellow]: {shown(url)}: no http(s) address")
    for site in sites_of_feeds(listed.feeds):
        if known := site_with_homepage(homepages, site.homepage):
            err.print(f"[dim]left out: {shown(site.homepage)} is there already, as site {known}[/dim]")
            continue
        key = _free_key(site, homepages)
        homepages[key] = site.homepage
        yield Wanted(site.homepage, key, site.name, feeds=site.feeds, takes_all=True)


def _free_key(site: FeedSite, taken: Mapping[str, str]) -> str:
    """A key that no other site has: that of the name, else of the host, else with a number."""
    host = (urlsplit(site.homepage).hostname or site.key).replace(".", "-").replace(":", "-")
    numbered = (f"{host}-{number}" for number in range(2, len(taken) + 3))
    return next(key for key in (site.key, host, *numbered) if key not in taken)


def _progress(total: int) -> Callable[[Wanted], None]:
    count = 0

    def done(site: Wanted) -> None:
        nonlocal count
        count += 1
        if err.is_terminal and total > 1:
            err.print(f"[dim]{count} of {total}: {shown(site.key or site.homepage)}[/dim]")

    return done


# --- what came of it ----------------------------------------------------------------------------------


def _is_found(found: Discovery) -> bool:
    return bool(found.entry.get("feeds") or found.entry.get("sitemaps"))


def _report_one(
    wanted: Wanted,
    came: Discovery | OperatorError,
    is_written: bool,
    where: str,
    sites_file: str,
    json: bool,
) -> None:
    """Print what came of the only site. Raises OperatorError if nothing did."""
    from crawler.sites import site_table_text

    if isinstance(came, OperatorError):
        raise came
    if json:
        print_json({"found": came, "is_written": is_written})
    else:
        _print_found(came)
    if not _is_found(came):
        raise OperatorError(
            f"{wanted.homepage}: no feed or sitemap with articles of the site; nothing was written"
        )
    if not json:
        out.print(f"\n{escape(site_table_text(came.key, came.entry))}")
        check = f"copydesk sites check {came.key} --sites {shown(sites_file)}"
        out.print(f"{where}; look now and then whether it works: {check}" if is_written else where)


def _as_json(wanted: Wanted, came: Discovery | OperatorError, is_written: bool) -> dict[str, object]:
    """found: null if the site could not be searched, which `problem` says why."""
    if isinstance(came, OperatorError):
        return {"site": wanted.homepage, "found": None, "problem": str(came), "is_written": False}
    problem = None if _is_found(came) else "no feed or sitemap with articles of the site"
    return {
        "site": wanted.homepage,
        "found": came,
        "problem": problem,
        "is_written": is_written and not problem,
    }


def _print_all(wanted: Sequence[Wanted], came: Sequence[Discovery | OperatorError]) -> None:
    """A row for each site, and what was wrong with those that do not work."""
    rows = [header("site", "feeds", "sitemaps", "articles", "homepage")]
    for site, found in zip(wanted, came, strict=True):
        if isinstance(found, OperatorError) or not _is_found(found):
            continue
        articles = f"{sum(page.problem is None for page in found.pages)} of {len(found.pages)}"
        counts = (str(len(found.entry.get(kind, ()))) for kind in ("feeds", "sitemaps"))
        rows.append((f"[cyan]{found.key}[/cyan]", *counts, articles, shown(site.homepage)))
    if len(rows) > 1:
        print_columns(rows, right=(1, 2, 3), head=True)
    for site, found in zip(wanted, came, strict=True):
        place = f"[cyan]{shown(site.key or site.homepage)}[/cyan]"
        if isinstance(found, OperatorError):
            out.print(f"[yellow]not added[/yellow]: {place}: {shown(str(found))}")
            continue
        if not _is_found(found):
            out.print(f"[yellow]not added[/yellow]: {place}: no feed or sitemap with articles of the site")
        for statement in dict.fromkeys(said for page in found.pages for said in page.reserves):
            out.print(f"  [yellow]reserved[/yellow]  {place}: {shown(statement)}")
        for attempt in found.attempts:
            if attempt.verdict.value == "no use" and attempt.found != "usual place":
                out.print(f"  [yellow]no use[/yellow]  {shown(attempt.url)}: {shown(attempt.says)}")


def _print_found(found: Discovery) -> None:
    rows = [header("came of it", "address", "found", "why")]
    places: dict[str, list[str]] = {}
    for attempt in found.attempts:
        if attempt.verdict.value == "no use" and attempt.found == "usual place":
            places.setdefault(attempt.says, []).append(urlsplit(attempt.url).path)
            continue
        style = {"taken": "green", "not needed": "dim"}.get(attempt.verdict.value, "yellow")
        verdict = f"[{style}]{attempt.verdict.value}[/{style}]"
        rows.append((verdict, shown(attempt.url), attempt.found, shown(attempt.says)))
    if len(rows) > 1:
        print_columns(rows, head=True)
    for says, paths in places.items():
        out.print(f"[yellow]no use[/yellow]: usual places ({shown(says)}): {shown(', '.join(paths))}")
    if found.untried:
        out.print(f"{counted(found.untried, 'more address was', 'more addresses were')} not tried")
    for host, count in found.other_hosts.items():
        out.print(
            f"{counted(count, 'entry is', 'entries are')} on {shown(host)}, which is not known to be the"
            f" site's; if it is: --allow-host {shown(host)}"
        )
    for page in found.pages:
        print_page(page)
    if found.pages and all(page.problem is not None for page in found.pages):
        out.print("[yellow]none of the pages that were fetched is an article[/yellow]")
