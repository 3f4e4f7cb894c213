"""`copydesk sites`: lists the sites of the sites file, adds, removes and exports them, and checks them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from copydesk.amounts import parse_age, shown_age
from copydesk.commands.sites_add import Quarantined, Seconds, Stale, add, held_of
from copydesk.completion import complete_site
from copydesk.completion import words as choices
from copydesk.options import DEFAULT_DATABASE, Database, Json, Language, Sites, SitesFile
from copydesk.status import Status
from copydesk.terminal import err, header, out, plain, print_columns, print_json, print_page, shown
from pipeline.counts import counted
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from crawler.probing import SiteCheck
    from crawler.sites import Outlet, Site

app = typer.Typer(
    help="List the sites, add, remove or export some, or check whether they still work.", no_args_is_help=True
)


@app.command("list")
def list_sites(sites_file: SitesFile = None, json: Json = False) -> None:
    """List the sites of the sites file, and check the file for mistakes."""
    from crawler.sites import read_sites

    sites = read_sites(sites_file)
    if json:
        print_json([site.model_dump(mode="json") for site in sites.values()])
        return
    if not sites:
        out.print("The sites file has no sites; add one: copydesk sites add URL --sites FILE")
        return
    rows = [header("site", "name", "homepage", "feeds", "sitemaps", "sections", "schedule")]
    for site in sites.values():
        counts = (str(len(sources)) for sources in (site.feeds, site.sitemaps, site.sections))
        texts = (shown(text) for text in (site.name, site.homepage))
        rows.append((f"[cyan]{site.key}[/cyan]", *texts, *counts, shown(site.schedule or "—")))
    print_columns(rows, right=(3, 4, 5), head=True)


app.command("add")(add)


@app.command()
def remove(
    sites: Annotated[
        list[str],
        typer.Argument(metavar="SITE…", help="Keys in the sites file.", autocompletion=complete_site),
    ],
    sites_file: SitesFile = None,
) -> None:
    """Take sites out of a sites file of your own. The rest of the file does not change, comments included.

    They are crawled no more. What is stored of them stays: copydesk forget --site deletes it.
    """
    from crawler.sites import own_sites_file, remove_sites

    for site in remove_sites(own_sites_file(sites_file), sites):
        err.print(f"{site.key}: removed; its articles stay (copydesk forget --site {shown(_host(site))})")


@app.command()
def catalogue(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORDS]", help="Parts of names, keys or addresses.")
    ] = None,
    country: Annotated[
        str | None, typer.Option("--country", help="Of this country only: two letters, e.g. de.")
    ] = None,
    language: Language = None,
    reserved: Annotated[
        bool, typer.Option("--reserved", help="Ask each of them what it reserves, training for example.")
    ] = False,
    json: Json = False,
) -> None:
    """List outlets whose feeds and sitemaps are known. None of them is crawled unless it is added.

    copydesk sites add KEY tries the addresses of an outlet, and writes those that work into a sites file.

    --reserved reads robots.txt and tdmrep.json of the outlets that are listed, now, and marks
    those that reserve their texts or refuse crawlers for training.
    """
    from crawler.sites import find_outlets

    found = find_outlets(words or (), country=country, language=language)
    if not found and not json:
        out.print(
            "No outlet of the catalogue is like that; copydesk sites add ADDRESS finds the feeds of any."
        )
        return
    if reserved:
        _list_reserved(found, json)
        return
    if json:
        print_json(found)
        return
    rows = [header("key", "name", "country", "language", "feeds", "sitemaps", "homepage")]
    for outlet in found:
        counts = str(len(outlet.feeds)), str(len(outlet.news_sitemaps) + len(outlet.sitemaps))
        texts = (shown(text) for text in (outlet.name, outlet.country, outlet.language))
        rows.append((f"[cyan]{outlet.key}[/cyan]", *texts, *counts, shown(outlet.homepage)))
    print_columns(rows, right=(4, 5), head=True)
    err.print(f"[dim]{counted(len(found), 'outlet')}; add some: copydesk sites add KEY… --sites FILE[/dim]")


def _list_reserved(outlets: list[Outlet], json: bool) -> None:
    """List the outlets with what each says to reserve."""
    from crawler.probing import ask_reserved

    count = 0

    def done(outlet: Outlet) -> None:
        nonlocal count
        count += 1
        if err.is_terminal:
            err.print(f"[dim]{count} of {len(outlets)}: {outlet.key}[/dim]")

    said = ask_reserved(outlets, done=done)
    if json:
        print_json([plain(outlet) | plain(one) for outlet, one in zip(outlets, said, strict=True)])
        return
    rows = [header("key", "name", "country", "reserved", "what it says")]
    for outlet, one in zip(outlets, said, strict=True):
        mark = "[yellow]yes[/yellow]" if one.reserves else "?" if one.problem else "no"
        texts = (shown(text) for text in (outlet.name, outlet.country))
        rows.append(
            (f"[cyan]{outlet.key}[/cyan]", *texts, mark, shown(one.problem or "; ".join(one.reserves)))
        )
    print_columns(rows, head=True)
    marked = sum(bool(one.reserves) for one in said)
    silent = sum(one.problem is not None for one in said)
    err.print(f"[dim]{counted(len(said), 'outlet')}: {marked} reserved, {silent} gave no answer[/dim]")


@app.command()
def export(
    sites: Sites = None,
    sites_file: SitesFile = None,
    format: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="toml (a sites file) or opml (their feeds, for feed readers).",
            autocompletion=choices("toml", "opml"),
        ),
    ] = "toml",
    opml: Annotated[bool, typer.Option("--opml", help="The same as --format opml.")] = False,
) -> None:
    """Print sites on standard output, for a sites file of your own or for a feed reader."""
    from crawler.sites import as_opml, as_sites_file, choose_sites, read_sites

    if format not in ("toml", "opml"):
        raise OperatorError(f"--format {format}: write one of toml, opml")
    keys = sites or ()
    if format == "toml" and not opml:
        sys.stdout.write(as_sites_file(sites_file, keys))
        return
    chosen = choose_sites(read_sites(sites_file), keys)
    sys.stdout.write(as_opml(chosen))
    if without := [site.key for site in chosen if not site.feeds]:
        err.print(f"without a feed, and so left out: {shown(', '.join(without))}")


@app.command()
def check(
    sites: Sites = None,
    sites_file: SitesFile = None,
    stale: Stale = "14d",
    pages: Annotated[int, typer.Option(min=0, help="Articles that are fetched of each site.")] = 2,
    seconds: Seconds = 120,
    db: Database = DEFAULT_DATABASE,
    quarantined: Quarantined = False,
    json: Json = False,
) -> None:
    """Check whether the feeds of each site answer, are fresh, and lead to articles. Stores nothing.

    What is in quarantine in the database, if there is one, is not requested, as in a crawl, and counts as
    failed. --quarantined tries it; copydesk reprocess --quarantined lets crawls try it again.

    Exits with 3 if a site is broken: none of the sources of its entry is up to date, or none of the fetched
    pages is an article.
    """
    from crawler.probing import Limits, SiteState, check_sites
    from crawler.sites import choose_sites, read_sites

    chosen = choose_sites(read_sites(sites_file), sites or ())
    total, count = len(chosen), 0

    def done(site: SiteCheck) -> None:
        nonlocal count
        count += 1
        if err.is_terminal:
            err.print(f"[dim]{count} of {total}: {site.key} {site.state.value}[/dim]")

    limits = Limits(parse_age(stale), pages, seconds)
    found = check_sites(chosen, limits, held={} if quarantined else held_of(db, chosen), done=done)
    if json:
        print_json(found)
    else:
        _print_checks(found)
    if any(site.state is SiteState.BROKEN for site in found):
        raise typer.Exit(Status.ALERT)


def _print_checks(found: list[SiteCheck]) -> None:
    if not found:
        out.print("The sites file has no sites; add one: copydesk sites add URL --sites FILE")
        return
    rows = [header("site", "state", "sources", "newest", "articles")]
    for site in found:
        sources = f"{sum(source.state.value == 'ok' for source in site.sources)} of {len(site.sources)}"
        newest = max((source.newest for source in site.sources if source.newest), default=None)
        articles = f"{sum(page.problem is None for page in site.pages)} of {len(site.pages)}"
        state = f"[{_COLOURS[site.state.value]}]{site.state.value}[/]"
        rows.append((f"[cyan]{site.key}[/cyan]", state, sources, _age(newest), articles))
    print_columns(rows, right=(2, 3, 4), head=True)
    for site in found:
        if site.state.value != "ok":
            _print_problems(site)
    counts = {state: sum(site.state.value == state for site in found) for state in _COLOURS}
    said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    out.print(f"\n{counted(len(found), 'site')}: {said}")


def _print_problems(site: SiteCheck) -> None:
    out.print(f"\n[cyan]{site.key}[/cyan]")
    for source in site.sources:
        if source.state.value != "ok":
            what = f"{source.kind} {source.state.value}"
            out.print(f"  [yellow]{what}[/yellow]  {shown(source.url)}: {shown(source.detail)}")
    for page in site.pages:
        if page.problem is not None:
            print_page(page)
    if not site.is_complete:
        out.print(
            "  [yellow]not finished[/yellow]  there was no time left for the rest; give it more --seconds"
        )


_COLOURS = {"ok": "green", "flawed": "yellow", "broken": "red"}


def _age(time: datetime | None) -> str:
    return f"{shown_age(datetime.now(UTC) - time)} ago" if time is not None else "—"


def _host(site: Site) -> str:
    return urlsplit(site.homepage).hostname or site.key
