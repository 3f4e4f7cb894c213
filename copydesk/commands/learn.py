"""`copydesk learn`: which lines the sites print under any story, as far as what is stored tells."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.console import err, out, print_json
from copydesk.options import DEFAULT_DATABASE, Database, DryRun, Json
from copydesk.progress import print_lesson

if TYPE_CHECKING:
    from storage.writing import SiteLine


def learn(
    db: Database = DEFAULT_DATABASE,
    site: Annotated[str | None, typer.Option(help="List lines of this site only, e.g. example.com.")] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Learn from what is stored, and list the lines that are clutter on their site.

    Every ingest and crawl learns when it has ended; what was learned is taken out of pages that come later,
    and of those that are stored by copydesk reprocess. Beside each line stands in how many stories it was
    seen, and an article that has it. A line that should stay is named in the site's rules (keep).
    """
    from storage.database import open_database
    from storage.writing import learning

    engine = open_database(db, create=False)
    if dry_run:
        lesson, lines = learning.try_learning(engine, site)
    else:
        lesson = learning.learn(engine)
        lines = learning.site_lines(engine, site)
    if json:
        print_json({"lesson": lesson, "lines": lines})
        return
    _print(lines)
    if dry_run:
        err.print("a dry run: nothing was written")
    print_lesson(lesson)


def _print(lines: list[SiteLine]) -> None:
    from rich.markup import escape

    for site, of_site in groupby(lines, key=lambda line: line.site):
        out.print(f"[bold]{escape(site)}[/bold]")
        for line in of_site:
            out.print(f"{line.stories:>6,} stories  [dim]article {line.example}[/dim]  {escape(line.text)}")
    if not lines:
        out.print("nothing was learned: no line stands in enough unrelated stories of one site")
