"""`copydesk learn`: learns which lines a site prints under many unrelated stories."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from copydesk.options import DEFAULT_DATABASE, Database, DryRun, Json, Site
from copydesk.terminal import as_line, err, out, print_json, print_lesson
from pipeline.counts import counted

if TYPE_CHECKING:
    from storage.writing import SiteLine


def learn(
    db: Database = DEFAULT_DATABASE,
    site: Site = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Learn from the stored articles, and list the lines that are clutter on their site.

    --site lists the lines of that site only; it learns of all.

    Every ingest and crawl learns at its end. Learned lines are removed from pages that come later; copydesk
    reprocess removes them from stored pages. For each line, the list shows in how many stories it was seen,
    and one article that has it. To keep a line, name it in the site's rules (keep).
    """
    from copydesk.named_sites import hosts_named
    from storage.database import open_database
    from storage.writing import learning

    engine = open_database(db, create=False)
    sites = () if site is None else hosts_named(engine, site)
    if dry_run:
        lesson, lines = learning.try_learning(engine, sites)
    else:
        lesson = learning.learn(engine)
        lines = learning.site_lines(engine, sites)
    if json:
        print_json({"lesson": lesson, "lines": lines})
        return
    _print(lines)
    if dry_run:
        err.print("a dry run: nothing was written")
    print_lesson(lesson)


def _print(lines: list[SiteLine]) -> None:
    for site, of_site in groupby(lines, key=lambda line: line.site):
        out.print(f"[bold]{as_line(site)}[/bold]")
        for line in of_site:
            stories = counted(line.stories, "story", "stories")
            out.print(f"{stories:>14}  [dim]article {line.example}[/dim]  {as_line(line.text)}")
    if not lines:
        out.print("nothing was learned: no line is in enough unrelated stories of one site")
