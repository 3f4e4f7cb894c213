"""`copydesk schema`: the public views, column by column, as Markdown. The README holds the same text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from storage.schema import View


def schema() -> None:
    """Print the documentation of the public views: what each column holds, and when it is null."""
    typer.echo("\n".join(markdown()))


def markdown() -> Iterator[str]:
    """The lines of the documentation: the types, then a table a view."""
    from storage.schema import TYPES, VIEWS

    yield "| type | on SQLite | on PostgreSQL |"
    yield "|---|---|---|"
    for name, (on_sqlite, on_postgres) in TYPES.items():
        yield f"| {name} | {on_sqlite} | {on_postgres} |"
    documented: dict[int, str] = {}
    for view in VIEWS:
        yield ""
        yield f"#### {view.name}"
        yield ""
        yield view.meaning[0].upper() + view.meaning[1:] + "."
        twin = documented.setdefault(id(view.columns), view.name)
        if twin != view.name:
            yield f"The columns are those of `{twin}`."
            continue
        yield ""
        yield from _columns(view)


def _columns(view: View) -> Iterator[str]:
    yield "| column | type | what it is | null when | example |"
    yield "|---|---|---|---|---|"
    for column in view.columns:
        meaning = column.meaning + (f" ({column.unit})" if column.unit else "")
        example = f"`{column.example}`" if column.example else ""
        yield f"| {column.name} | {column.type} | {meaning} | {column.null} | {example} |"
