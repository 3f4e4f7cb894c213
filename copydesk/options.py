"""The options that several commands share, so that they read and default alike everywhere."""

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
    typer.Argument(metavar="[SITE…]", help="Sites of the sites file; all if none is named."),
]
SitesFile = Annotated[
    str | None,
    typer.Option("--sites", envvar="COPYDESK_SITES", metavar="FILE", help="Sites file of your own."),
]
SiteRulesFile = Annotated[
    str | None,
    typer.Option(
        "--sites",
        envvar="COPYDESK_SITES",
        metavar="FILE",
        help="Sites file: pages of its sites are processed by rules that it has for them.",
    ),
]
Removed = Annotated[
    bool,
    typer.Option("--removed", help="Before and after: the lines that went, in place, with their rules."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, for scripts.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would be done; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")]
