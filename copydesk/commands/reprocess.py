"""`copydesk reprocess`: applies the present rules to the stored pages, without fetching them again."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from copydesk.options import DEFAULT_DATABASE, Database, Json, OldSince, Site, SiteRulesFile
from copydesk.status import Status
from copydesk.terminal import (
    as_line,
    err,
    given_command,
    out,
    print_changes,
    print_json,
    print_lesson,
    print_site_rules,
    print_summary,
    watching,
)
from copydesk.times import TIME, TIME_HELP, parse_since
from pipeline.counts import counted
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from crawler.runs import Changes, ChangeSample, Regrouped
    from storage.database import Engine

# Number of sentences that are shown of a sample's text.
_SENTENCES = 4


def reprocess(
    db: Database = DEFAULT_DATABASE,
    site: Site = None,
    fetched_since: Annotated[
        str | None,
        typer.Option(metavar=TIME, help=f"Pages fetched since then: {TIME_HELP}."),
    ] = None,
    since: OldSince = None,
    sites_file: SiteRulesFile = None,
    quarantined: Annotated[
        bool,
        typer.Option(
            "--quarantined",
            help="Only pages that hung or killed their worker twice, which are not tried otherwise.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write nothing.")
    ] = False,
    fingerprints: Annotated[
        bool,
        typer.Option(
            "--fingerprints",
            help="Only compute fingerprints of another version again, from stored texts.",
        ),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; one a core if not given.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Apply the present rules to stored pages that were processed with older rules.

    Shows what changed, with samples. Nothing is fetched, and readers do not wait. The same command continues
    an interrupted run. A page that reaches the time limit or meets an internal error does not change. Exits
    with 1 if there was such an error, with 130 if interrupted.

    A page that hung or killed its worker twice is left out until rules or code change (copydesk stats
    --quarantine). --quarantined tries these pages, and no others, and lets in those that are not stored when
    they come again.

    The pages of a site are also processed again if its rules in the sites file changed, or if its learned
    lines did. Pages that were processed with rules of a site do not change if the sites file does not name
    that site.

    --fingerprints is for a database whose fingerprints are of another version or of different settings.
    ingest and crawl refuse to add to it, because they would not find copies among articles of both versions.
    """
    from copydesk.named_sites import hosts_named
    from crawler.runs import reprocess as run
    from crawler.sites import read_rulebook
    from pipeline.settings import Settings
    from storage.database import open_database

    if since is not None:
        raise OperatorError(
            "--since means when an article was published;"
            f" for when it was fetched, write --fetched-since {since}"
        )
    if fingerprints and (site or fetched_since or quarantined):
        raise OperatorError(
            "--fingerprints is for the whole database: leave out --site, --fetched-since and --quarantined"
        )
    fetched = None if fetched_since is None else parse_since(fetched_since)
    engine = open_database(db, create=False)
    if fingerprints:
        _refingerprint(engine, dry_run, json)
        return
    words = [
        "reprocess",
        *(["--site", site] if site else []),
        *(["--fetched-since", fetched_since] if fetched_since else []),
    ]
    words += ["--quarantined"] if quarantined else []
    with watching("reprocessing") as progress:
        done = run(
            engine,
            workers=workers or os.cpu_count() or 1,
            settings=Settings(site_rules=read_rulebook(sites_file)),
            sites=() if site is None else hosts_named(engine, site, sites_file),
            since=fetched,
            quarantined=quarantined,
            dry_run=dry_run,
            progress=progress,
            command=given_command(),
            job=shlex.join(words),
        )
    if json:
        print_json(
            {
                "run": done.run_id or None,
                "interrupted": done.is_interrupted,
                "counts": done.counts,
                "changes": done.changes,
                "regrouped": done.regrouped,
                "pruned": done.pruned,
                "held": done.held,
                "released": done.released,
                "site_rules": done.site_rules,
                "lesson": done.lesson,
            }
        )
    else:
        _print(done.changes, done.counts.seen, dry_run)
        if done.regrouped:
            _print_regrouped(done.regrouped)
        if done.pruned:
            err.print(
                f"{counted(done.pruned, 'document')} of older rules did not change: the pages were pruned"
            )
        if done.held:
            err.print(
                f"{counted(done.held, 'page is', 'pages are')} in quarantine and"
                " not tried (copydesk stats --quarantine)"
            )
        if done.released:
            err.print(
                f"{counted(done.released, 'document')} left quarantine without a stored page, and will be"
                " tried when fetched or ingested again"
            )
        print_site_rules(done.site_rules)
        if dry_run:
            err.print("a dry run: nothing was written, and no copies were looked for")
        else:
            print_summary(done.counts)
            print_lesson(done.lesson)
    _leave(done.is_interrupted, dry_run)
    if done.counts.faults:
        raise typer.Exit(Status.FAULTS)


def _refingerprint(engine: Engine, dry_run: bool, json: bool) -> None:
    from crawler.runs import refingerprint
    from pipeline.settings import Settings
    from storage.writer import count_refingerprint, other_fingerprints

    settings = Settings()
    versions = other_fingerprints(engine, settings)
    if dry_run:
        count = count_refingerprint(engine, settings)
        if json:
            print_json({"articles": count, "versions": versions, "version": settings.index_version})
        else:
            out.print(f"{counted(count, 'article has', 'articles have')} fingerprints of another version")
        return
    with watching("fingerprinting") as progress:
        done = refingerprint(engine, settings=settings, progress=progress)
    if json:
        print_json(done)
    else:
        out.print(
            f"{counted(done.articles, 'article')} got new fingerprints, of version {settings.index_version}"
        )
        _print_regrouped(done.regrouped)
    _leave(done.is_interrupted, False)


def _leave(is_interrupted: bool, dry_run: bool) -> None:
    if is_interrupted:
        err.print(
            "interrupted" if dry_run else "interrupted: what was done is stored; run the same command again"
        )
        raise typer.Exit(Status.INTERRUPTED)


def _print(changes: Changes, seen: int, dry_run: bool) -> None:
    from crawler.runs import ChangeKind

    would = "would change" if dry_run else "changed"
    out.print(f"[bold]{changes.documents:,} of {counted(seen, 'page')} {would}[/bold]")
    for what in ChangeKind:
        count = changes.counts[what]
        if not count:
            continue
        of: list[tuple[str, int]] = []
        if what is ChangeKind.METADATA:
            of = changes.fields.most_common()
        elif what is ChangeKind.FAILED:
            of = [(reason.value, n) for reason, n in changes.reasons.most_common()]
        detail = f" ({', '.join(f'{name} {n:,}' for name, n in of)})" if of else ""
        out.print(f"\n[bold]{what}[/bold]: {count:,}{detail}")
        for sample in changes.samples:
            if sample.what is what:
                _print_sample(sample)


def _print_sample(sample: ChangeSample) -> None:
    from crawler.runs import ChangeKind
    from pipeline.copies import compare

    id = f"[cyan]{sample.article_id}[/cyan]  " if sample.article_id else ""
    out.print(f"  {id}{as_line(sample.location)}")
    if sample.what is ChangeKind.REMOVED:
        gone, new = sample.before.splitlines(), sample.after.splitlines()
        lines = [f"[red]- {as_line(line)}[/red]" for line in gone if line not in new]
        lines += [f"[green]+ {as_line(line)}[/green]" for line in new if line not in gone]
        for line in lines[:_SENTENCES] or ["the same lines, in different places"]:
            out.print(f"    {line}")
        if len(lines) > _SENTENCES:
            out.print(f"      [dim]and {len(lines) - _SENTENCES} more[/dim]")
    elif sample.what is ChangeKind.TEXT:
        print_changes(compare(sample.before, sample.after), most=_SENTENCES)
    elif sample.what is ChangeKind.FAILED:
        out.print(f"    {as_line(sample.after)}")
    else:
        name = f"{sample.field}: " if sample.field else ""
        before, after = (as_line(value) or "[dim]none[/dim]" for value in (sample.before, sample.after))
        out.print(f"    {name}[red]{before}[/red] → [green]{after}[/green]")


def _print_regrouped(regrouped: Regrouped) -> None:
    out.print(
        f"\n{counted(regrouped.articles, 'article')} changed group;"
        f" groups with copies: {regrouped.before:,} before, {regrouped.after:,} now"
    )
