"""Applies the present rules to stored pages, without fetching them again, and reports what changed.

Documents are processed and written like those of files (`crawler.runs.drive`). What is done is recognised by
the version of the rules that made it, so the same command continues an interrupted run. Each batch is a
transaction in which an article's text, index entry and group change together, so readers need not stop.

A document that fails by the time limit or an internal error stays as it was stored; the next run tries it
again, unless it is in quarantine (`storage.writing.quarantine`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from crawler.runs.changes import Changes, Comparison
from crawler.runs.drive import Progress, drive
from crawler.runs.regrouped import Regrouped, compare_groups
from crawler.workers import Process
from pipeline.settings import Settings
from storage.upkeep import (
    SiteRulesUse,
    count_outdated,
    count_pruned,
    outdated,
    partition,
    renew_site_keys,
    site_rules_use,
)
from storage.writer import BatchCounts, require_one_fingerprint
from storage.writing import Lesson, learn, quarantine, with_learned

if TYPE_CHECKING:
    from storage.database import Engine


@dataclass(frozen=True, slots=True)
class Reprocessed:
    """How a run ended.

    regrouped: None for a dry run, which writes nothing. pruned: texts and rejections of different rules that
    do not change, because their pages were pruned. site_rules: how much the rules of each site are used for
    the stored texts, also of sites that the settings do not have. held: pages in quarantine, which were left
    out. released: documents in quarantine without a stored page, which are tried when they come again.
    """

    run_id: int
    counts: BatchCounts
    is_interrupted: bool
    changes: Changes
    regrouped: Regrouped | None
    pruned: int
    site_rules: list[SiteRulesUse]
    lesson: Lesson | None = None
    held: int = 0
    released: int = 0


def reprocess(
    engine: Engine,
    *,
    workers: int,
    settings: Settings,
    sites: tuple[str, ...] = (),
    since: datetime | None = None,
    quarantined: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    command: str = "reprocess",
    job: str | None = None,
    process: Process | None = None,
) -> Reprocessed:
    """Process stored pages whose outcomes are of different rules; return when everything is committed.

    Articles get the keys that the sites file has for their hosts, whichever rules made them.
    A change of a site's own rules (`Settings.site_rules`), or of the lines learned about it, concerns the
    pages of that site alone.
    sites: only these sites. since: only pages fetched from then on. quarantined: only what is in quarantine,
    which is left out otherwise. dry_run: report what would change, write nothing. For interruption and errors
    see `crawler.runs.drive.drive`. Raises DatabaseError where the database has fingerprints of another
    version than the settings'; then `refingerprint` comes first.
    """
    if not dry_run:
        require_one_fingerprint(engine, settings)
    settings = with_learned(engine, settings)
    rules, own = settings.rules_version, settings.site_rules
    held = quarantine.quarantined_pages(engine, None if quarantined else settings)
    left_out, only = (frozenset[int](), held) if quarantined else (held, None)
    comparison = Comparison()
    before = None if dry_run else partition(engine)
    end = drive(
        engine,
        comparison.reading(
            outdated(engine, rules, site_rules=own, sites=sites, since=since, held=left_out, only=only)
        ),
        workers=workers,
        settings=settings,
        command=None if dry_run else command,
        job=job,
        progress=progress,
        process=process,
        skips_known=False,
        write=comparison.dry_run_write if dry_run else comparison.write,
        expected=count_outdated(
            engine, rules, site_rules=own, sites=sites, since=since, held=left_out, only=only
        ),
    )
    if not (dry_run or end.is_interrupted):
        renew_site_keys(engine, own)
    regrouped = None if before is None else compare_groups(before, partition(engine))
    pruned = 0 if quarantined else count_pruned(engine, rules, site_rules=own, sites=sites, since=since)
    is_released = quarantined and not (dry_run or end.is_interrupted or sites or since)
    return Reprocessed(
        end.run_id,
        end.counts,
        end.is_interrupted,
        comparison.changes,
        regrouped,
        pruned,
        site_rules_use(engine, own),
        None if dry_run or end.is_interrupted else learn(engine, soon=True),
        held=len(left_out),
        released=quarantine.release_unstored(engine) if is_released else 0,
    )
