"""`copydesk watch`: keeps watchlists, matches them, and delivers what they tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from copydesk.options import DEFAULT_DATABASE, Agency, Database, DryRun, Json, Language, Site, Yes
from copydesk.terminal import as_line, confirmed, err, out, plain, print_columns, print_json, visible, when
from pipeline.counts import counted
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from copydesk.watchlists import RuleChanges, Watchlists
    from storage.watching import Delivery, MatchedStory, Watchlist

app = typer.Typer(
    help="Keep watchlists: saved searches that tell of new stories, by mail, webhook, command or feed.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the watchlist.")]
MinSites = Annotated[
    int | None, typer.Option("--min-sites", min=1, help="Tell a story when so many sites carry it.")
]
Tells = Annotated[
    list[str] | None,
    typer.Option("--tell", metavar="WHAT", help="Also tell of copies, corrections or removals; repeatable."),
]
Outlets = Annotated[
    int | None, typer.Option("--outlets", min=2, help="Also tell when a story has reached so many sites.")
]
Ways = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="WAY",
        help="Where it goes: mail:ADDRESS, webhook:URL, command:WORDS or feed; repeatable.",
    ),
]


@app.command()
def add(
    name: Name,
    query: Annotated[
        list[str] | None, typer.Argument(metavar="QUERY", help="What to look for, as in copydesk search.")
    ] = None,
    db: Database = DEFAULT_DATABASE,
    site: Site = None,
    language: Language = None,
    agency: Agency = None,
    min_sites: MinSites = None,
    tell: Tells = None,
    outlets: Outlets = None,
    to: Ways = None,
    paused: Annotated[bool, typer.Option("--paused", help="Tell nothing until it is resumed.")] = False,
    json: Json = False,
) -> None:
    """Make a watchlist; it looks at what is stored from now on.

    The first article of a story that matches is told. Its copies on other sites are not, unless
    [bold]--tell copies[/bold] asks for them.
    """
    made = _watchlists(db, create=True).add(
        name,
        " ".join(query or ()) or None,
        site=site,
        language=language,
        agency=agency,
        min_sites=min_sites,
        tells=tell or (),
        outlets=outlets,
        ways=to or (),
        is_paused=paused,
    )
    _say(made, "made", json)


@app.command("list")
def list_watchlists(db: Database = DEFAULT_DATABASE, json: Json = False) -> None:
    """List the watchlists, and how many deliveries wait or were given up."""
    from storage.watching import outbox_counts

    lists = _watchlists(db)
    found = lists.list()
    counts = outbox_counts(lists.engine)
    if json:
        print_json({"watchlists": [_as_json(one) for one in found], "deliveries": counts})
        return
    if not found:
        out.print("There are no watchlists; make one: copydesk watch add NAME QUERY --to WAY")
        return
    rows = [tuple(f"[bold]{head}[/bold]" for head in ("name", "looks for", "tells", "to"))]
    for one in found:
        name = f"[cyan]{as_line(one.name)}[/cyan]" + (" (paused)" if one.rule.is_paused else "")
        rows.append((name, as_line(_conditions(one)), ", ".join(one.rule.tells), as_line(_ways(one))))
    print_columns(rows, head=True)
    if counts.waiting or counts.dead:
        waiting = counted(counts.waiting, "delivery waits", "deliveries wait")
        err.print(f"{waiting}, {counts.dead:,} given up (copydesk watch retry)")


@app.command()
def show(
    name: Name,
    db: Database = DEFAULT_DATABASE,
    limit: Annotated[int, typer.Option(min=1, help="Show this many stories, the latest first.")] = 20,
    json: Json = False,
) -> None:
    """Show a watchlist, the stories that it matched last, and deliveries that were given up."""
    from storage.watching import dead_letters, ways_gone

    lists = _watchlists(db)
    one = lists.get(name)
    stories = lists.matched(name, limit=limit)
    dead = dead_letters(lists.engine, one.name)
    gone = ways_gone(lists.engine)
    off = [way for way in one.rule.ways if (one.name, way) in gone]
    if json:
        letters = [_dead_json(letter) for letter in dead]
        print_json({**_as_json(one), "off": off, "stories": plain(stories), "dead": letters})
        return
    _print(one)
    for way in off:
        out.print(f"  [red]off[/red]        {as_line(way)} wants no more (410), until copydesk watch retry")
    _print_stories(stories)
    _print_dead(dead)


@app.command()
def edit(
    name: Name,
    db: Database = DEFAULT_DATABASE,
    rename: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    query: Annotated[
        str | None, typer.Option("--query", help="What to look for, in one argument; '' for any words.")
    ] = None,
    site: Site = None,
    language: Language = None,
    agency: Agency = None,
    min_sites: MinSites = None,
    tell: Tells = None,
    outlets: Annotated[
        int | None, typer.Option("--outlets", min=0, help="Also tell at so many sites; 0 for never.")
    ] = None,
    to: Ways = None,
    pause: Annotated[
        bool | None, typer.Option("--pause/--resume", help="Tell nothing, or tell again.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Change a watchlist; what is not given stays, and what it has told stays told.

    [bold]--tell[/bold] and [bold]--to[/bold] replace all that it had ('' for none), and an empty --site,
    --language or --agency takes that condition away. After a pause it looks at what is stored from now on.
    """
    changes: RuleChanges = {}
    if rename is not None:
        changes["rename"] = rename
    if query is not None:
        changes["query"] = query or None
    if site is not None:
        changes["site"] = site or None
    if language is not None:
        changes["language"] = language or None
    if agency is not None:
        changes["agency"] = agency or None
    if min_sites is not None:
        changes["min_sites"] = min_sites if min_sites > 1 else None
    if tell is not None:
        changes["tells"] = [one for one in tell if one]
    if outlets is not None:
        changes["outlets"] = outlets or None
    if to is not None:
        changes["ways"] = [one for one in to if one]
    if pause is not None:
        changes["is_paused"] = pause
    _say(_watchlists(db).edit(name, **changes), "changed" if changes else "unchanged", json)


@app.command()
def remove(name: Name, db: Database = DEFAULT_DATABASE, yes: Yes = False, json: Json = False) -> None:
    """Delete a watchlist, and what it has not delivered yet."""
    lists = _watchlists(db)
    one = lists.get(name)
    if not confirmed(f"Delete the watchlist {one.name}, and what it has not delivered yet?", yes):
        return
    _say(lists.remove(name), "removed", json)


@app.command("test")
def try_out(
    name: Name,
    db: Database = DEFAULT_DATABASE,
    days: Annotated[float, typer.Option(min=0, help="Look at texts fetched in the last days.")] = 7,
    limit: Annotated[int, typer.Option(min=1, help="Show this many stories, the latest first.")] = 20,
    send: Annotated[
        bool,
        typer.Option("--send", help="Send an invented story by each of its ways, now."),
    ] = False,
    json: Json = False,
) -> None:
    """Show what a watchlist would have matched in the last days. Tells nothing, unless --send tries its ways.

    With [bold]--send[/bold] it says of each way what happened, and exits with 2 if one failed.
    """
    if send:
        _send_samples(_watchlists(db).get(name), json)
        return
    found = _watchlists(db).test(name, days=days)
    told = sum(story.is_told for story in found)
    if json:
        print_json({"stories": plain(found[:limit]), "matched": len(found), "told": told})
        return
    _print_stories(found[:limit])
    err.print(f"{counted(len(found), 'story', 'stories')} matched in {days:g} days, {told:,} to be told")


@app.command()
def run(db: Database = DEFAULT_DATABASE, json: Json = False) -> None:
    """Match what is new, and deliver what is due.

    Every ingest and crawl does this at its end, and copydesk schedule delivers while it runs. A delivery that
    fails is tried again later, by the next call, with longer and longer waits.
    """
    from crawler.notifications import deliver, from_environment
    from storage.watching import match_news

    settings = from_environment()
    engine = _watchlists(db).engine
    matched = match_news(engine)
    sent = deliver(engine, settings)
    if json:
        print_json({"matched": matched, "deliveries": sent})
        return
    out.print(f"{counted(matched.news, 'new text')}: {matched.told:,} to be told")
    out.print(
        f"{counted(sent.delivered, 'delivery', 'deliveries')} made, {sent.failed:,} failed,"
        f" {sent.dead:,} given up, {sent.waiting:,} due later"
    )


@app.command()
def retry(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Of this watchlist only.", show_default=False)
    ] = None,
    db: Database = DEFAULT_DATABASE,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Put deliveries that were given up back, for the next copydesk watch run; --dry-run lists them."""
    from storage.watching import dead_letters, outbox_counts
    from storage.watching import retry as put_back

    lists = _watchlists(db)
    named = None if name is None else lists.get(name).name
    dead = dead_letters(lists.engine, named)
    given_up = outbox_counts(lists.engine, named).dead  # of which no more than the oldest are listed
    count = 0 if dry_run else put_back(lists.engine, datetime.now(UTC), watchlist=named)
    if json:
        print_json({"dead": [_dead_json(one) for one in dead], "put_back": count})
        return
    if dry_run:
        _print_dead(dead)
        out.print(f"{counted(given_up, 'delivery was', 'deliveries were')} given up")
    else:
        out.print(f"{counted(count, 'delivery is', 'deliveries are')} due again (copydesk watch run)")


def _watchlists(db: str, *, create: bool = False) -> Watchlists:
    from copydesk.watchlists import Watchlists
    from storage.database import open_database

    return Watchlists(open_database(db, create=create))


def _send_samples(one: Watchlist, json: bool) -> None:
    """Raises OperatorError if there is no way out, and if one failed."""
    from crawler.notifications import from_environment, send_samples

    if not one.rule.ways:
        raise OperatorError(f"watchlist {one.name!r} has no way out: copydesk watch edit NAME --to WAY")
    done = send_samples(one.name, one.rule.ways, from_environment())
    failed = sum(sample.error is not None for sample in done)
    if json:
        print_json({"samples": plain(done)})
    else:
        for sample in done:
            said = sample.error or ("accepted" if sample.is_sent else "nothing is sent")
            out.print(f"{as_line(sample.way)}: {as_line(said)}")
    if failed:
        raise OperatorError(f"{failed} of {counted(len(done), 'way')} failed")


def _say(one: Watchlist, what: str, json: bool) -> None:
    if json:
        print_json(_as_json(one))
        return
    out.print(f"watchlist {as_line(one.name)} {what}: {as_line(_conditions(one))}")


def _as_json(one: Watchlist) -> dict[str, Any]:
    rule: dict[str, Any] = plain(one.rule)
    return {**rule, "created_at": one.created_at}


def _dead_json(one: Delivery) -> dict[str, Any]:
    due = one.due
    return {
        "id": due.id,
        "watchlist": due.watchlist,
        "way": due.way,
        "kind": due.kind,
        "attempts": due.attempts,
        "created_at": due.created_at,
        "last_error": one.last_error,
    }


def _conditions(one: Watchlist) -> str:
    rule = one.rule
    parts = (
        rule.query or "any words",
        rule.site and f"on {rule.site}",
        rule.language and f"in {rule.language}",
        rule.agency and f"by {rule.agency}",
        rule.min_sites and rule.min_sites > 1 and f"once {rule.min_sites} sites have it",
    )
    return ", ".join(part for part in parts if part)


def _ways(one: Watchlist) -> str:
    return ", ".join(one.rule.ways) or "—"


def _print(one: Watchlist) -> None:
    rule = one.rule
    told = [f"{tell} ({rule.outlets})" if tell == "outlets" else tell for tell in rule.tells]
    out.print(f"[bold]{as_line(one.name)}[/bold]" + (" (paused)" if rule.is_paused else ""))
    out.print(f"  looks for  {as_line(_conditions(one))}")
    out.print(f"  tells      {', '.join(told)}")
    out.print(f"  to         {as_line(_ways(one))}")
    out.print(f"  since      {when(one.created_at)}")


def _print_stories(stories: Sequence[MatchedStory]) -> None:
    for story in stories:
        out.print(f"\n[cyan]{story.article_id}[/cyan]  [bold]{as_line(visible(story.title))}[/bold]")
        facts = [when(story.published_at), as_line(visible(story.site)), counted(story.sites, "site")]
        out.print(f"  [dim]{' · '.join([*facts, *([] if story.is_told else ['not told'])])}[/dim]")
    if not stories:
        out.print("No story matches.")


def _print_dead(dead: Sequence[Delivery]) -> None:
    for one in dead:
        due = one.due
        out.print(f"\n[red]given up[/red] {due.id}  {as_line(due.watchlist)}, {due.kind}, {as_line(due.way)}")
        out.print(f"  {counted(due.attempts, 'attempt')}; {as_line(one.last_error or '')}")
