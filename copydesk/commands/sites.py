"""`copydesk sites`: lists the sites of the sites file, adds, removes and exports them, and checks them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from rich.markup import escape

from copydesk.amounts import parse_age, shown_age
from copydesk.completion import complete_site, words
from copydesk.options import DEFAULT_DATABASE, Database, DryRun, Json, Sites, SitesFile
from copydesk.status import Status
from copydesk.terminal import as_line, err, out, print_columns, print_json, visible
from pipeline.counts import counted
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from crawler.probing import Discovery, PageCheck, SiteCheck
    from crawler.sites import Site

app = typer.Typer(
    help="List the sites, add, remove or export some, or check whether they still work.", no_args_is_help=True
)

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
    rows = [_header("site", "name", "homepage", "feeds", "sitemaps", "sections", "schedule")]
    for site in sites.values():
        counts = (str(len(sources)) for sources in (site.feeds, site.sitemaps, site.sections))
        texts = (_shown(text) for text in (site.name, site.homepage))
        rows.append((f"[cyan]{site.key}[/cyan]", *texts, *counts, _shown(site.schedule or "—")))
    print_columns(rows, right=(3, 4, 5), head=True)


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of the site's front page.")],
    sites_file: SitesFile = None,
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
    """Find a site's feeds and sitemaps, try them, and write its entry into a sites file of your own.

    Looks at what the front page links to, at robots.txt and at the usual places. The rest of the file does
    not change, comments included. A file that does not exist is created. What is in quarantine in the
    database, if there is one, is not requested (--quarantined).
    """
    from crawler.probing import Limits, discover
    from crawler.sites import add_site, own_sites_file, require_new_site, site_table_text, sites_in_file

    path = None if dry_run and sites_file is None else own_sites_file(sites_file)
    known = sites_in_file(path) if path is not None else {}

    def require_new(key: str, homepage: str) -> None:
        require_new_site(known, key, homepage, str(path))

    found = discover(
        url,
        key=key,
        name=name,
        schedule=schedule or None,
        allow_hosts=allow_host or (),
        limits=Limits(parse_age(stale), seconds=seconds),
        require=require_new,
        held={} if quarantined else _held(db, ()),
    )
    is_found = bool(found.entry.get("feeds") or found.entry.get("sitemaps"))
    is_written = is_found and path is not None and not dry_run
    if is_written and path is not None:
        add_site(path, found.key, found.entry)
    if json:
        print_json({"found": found, "is_written": is_written})
    else:
        _print_found(found)
    if not is_found:
        raise OperatorError(f"{url}: no feed or sitemap with articles of the site; nothing was written")
    if not json:
        out.print(f"\n{escape(site_table_text(found.key, found.entry))}")
        out.print(
            f"written to {_shown(str(sites_file))}; look now and then whether it works:"
            f" copydesk sites check {found.key} --sites {_shown(str(sites_file))}"
            if is_written
            else "nothing was written (--dry-run)"
        )


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
        err.print(f"{site.key}: removed; its articles stay (copydesk forget --site {_shown(_host(site))})")


@app.command()
def export(
    sites: Sites = None,
    sites_file: SitesFile = None,
    format: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="toml (a sites file) or opml (their feeds, for feed readers).",
            autocompletion=words("toml", "opml"),
        ),
    ] = "toml",
) -> None:
    """Print sites on standard output, for a sites file of your own or for a feed reader."""
    from crawler.sites import as_opml, as_sites_file, choose_sites, read_sites

    if format not in ("toml", "opml"):
        raise OperatorError(f"--format {format}: write one of toml, opml")
    keys = sites or ()
    is_toml = format == "toml"
    sys.stdout.write(
        as_sites_file(sites_file, keys) if is_toml else as_opml(choose_sites(read_sites(sites_file), keys))
    )


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
    found = check_sites(chosen, limits, held={} if quarantined else _held(db, chosen), done=done)
    if json:
        print_json(found)
    else:
        _print_checks(found)
    if any(site.state is SiteState.BROKEN for site in found):
        raise typer.Exit(Status.ALERT)


def _held(db: str, sites: Sequence[Site]) -> Mapping[str, str]:
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


def _print_found(found: Discovery) -> None:
    rows = [_header("came of it", "address", "found", "why")]
    places: dict[str, list[str]] = {}
    for attempt in found.attempts:
        if attempt.verdict.value == "no use" and attempt.found == "usual place":
            places.setdefault(attempt.says, []).append(urlsplit(attempt.url).path)
            continue
        style = {"taken": "green", "not needed": "dim"}.get(attempt.verdict.value, "yellow")
        verdict = f"[{style}]{attempt.verdict.value}[/{style}]"
        rows.append((verdict, _shown(attempt.url), attempt.found, _shown(attempt.says)))
    if len(rows) > 1:
        print_columns(rows, head=True)
    for says, paths in places.items():
        out.print(f"[yellow]no use[/yellow]: usual places ({_shown(says)}): {_shown(', '.join(paths))}")
    if found.untried:
        out.print(f"{counted(found.untried, 'more address was', 'more addresses were')} not tried")
    for host, count in found.other_hosts.items():
        out.print(
            f"{counted(count, 'entry is', 'entries are')} on {_shown(host)}, which is not known to be the"
            f" site's; if it is: --allow-host {_shown(host)}"
        )
    for page in found.pages:
        _print_page(page)
    if found.pages and all(page.problem is not None for page in found.pages):
        out.print("[yellow]none of the pages that were fetched is an article[/yellow]")


def _print_checks(found: list[SiteCheck]) -> None:
    if not found:
        out.print("The sites file has no sites; add one: copydesk sites add URL --sites FILE")
        return
    rows = [_header("site", "state", "sources", "newest", "articles")]
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
            out.print(f"  [yellow]{what}[/yellow]  {_shown(source.url)}: {_shown(source.detail)}")
    for page in site.pages:
        if page.problem is not None:
            _print_page(page)
    if not site.is_complete:
        out.print(
            "  [yellow]not finished[/yellow]  there was no time left for the rest; give it more --seconds"
        )


def _print_page(page: PageCheck) -> None:
    if page.problem is None:
        title = _shown(page.title or "without a title")
        out.print(
            f"  [green]article[/green]  {_shown(page.url)}: {title}, {counted(page.words or 0, 'word')}"
        )
    else:
        out.print(f"  [yellow]no article[/yellow]  {_shown(page.url)}: {_shown(page.problem)}")


_COLOURS = {"ok": "green", "flawed": "yellow", "broken": "red"}


def _age(time: datetime | None) -> str:
    return f"{shown_age(datetime.now(UTC) - time)} ago" if time is not None else "—"


def _host(site: Site) -> str:
    return urlsplit(site.homepage).hostname or site.key


def _header(*names: str) -> tuple[str, ...]:
    return tuple(f"[dim]{name}" for name in names)


def _shown(text: str) -> str:
    return as_line(visible(text))
