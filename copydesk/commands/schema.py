"""`copydesk schema`: prints the public views, column by column, as Markdown or as Datasette metadata.

docs/reference/views.md has the Markdown, examples/datasette.json the metadata.
"""

from __future__ import annotations

from typing import Annotated

import typer


def schema(
    datasette: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Metadata for Datasette instead: titles, descriptions, facets, queries. NAME is that of the"
            " database file without its ending, copydesk for copydesk.db.",
        ),
    ] = None,
) -> None:
    """Print the documentation of the public views: what each column holds, and when it is null."""
    if datasette is not None:
        from storage.datasette import as_json

        typer.echo(as_json(datasette), nl=False)
        return
    from storage.schema import as_markdown

    typer.echo(as_markdown())
