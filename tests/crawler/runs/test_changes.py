"""Changes of stored documents: kinds of difference, and documents without any."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from crawler.runs.changes import ChangeKind, Changes, Comparison
from pipeline.document import Outcome, Reason, Rejection, Removed, RightsStatement
from pipeline.settings import Settings
from storage.upkeep import outdated
from tests.storage.news import article, rejection, store, story

LOCATION = "https://outlet.example/1"


def changes_of(engine: Engine, outcome: Outcome) -> Changes:
    """The changes that a dry run finds if the only stored page has this outcome."""
    comparison = Comparison()
    assert len(list(comparison.reading(outdated(engine, "rules of tomorrow")))) == 1
    counts = comparison.dry_run_write(engine, 0, [outcome], Settings())
    assert counts.seen == 1
    return comparison.changes


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, set()),
        ({"text": story(2)}, {ChangeKind.TEXT}),
        ({"title": "Another headline"}, {ChangeKind.TITLE}),
        ({"language": "de", "authors": ("A. Writer",)}, {ChangeKind.METADATA}),
        ({"rights": (RightsStatement("robots", "noai", "meta", None, True),)}, {ChangeKind.METADATA}),
        ({"rights": None}, {ChangeKind.METADATA}),
        ({"removed": (Removed(0, "Read more", "another.rule"),)}, {ChangeKind.REMOVED}),
        ({"text": story(2), "title": "Another headline"}, {ChangeKind.TEXT, ChangeKind.TITLE}),
    ],
)
def test_an_article_that_differs(engine: Engine, change: dict[str, object], kinds: set[ChangeKind]) -> None:
    stored = article(LOCATION, story(1))
    store(engine, [stored])
    found = changes_of(engine, replace(stored, **change))  # type: ignore[arg-type]
    assert set(found.counts) == {sample.what for sample in found.samples} == kinds
    assert found.documents == bool(kinds)
    assert set(found.fields) == set(change) & {"language", "authors", "rights"}


def test_an_article_that_is_rejected_now(engine: Engine) -> None:
    stored = article(LOCATION, story(1))
    store(engine, [stored])
    found = changes_of(engine, rejection(LOCATION))
    assert set(found.counts) == {ChangeKind.REFUSED}


def test_a_failure_changes_nothing(engine: Engine) -> None:
    store(engine, [article(LOCATION, story(1))])
    failed = rejection(LOCATION, reason=Reason.TIMEOUT)
    assert isinstance(failed, Rejection)
    found = changes_of(engine, failed)
    assert (found.documents, set(found.counts)) == (0, {ChangeKind.FAILED})
    assert found.reasons == {Reason.TIMEOUT: 1}
