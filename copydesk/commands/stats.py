"""`copydesk stats`: how much there is, what the runs did, and why documents were turned away."""

from __future__ import annotations

from typing import Annotated

import typer

from copydesk.console import out, print_columns, print_json, when
from copydesk.options import DEFAULT_DATABASE, Database, Json


def stats(
    db: Database = DEFAULT_DATABASE,
    rejections: Annotated[
        bool, typer.Option("--rejections", help="List every rejected document with its reason.")
    ] = False,
    json: Json = False,
) -> None:
    """Show how much there is, the latest runs, and what was rejected and why."""
    from rich.markup import escape

    from storage import reader
    from storage.database import open_database, shown_url

    engine = open_database(db, create=False)
    counts = reader.counts(engine)
    runs = reader.runs(engine)
    rejected = list(reader.rejections(engine)) if rejections else []
    if json:
        print_json({"database": shown_url(engine), "counts": counts, "runs": runs, "rejections": rejected})
        return
    out.print(f"[bold]{shown_url(engine)}[/bold]")
    out.print(
        f"{counts.articles:,} articles on {counts.sites:,} sites in {counts.groups:,} groups,"
        f" {counts.copied_groups:,} of them with copies ({counts.pairs:,} verified pairs)"
    )
    if counts.largest_size > 1:
        out.print(f"the largest is group {counts.largest_group} with {counts.largest_size:,}")
    out.print(
        f"{counts.removed_lines:,} lines removed from them; {counts.rejections:,} documents rejected;"
        f" {counts.page_bytes / 1e6:,.1f} MB of pages kept"
    )
    rows = [("[dim]run", "[dim]started (UTC)", *(f"[dim]{name}" for name in _COLUMNS), "[dim]command")]
    for run in runs[:10]:
        values = (f"{getattr(run, name):,}" for name in _COLUMNS)
        rows.append((str(run.id), when(run.started_at), *values, escape(run.command)))
    print_columns(rows, right=(0, *range(2, 2 + len(_COLUMNS))))
    for line in rejected:
        out.print(
            f"[red]{line.reason}[/red] {escape(f'{line.location}: {line.detail}')} [dim]({line.stage})[/dim]"
        )


_COLUMNS = ("seen", "stored", "revised", "updated", "unchanged", "rejected", "grouped")
