"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

DEFAULT_DATABASE = "sqlite:///copydesk.db"

Database = Annotated[
    str,
    typer.Option(
        "--db",
        envvar="COPYDESK_DB",
        metavar="URL",
        help="Database: sqlite:///FILE or postgresql://USER@HOST/NAME.",
    ),
]
Sites = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SITE…]", help="Sites of the sites file; all sites if none is named."),
]
SitesFile = Annotated[
    str | None,
    typer.Option("--sites", envvar="COPYDESK_SITES", metavar="FILE", help="Your own sites file."),
]
SiteRulesFile = Annotated[
    str | None,
    typer.Option(
        "--sites",
        envvar="COPYDESK_SITES",
        metavar="FILE",
        help="Sites file, whose rules apply to pages of its sites.",
    ),
]
Removed = Annotated[
    bool,
    typer.Option("--removed", help="Show the removed lines in their places, with their rules."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, for scripts.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")]
