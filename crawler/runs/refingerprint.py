"""Replaces the fingerprints of stored articles, from their texts, and groups the articles again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crawler.runs.drive import Progress
from crawler.runs.regrouped import Regrouped, compare_groups
from crawler.runs.stopping import stopping
from pipeline.settings import Settings
from storage.upkeep import partition
from storage.writer import BatchCounts, count_refingerprint, refingerprint_batch, refingerprint_revisions

if TYPE_CHECKING:
    from storage.database import Engine


@dataclass(frozen=True, slots=True)
class Refingerprinted:
    """How a run ended. articles: how many got a new fingerprint."""

    articles: int
    is_interrupted: bool
    regrouped: Regrouped


def refingerprint(engine: Engine, *, settings: Settings, progress: Progress | None = None) -> Refingerprinted:
    """Replace the fingerprints that were made with other settings or by another version of Copydesk.

    A few groups in each transaction, so readers never see a group without its copies. SIGINT and SIGTERM end
    the run in order, and the same command continues it.
    """
    before = partition(engine)
    if progress:
        progress.total(count_refingerprint(engine, settings))
    done, after = 0, 0
    is_renewed = False  # whether this pass over the groups replaced any
    with stopping() as is_stopped:
        while not is_stopped():
            count, last = refingerprint_batch(engine, settings, after)
            done += count
            is_renewed |= count > 0
            if progress and count:
                progress.advance(BatchCounts(seen=done, updated=done))
            if last is not None:
                after = last
            elif is_renewed:
                # Another pass: for what was written meanwhile, and for groups that now come before `after`.
                after, is_renewed = 0, False
            else:
                refingerprint_revisions(engine, settings)
                break
        is_interrupted = is_stopped()
    return Refingerprinted(done, is_interrupted, compare_groups(before, partition(engine)))
