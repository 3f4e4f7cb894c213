"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from copydesk.completion import complete_site
from copydesk.times import TIME, TIME_HELP
from pipeline.errors import OperatorError

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
    typer.Argument(
        metavar="[SITE…]",
        help="Sites of the sites file; all sites if none is named.",
        autocompletion=complete_site,
    ),
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
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="OURS=THEIRS,…",
        help="What records call a key, e.g. text=maintext,published_at=date_publish; repeatable.",
    ),
]
Removed = Annotated[
    bool,
    typer.Option("--removed", help="Show the removed lines in their places, with their rules."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, for scripts.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; for scripts.")]

Site = Annotated[
    str | None,
    typer.Option(
        "--site",
        help="Of this site only: its host, e.g. example.com, or its key in the sites file.",
        autocompletion=complete_site,
    ),
]
Agency = Annotated[
    str | None, typer.Option("--agency", help="With credit to this agency only, e.g. Reuters.")
]
Language = Annotated[str | None, typer.Option("--language", help="In this language only, e.g. en.")]
OldSince = Annotated[str | None, typer.Option("--since", hidden=True)]
Since = Annotated[
    str | None, typer.Option("--since", metavar=TIME, help=f"Published since then: {TIME_HELP}.")
]
Until = Annotated[
    str | None, typer.Option("--until", metavar=TIME, help="Published before then; a day is included.")
]


def named_fields(given: list[str]) -> tuple[tuple[str, str], ...]:
    """The pairs of --map. Raises OperatorError for one that is none."""
    from crawler.files import RECORD_KEYS

    found = {}
    for pair in ",".join(given).split(",") if given else []:
        ours, sign, theirs = (part.strip() for part in pair.partition("="))
        if ours not in RECORD_KEYS or not sign or not theirs:
            raise OperatorError(
                f"--map {pair}: write OURS=THEIRS, where OURS is one of {', '.join(RECORD_KEYS)}"
            )
        found[ours] = theirs
    return tuple(found.items())
