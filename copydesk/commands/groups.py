"""`copydesk groups`: lists the stories that have copies, shows one with all of its copies, or says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.completion import words
from copydesk.filters import article_filter
from copydesk.options import (
    DEFAULT_DATABASE,
    Agency,
    Database,
    Json,
    Language,
    Since,
    Site,
    Until,
)
from copydesk.terminal import (
    as_line,
    out,
    plain,
    print_changes,
    print_columns,
    print_json,
    print_json_lines,
    print_wrapped,
    when,
)
from pipeline.counts import counted
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from pipeline.copies import Comparison
    from storage.database import Engine
    from storage.reader import Copy, StoredArticle, StoryGroup, StoryOrder
    from storage.upkeep import PairEvidence


# Pairs of one group that are shown with their evidence. A story of 40 copies may have 780.
_MOST_PAIRS = 50


@dataclass(frozen=True, slots=True)
class _Shown:
    """A group for display: its members by time, and by a member's id the evidence that it is a copy.

    changes: what each copy added, dropped and changed compared with the canonical copy; only if one group is
    shown. pairs: its verified pairs, the first `_MOST_PAIRS` of them; only if one group is shown.
    """

    story: StoryGroup
    members: Sequence[StoredArticle]
    evidence: Mapping[int, Copy]
    changes: Mapping[int, Comparison]
    pairs: Sequence[PairEvidence] = ()

    @property
    def canonical(self) -> StoredArticle:
        return next(member for member in self.members if member.is_canonical)


def groups(
    group: Annotated[int | None, typer.Argument(metavar="[ID]", help="Show this group alone.")] = None,
    db: Database = DEFAULT_DATABASE,
    min_size: Annotated[int, typer.Option(min=1, help="Smallest group to list, in articles.")] = 2,
    min_sites: Annotated[int, typer.Option(min=1, help="On at least so many sites.")] = 1,
    sort: Annotated[
        str,
        typer.Option(
            metavar="ORDER",
            help="newest, size (most copies first) or spread (most sites first).",
            autocompletion=words("newest", "size", "spread"),
        ),
    ] = "size",
    since: Since = None,
    until: Until = None,
    site: Site = None,
    agency: Agency = None,
    language: Language = None,
    limit: Annotated[int, typer.Option(min=1, help="List at most this many.")] = 20,
    no_text: Annotated[
        bool,
        typer.Option(
            "--no-text",
            help="Leave out what the copies of one group added and dropped; of --json, all texts.",
        ),
    ] = False,
    why: Annotated[
        tuple[int, int] | None,
        typer.Option("--why", metavar="A B", help="Say why two articles are copies, or why they are not."),
    ] = None,
    json: Json = False,
) -> None:
    """List the groups of copies with their members: time, site, kind of copy, similarity.

    --since and --until choose by the time of the canonical copy; of --site and --agency, one copy is enough.

    [bold]*[/bold] marks the canonical copy. The kind and the figures compare each copy with it. If no
    evidence links the two, they compare it with the copy that is most similar to it.

    With --json: one object a line for each group, with its members and all that is stored of them.

    With an ID: show that group, why each pair of it was joined, and the sentences that each copy added
    ([green]+[/green]), dropped ([red]-[/red]) and changed ([yellow]~[/yellow]) against the canonical copy.
    Only wording counts: a different style of quotes, dashes, figures and per cent is no change.

    With --why A B: whether the index made the two candidates, how much of the shorter text is in the longer,
    which names and figures are in conflict, and what the time between them adds.
    """
    from storage import reader
    from storage.database import open_database

    engine = open_database(db, create=False)
    if why is not None:
        _explain(engine, why, json)
        return
    if group is None:
        listed = reader.stories(
            engine,
            article_filter(
                engine,
                site=site or None,
                agency=agency,
                language=language or None,
                since=since or None,
                until=until or None,
            ),
            min_size=min_size,
            min_sites=min_sites,
            order=_order(sort),
            limit=limit,
        )
        stories = (reader.group(engine, story.id) for story in listed)
        found: Iterator[_Shown] = (_shown(engine, story, False) for story in stories if story is not None)
    else:
        one = reader.group(engine, group)
        if one is None:
            raise OperatorError(f"there is no group {group}: copydesk groups lists them")
        found = iter([replace(_shown(engine, one, not no_text), pairs=_pairs(engine, one.id))])
    if json:
        print_json_lines(_as_json(shown, with_text=not no_text) for shown in found)
        return
    is_empty = True
    for shown in found:
        is_empty = False
        _print(shown) if group is None or no_text else _print_with_changes(shown)
        _print_pairs(shown.pairs)
    if is_empty:
        is_filtered = any((since, until, site, agency, language, min_sites > 1, min_size != 2))
        out.print(
            "No story is as asked for." if is_filtered else "No two articles are copies of one story yet."
        )


def _order(name: str) -> StoryOrder:
    from storage.reader import StoryOrder

    if name not in tuple(StoryOrder):
        raise OperatorError(f"--sort {name}: write one of {', '.join(StoryOrder)}")
    return StoryOrder(name)


def _shown(engine: Engine, story: StoryGroup, with_changes: bool) -> _Shown:
    from pipeline.copies import compare
    from storage import reader

    members = reader.members(engine, story.id)
    copies = [copy for member in members for copy in reader.copies(engine, member.id)]
    shown = _Shown(story, members, _evidence(story, copies), {})
    if not with_changes:
        return shown
    text = shown.canonical.text
    changes = {m.id: compare(text, m.text) for m in members if not m.is_canonical}
    return _Shown(story, members, shown.evidence, changes)


def _pairs(engine: Engine, group: int) -> list[PairEvidence]:
    from pipeline.settings import Settings
    from storage.upkeep import explain_group

    return list(islice(explain_group(engine, group, Settings()), _MOST_PAIRS))


def _explain(engine: Engine, articles: tuple[int, int], as_json: bool) -> None:
    """Prints why two articles are copies, or why not."""
    from copydesk.terminal import facts, verdict
    from pipeline.settings import Settings
    from storage import reader
    from storage.upkeep import explain_pair

    if articles[0] == articles[1]:
        raise OperatorError("--why compares two articles: name two ids, as in --why 12 34")
    found = explain_pair(engine, *articles, Settings())
    if found is None:
        missing = next((id for id in articles if reader.article(engine, id) is None), articles[0])
        raise OperatorError(f"no article {missing} here: name two ids of articles (copydesk search)")
    if as_json:
        print_json(_plain_pair(found))
        return
    out.print(f"[bold]{verdict(found)}[/bold]")
    print_columns([_named(engine, id) for id in articles], right=(0,))
    print_columns([(f"[dim]{name}[/dim]", said) for name, said in facts(found)])


def _named(engine: Engine, id: int) -> Sequence[str]:
    """What a reader knows an article by."""
    from storage import reader

    article = reader.article(engine, id)
    if article is None:  # removed since
        return (f"[cyan]{id}[/cyan]", "", "", "")
    outlet, title = as_line(_outlet(article)), as_line(article.title)
    return f"[cyan]{id}[/cyan]", when(article.published_at), outlet, title


def _print_pairs(pairs: Sequence[PairEvidence]) -> None:
    """Prints of each pair what made it one."""
    from copydesk.terminal import HEADINGS, columns

    if not pairs:
        return
    out.print("\n[bold]why each pair was joined[/bold]")
    print_columns([[f"[dim]{name}[/dim]" for name in HEADINGS], *map(columns, pairs)])
    first = f"{pairs[0].article_id} {pairs[0].other_id}"
    said = f"In brackets: what was needed. copydesk groups --why {first} has it in words."
    if len(pairs) == _MOST_PAIRS:
        said += f" These are the first {_MOST_PAIRS} pairs."
    out.print(f"[dim]{said}[/dim]")


def _plain_pair(pair: PairEvidence) -> object:
    return {**plain(pair), "is_candidate": pair.is_candidate}


def _evidence(story: StoryGroup, copies: Sequence[Copy]) -> Mapping[int, Copy]:
    """For each member, its pair with the canonical copy, or else its most similar pair."""
    best: dict[int, tuple[tuple[bool, float, float], Copy]] = {}
    for copy in copies:
        for this, other in ((copy.article_id, copy.other_id), (copy.other_id, copy.article_id)):
            rank = (other == story.canonical_article_id, copy.containment, copy.jaccard)
            if this not in best or best[this][0] < rank:
                best[this] = (rank, copy)
    return {id: copy for id, (_, copy) in best.items() if id != story.canonical_article_id}


def _print(shown: _Shown) -> None:
    _print_head(shown)
    rows = []
    for member in shown.members:
        copy = shown.evidence.get(member.id)
        rows.append(
            (
                "[green]*[/green]" if member.is_canonical else " ",
                f"[cyan]{member.id}[/cyan]",
                when(member.published_at),
                counted(member.word_count, "word"),
                f"{copy.kind}, {copy.containment:.0%} contained" if copy else "",
                as_line(_outlet(member)),
                _title(member, shown),
            )
        )
    print_columns(rows, right=(1, 3), below=2)


def _print_with_changes(shown: _Shown) -> None:
    _print_head(shown)
    for member in shown.members:
        facts = [when(member.published_at), as_line(_outlet(member)), counted(member.word_count, "word")]
        copy = shown.evidence.get(member.id)
        if copy is not None:
            facts += [f"[bold]{copy.kind}[/bold]", f"{copy.jaccard:.0%} similar"]
            facts.append(f"{copy.containment:.0%} contained")
            other = copy.other_id if copy.article_id == member.id else copy.article_id
            if other != shown.story.canonical_article_id:
                facts.append(f"compared with {other}, as no evidence links it to the canonical copy")
        elif member.is_canonical:
            facts.append("[green]the canonical copy[/green]")
        mark = "[green]*[/green]" if member.is_canonical else " "
        out.print()
        print_wrapped(f"{mark} [cyan]{member.id}[/cyan]  {' · '.join(facts)}")
        if not member.is_canonical:
            print_wrapped(f"  {_title(member, shown)}")
            print_changes(shown.changes[member.id])


def _print_head(shown: _Shown) -> None:
    story = shown.story
    agency = f" · {as_line(story.agency)}" if story.agency else ""
    out.print()
    print_wrapped(
        f"[bold]group {story.id}[/bold] · {counted(story.size, 'copy', 'copies')}"
        f" on {counted(story.sites, 'site')}{agency}"
        f" · [bold]{as_line(shown.canonical.title)}[/bold]"
    )


def _outlet(member: StoredArticle) -> str:
    return member.site or member.publisher or PurePath(member.location).name


def _title(member: StoredArticle, shown: _Shown) -> str:
    return as_line(member.title) if member.title != shown.canonical.title else "[dim]same title[/dim]"


def _as_json(shown: _Shown, *, with_text: bool) -> object:
    listed = []
    for member in shown.members:
        row = plain(member)
        if not with_text:
            row.pop("text")
        row["copy"] = plain(shown.evidence.get(member.id))
        if shown.changes:
            row["sentences"] = plain(shown.changes.get(member.id))
        listed.append(row)
    found = {**plain(shown.story), "members": listed}
    return {**found, "pairs": [_plain_pair(pair) for pair in shown.pairs]} if shown.pairs else found
