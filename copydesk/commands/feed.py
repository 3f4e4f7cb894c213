"""`copydesk feed`: prints stories as Atom, RSS or JSON Feed, and manages the tokens for feeds of the desk."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from copydesk.completion import words
from copydesk.options import DEFAULT_DATABASE, Agency, Database, Json, Language, Since, Site, Until
from copydesk.terminal import err, header, out, print_columns, print_json, shown, when


class _PrintIsMeant(TyperGroup):
    """`copydesk feed WORDS` is `copydesk feed print WORDS`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        parsed: list[str] = super().parse_args(ctx, args if is_named else ["print", *args])
        return parsed


app = typer.Typer(
    cls=_PrintIsMeant,
    help="Print stories as a feed, or manage the tokens that read feeds of the desk."
    " copydesk feed QUERY is short for copydesk feed print QUERY.",
)
tokens = typer.Typer(help="Make, list and revoke tokens that read feeds of the desk.", no_args_is_help=True)
app.add_typer(tokens, name="token")

_FORMATS = ("atom", "rss", "json")


@app.command("print")
def print_feed(
    query: Annotated[
        list[str] | None, typer.Argument(metavar="[QUERY]", help="What to look for; all stories if nothing.")
    ] = None,
    db: Database = DEFAULT_DATABASE,
    format: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="atom, rss or json.", autocompletion=words(*_FORMATS)
        ),
    ] = "atom",
    site: Site = None,
    language: Language = None,
    agency: Agency = None,
    min_sites: Annotated[int, typer.Option("--min-sites", min=1, help="On at least so many sites.")] = 1,
    since: Since = None,
    until: Until = None,
    watchlist: Annotated[
        str | None, typer.Option("--watchlist", metavar="NAME", help="What this watchlist looks for.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many stories, the newest ones.")] = 50,
    full_text: Annotated[
        bool, typer.Option("--full-text", help="Whole texts, except of articles whose rights are reserved.")
    ] = False,
    desk: Annotated[
        str, typer.Option("--desk", metavar="URL", help="Address of the desk, for links to its pages.")
    ] = "http://127.0.0.1:8017/",
) -> None:
    """Print the newest stories that match as Atom, RSS or JSON Feed: one entry a story, with its outlets.

    The desk gives the same feeds over HTTP: /feeds/stories.atom, /feeds/search.rss?q=WORDS,
    /feeds/sites/HOST.json and /feeds/watchlists/NAME.atom.
    """
    from copydesk.feeds import Question, printed
    from storage.database import open_database

    asked = Question(
        " ".join(query) if query else None, site, language, agency, min_sites, since, until, watchlist
    )
    engine = open_database(db, create=False)
    sys.stdout.buffer.write(printed(engine, asked, format, desk=desk, limit=limit, full_text=full_text))


@tokens.command("add")
def add_token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what uses it.")],
    db: Database = DEFAULT_DATABASE,
) -> None:
    """Make a token, and print it. It is shown once: the database keeps its digest alone.

    A feed with ?token=TOKEN in its address can be read where the desk asks for a login. The token opens
    nothing else.
    """
    from storage.database import open_database
    from storage.watching import add_feed_token

    made, secret = add_feed_token(open_database(db, create=False), name, datetime.now(UTC))
    out.print(secret, highlight=False, soft_wrap=True)
    err.print(f"[dim]shown once; copydesk feed token revoke '{shown(made.name)}' ends it[/dim]")


@tokens.command("list")
def list_tokens(db: Database = DEFAULT_DATABASE, json: Json = False) -> None:
    """List the tokens, when each was last used (to the hour), and which are revoked."""
    from storage.database import open_database
    from storage.watching import feed_tokens

    found = feed_tokens(open_database(db, create=False))
    if json:
        print_json(found)
        return
    if not found:
        out.print("There are no tokens; make one: copydesk feed token add NAME")
        return
    rows = [header("name", "made", "last used", "revoked")]
    for token in found:
        times = (when(at) if at else "—" for at in (token.created_at, token.last_used_at, token.revoked_at))
        rows.append((shown(token.name), *times))
    print_columns(rows, head=True)


@tokens.command("revoke")
def revoke_token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name in the list.")],
    db: Database = DEFAULT_DATABASE,
) -> None:
    """Revoke a token: feeds are no longer read with it, from the next request on."""
    from storage.database import open_database
    from storage.watching import revoke_feed_token

    revoked = revoke_feed_token(open_database(db, create=False), name, datetime.now(UTC))
    err.print(f"{shown(revoked.name)}: revoked")
