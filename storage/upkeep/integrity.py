"""Checks that the stored rows are consistent (`copydesk db check`), and repairs what follows from others.

A check is a function that yields one line for each fault, so a database with a million faults takes no more
memory than one with none. All checks read one snapshot, so a crawl that writes meanwhile is no fault. What
is only derived (index, groups, search, counters, references to deleted rows) can be repaired. A repair works
from what is stored when it runs, in transactions of its own, and says how many things it corrected. A text
that is gone cannot be made again; then the finding says what an operator can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from pipeline.errors import OperatorError
from storage.database import DatabaseError, explain
from storage.upkeep.check_file import drop_lost_references, find_damage, find_lost_references, reindex
from storage.upkeep.check_groups import (
    drop_wrong_pairs,
    find_wrong_canonical,
    find_wrong_cuts,
    find_wrong_groups,
    find_wrong_pairs,
    mend_cuts,
    mend_groups,
)
from storage.upkeep.check_index import (
    drop_unused_versions,
    find_unused_versions,
    find_wrong_bands,
    mend_bands,
)
from storage.upkeep.check_records import (
    find_forgotten,
    find_late_counters,
    find_wrong_changes,
    find_wrong_runs,
    find_wrong_search,
    mend_changes,
    mend_counters,
    mend_search,
)
from storage.upkeep.check_texts import (
    bring_back,
    drop_orphaned_pages,
    drop_textless_documents,
    find_gone_too_early,
    find_orphaned_pages,
    find_textless_documents,
    find_ungiven_texts,
    find_wrong_revisions,
    mend_revisions,
)
from storage.upkeep.checks import Check, Finding
from storage.watching import find_watch_faults, mend_watch_faults
from storage.writing import learning


def _nobody(_: str) -> None:
    pass


# Faults of one kind that are shown, and signatures whose bands are looked up together.
SAMPLES = 5


def check_integrity(
    engine: Engine, *, only: Iterable[str] | None = None, began: Callable[[str], None] = _nobody
) -> list[Finding]:
    """The finding of every check, in order; its `count` is 0 if all is well. Changes nothing.

    only: the names of some checks; OperatorError for an unknown one. began: called with each name in turn.
    """
    wanted = None if only is None else set(only)
    unknown = (wanted or set()) - {one.name for one in _CHECKS}
    if unknown:
        names = ", ".join(one.name for one in _CHECKS)
        raise OperatorError(f"there is no check {', '.join(sorted(unknown))}: the checks are {names}")
    found = []
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":  # on SQLite a transaction always is
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        for one in _CHECKS:
            if wanted is None or one.name in wanted:
                began(one.name)
                found.append(_found(engine, connection, one))
    return found


def repair_faults(
    engine: Engine, findings: Sequence[Finding], *, began: Callable[[str], None] = _nobody
) -> list[Finding]:
    """Repairs what can be repaired, then checks again: what is left, and how much was corrected.

    findings: from `check_integrity`. What is left could not be repaired, or was written in the meantime.
    """
    mended: dict[str, int] = {}
    left = list(findings)
    # What is mended first may show what else is wrong: an index entry of a signature that had no article.
    while faulty := {f.check for f in left if f.count and f.can_mend} - mended.keys():
        for one in _CHECKS:
            if one.name in faulty and one.mend is not None:
                began(f"mending: {one.name}")
                try:
                    mended[one.name] = one.mend(engine)
                except (DatabaseError, DBAPIError):  # a damaged file: the next look at it says how
                    mended[one.name] = 0
        left = check_integrity(engine, only=[finding.check for finding in findings], began=began)
    return [replace(finding, mended=mended.get(finding.check, 0)) for finding in left]


def _found(engine: Engine, connection: Connection, one: Check) -> Finding:
    count = 0
    samples: list[str] = []
    savepoint = connection.begin_nested()
    try:
        for line in one.find(connection):
            count += 1
            if len(samples) < SAMPLES:
                samples.append(line)
        savepoint.commit()
    except DBAPIError as error:
        savepoint.rollback()
        count, samples = count + 1, [*samples[: SAMPLES - 1], explain(error, engine)]
    return Finding(one.name, one.says, count, tuple(samples), one.mend is not None, one.advice)


# In this order they are mended: what refers to nothing goes before what is derived from what is left.
_CHECKS = (
    Check(
        "file",
        "SQLite's own check of the file finds nothing",
        find_damage,
        reindex,
        "restore a backup, or try sqlite3 FILE .recover",
    ),
    Check(
        "references",
        "what a row refers to is there",
        find_lost_references,
        drop_lost_references,
        "a text without its article, or a rejection without its run, is not made again: restore a backup",
    ),
    Check(
        "revisions",
        "an article has as many texts as it says",
        find_wrong_revisions,
        mend_revisions,
    ),
    Check(
        "documents",
        "the text that a document gave is there",
        find_textless_documents,
        drop_textless_documents,
    ),
    Check(
        "texts",
        "every text was given by a document",
        find_ungiven_texts,
        advice="they stay as they are, and are matched to their documents when these are ingested again",
    ),
    Check("gone articles", "an article that is gone was not fetched since", find_gone_too_early, bring_back),
    Check("pages", "every page is that of a text or a rejection", find_orphaned_pages, drop_orphaned_pages),
    Check(
        "fingerprint versions",
        "every version of fingerprints but today's is some article's",
        find_unused_versions,
        drop_unused_versions,
    ),
    Check(
        "bands",
        "the index has exactly the rows of the signatures",
        find_wrong_bands,
        mend_bands,
        "run copydesk reprocess --fingerprints after restoring the signatures from a backup",
    ),
    Check("pairs", "pairs are in order, of a known kind and measure", find_wrong_pairs, drop_wrong_pairs),
    Check(
        "bridges",
        "pairs join groups unless one of the two holds several stories",
        find_wrong_cuts,
        mend_cuts,
    ),
    Check(
        "groups",
        "groups are what the pairs hold together, each named by its smallest id",
        find_wrong_groups,
        mend_groups,
    ),
    Check("canonical copies", "every group has exactly one", find_wrong_canonical, mend_groups),
    Check("search", "full-text search has every article as it is", find_wrong_search, mend_search),
    Check("changes", "every article has its last change", find_wrong_changes, mend_changes),
    Check("counters", "no id is given out twice", find_late_counters, mend_counters),
    Check(
        "learning",
        "what was learned of sites is what their articles show",
        learning.find_learning_faults,
        learning.learn_anew,
    ),
    Check(
        "watchlists",
        "watchlists can be read, and matched articles that are there",
        find_watch_faults,
        mend_watch_faults,
        "copydesk watch edit corrects a watchlist",
    ),
    Check(
        "runs",
        "the counts of every run add up",
        find_wrong_runs,
        advice="what a run counted is not known any more: take its figures as lost",
    ),
    Check(
        "tombstones",
        "nothing that was forgotten is stored",
        find_forgotten,
        advice="run copydesk forget for it again",
    ),
)
