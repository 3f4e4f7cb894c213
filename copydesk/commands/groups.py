"""`copydesk groups`: the stories that have copies, or one story with all of its copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.console import out, plain, print_columns, print_json, when
from copydesk.options import DEFAULT_DATABASE, Database, Json
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from storage.reader import Copy, StoredArticle, StoryGroup


def groups(
    group: Annotated[int | None, typer.Argument(metavar="[ID]", help="Show this group alone.")] = None,
    db: Database = DEFAULT_DATABASE,
    min_size: Annotated[int, typer.Option(min=1, help="Smallest group to list, in articles.")] = 2,
    limit: Annotated[int, typer.Option(min=1, help="List this many, the largest first.")] = 20,
    json: Json = False,
) -> None:
    """List the groups of copies with their members: when, where, what kind of copy, how alike.

    [bold]*[/bold] marks the canonical copy. The kind and the figures compare each copy with it, or, where
    the two are linked through others only, with the copy that it is most alike to.
    """
    from storage import reader
    from storage.database import open_database

    engine = open_database(db, create=False)
    if group is None:
        found = list(reader.groups(engine, min_size=min_size, limit=limit))
    else:
        one = reader.group(engine, group)
        if one is None:
            raise OperatorError(f"there is no group {group}: copydesk groups lists them")
        found = [one]
    rows = []
    for story in found:
        members = reader.members(engine, story.id)
        rows.append(
            (story, members, _evidence(story, [c for m in members for c in reader.copies(engine, m.id)]))
        )
    if json:
        print_json([_as_json(*row) for row in rows])
        return
    for row in rows:
        _print(*row)
    if not rows:
        out.print("No two articles are copies of one story yet.")


def _evidence(story: StoryGroup, copies: Sequence[Copy]) -> Mapping[int, Copy]:
    """For each member, its pair with the canonical copy, else the closest pair that it has."""
    best: dict[int, tuple[tuple[bool, float, float], Copy]] = {}
    for copy in copies:
        for this, other in ((copy.article_id, copy.other_id), (copy.other_id, copy.article_id)):
            rank = (other == story.canonical_article_id, copy.containment, copy.jaccard)
            if this not in best or best[this][0] < rank:
                best[this] = (rank, copy)
    return {id: copy for id, (_, copy) in best.items() if id != story.canonical_article_id}


def _print(story: StoryGroup, members: Sequence[StoredArticle], evidence: Mapping[int, Copy]) -> None:
    from rich.markup import escape

    canonical = next(m for m in members if m.is_canonical)
    agency = f" · {story.agency}" if story.agency else ""
    out.print(
        f"\n[bold]group {story.id}[/bold] · {story.size} copies on {story.sites} sites{agency}"
        f" · [bold]{escape(canonical.title)}[/bold]"
    )
    rows = []
    for member in members:
        copy = evidence.get(member.id)
        rows.append(
            (
                "[green]*[/green]" if member.is_canonical else " ",
                f"[cyan]{member.id}[/cyan]",
                when(member.published_at),
                escape(member.site or member.publisher or PurePath(member.location).name),
                f"{member.word_count} words",
                f"{copy.kind}, {copy.containment:.0%} contained" if copy else "",
                escape(member.title) if member.title != canonical.title else "[dim]same title[/dim]",
            )
        )
    print_columns(rows, right=(1, 4))


def _as_json(story: StoryGroup, members: Sequence[StoredArticle], evidence: Mapping[int, Copy]) -> object:
    listed = []
    for member in members:
        row = plain(member)
        row.pop("text")
        listed.append({**row, "copy": plain(evidence.get(member.id))})
    return {**plain(story), "members": listed}
