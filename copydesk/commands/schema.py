"""`copydesk schema`: the public views, column by column, as Markdown. The README holds the same text."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the documentation of the public views: what each column holds, and when it is null."""
    from storage.schema import as_markdown

    typer.echo(as_markdown())
