"""`copydesk search`: finds articles by words of their title and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.filters import article_filter
from copydesk.options import (
    DEFAULT_DATABASE,
    Agency,
    Database,
    Json,
    Language,
    Since,
    Site,
    Until,
)
from copydesk.terminal import as_line, out, plain, print_json, snippet_line, visible, when
from pipeline.counts import counted

if TYPE_CHECKING:
    from storage.reader import Hit


def search(
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help="What to look for, in one argument.")],
    db: Database = DEFAULT_DATABASE,
    site: Site = None,
    agency: Agency = None,
    language: Language = None,
    since: Since = None,
    until: Until = None,
    unique: Annotated[bool, typer.Option("--unique", help="One copy of each story that matches.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="List this many, the best first.")] = 20,
    count: Annotated[bool, typer.Option("--count", help="Only say how many articles match.")] = False,
    json: Json = False,
) -> None:
    """Find articles by words of their title and text, the best first.

    All words must occur: [bold]ferry harbour[/bold]. Also [bold]"runs aground"[/bold] for words next to each
    other, [bold]-strike[/bold] for what must not occur, [bold]ferry OR boat[/bold], and [bold]ferr*[/bold]
    for any word that begins so. Upper and lower case, accents and the like make no difference.
    """
    from storage import reader
    from storage.database import open_database

    engine = open_database(db, create=False)
    where = article_filter(
        engine,
        site=site or None,
        agency=agency,
        language=language or None,
        since=since or None,
        until=until or None,
    )
    if count:
        number = reader.count_matches(engine, " ".join(query), where, canonical_only=unique)
        print_json({"count": number}) if json else out.print(counted(number, "article"))
        return
    found = reader.search(engine, " ".join(query), where, canonical_only=unique, limit=limit)
    if json:
        print_json([_as_json(hit) for hit in found])
        return
    for hit in found:
        _print(hit)
    if not found:
        out.print("No article matches.")


def _print(hit: Hit) -> None:
    article = hit.article
    place = article.site or article.publisher or article.location
    facts = [when(article.published_at), as_line(visible(place)), f"group {article.group_id}"]
    if article.is_canonical:
        facts[-1] += " [green]*[/green]"
    out.print(f"\n[cyan]{article.id}[/cyan]  [bold]{as_line(visible(article.title))}[/bold]")
    out.print(f"  [dim]{' · '.join(facts)}[/dim]")
    line = snippet_line(hit.snippet)
    line.pad_left(2)
    out.print(line)


def _as_json(hit: Hit) -> object:
    row = plain(hit.article)
    row.pop("text")
    return {**row, "score": hit.score, "snippet": plain(hit.snippet)}
