"""What a worker answers where a document or a call fails."""

from __future__ import annotations

from typing import NoReturn

import pytest

from crawler.runs.messages import Call, Raised, TaskFailed
from crawler.runs.worker import _call, _process_all, rejection
from pipeline.document import Document, Outcome, Reason, Rejection, Stage
from pipeline.settings import Settings
from tests.crawler.misbehaving import document

SETTINGS = Settings()


def _raise(error: BaseException) -> NoReturn:
    raise error


def _failing(document: Document, settings: Settings) -> Outcome:
    """Does what the document's text says."""
    errors = {b"memory": MemoryError(), b"exit": SystemExit(3), b"fault": ValueError("odd")}
    if document.body in errors:
        raise errors[document.body]
    return rejection(document, settings, Reason.NO_ARTICLE, "")


def test_a_rejection_is_that_of_its_document_with_a_short_detail() -> None:
    made = document("text", 7)
    found = rejection(made, SETTINGS, Reason.TIMEOUT, "x" * 9000)
    assert (found.location, found.url, found.at) == (made.location, made.url, made.fetched_at)
    assert (found.stage, found.reason, found.rules_version) == (
        Stage.WORKER,
        Reason.TIMEOUT,
        SETTINGS.rules_version,
    )
    assert len(found.detail) == 500


def test_whatever_processing_raises_ends_one_document() -> None:
    documents = [document(text, n) for n, text in enumerate(("good", "memory", "exit", "fault", "good"))]
    outcomes = _process_all(_failing, documents, SETTINGS)
    found = [(o.location, o.reason, o.detail) for o in outcomes if isinstance(o, Rejection)]
    assert found == [
        ("doc-0", Reason.NO_ARTICLE, ""),
        ("doc-1", Reason.WORKER_DIED, "out of memory (the worker's limit)"),
        ("doc-2", Reason.INTERNAL_ERROR, "SystemExit: 3"),
        ("doc-3", Reason.INTERNAL_ERROR, "ValueError: odd"),
        ("doc-4", Reason.NO_ARTICLE, ""),
    ]


def test_a_call_has_its_result_or_what_it_raised() -> None:
    assert _call(Call(len, (b"abc",))) == 3
    error = ValueError("not a feed")
    found = _call(Call(_raise, (error,)))
    assert isinstance(found, Raised)
    assert found.error is error


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (MemoryError(), Reason.WORKER_DIED, "out of memory (the worker's limit)"),
        (SystemExit(3), Reason.INTERNAL_ERROR, "SystemExit: 3"),
        (type("Local", (Exception,), {})("cannot be sent"), Reason.INTERNAL_ERROR, "Local: cannot be sent"),
    ],
)
def test_what_cannot_be_raised_again_is_a_failed_task(
    error: BaseException, reason: Reason, detail: str
) -> None:
    found = _call(Call(_raise, (error,)))
    assert isinstance(found, Raised)
    assert isinstance(found.error, TaskFailed)
    assert found.error.args == (reason, detail)
