"""Records between stages can be sent to workers and back, and reasons are faults or not."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import UTC, datetime

import pytest

from pipeline.document import Claims, Document, DocumentRejected, MediaType, Origin, Reason, Rejection, Stage

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
DOCUMENT = Document(
    location="pages.jsonl#3",
    url="https://courier.example/1",
    body=b"\x00\xff<p>",
    media_type=MediaType.HTML,
    fetched_at=AT,
    origin=Origin.JSONL,
    claims=Claims(title="Board votes", authors=("Ada Brennick",)),
)


def test_records_are_equal_after_they_were_sent_to_a_worker_and_back() -> None:
    rejection = Rejection("a", None, Stage.SOURCE, Reason.EMPTY, "0 bytes", AT, "1-0")
    for record in (DOCUMENT, rejection):
        assert pickle.loads(pickle.dumps(record)) == record


def test_records_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DOCUMENT.url = "https://courier.example/2"  # type: ignore[misc]


def test_only_errors_of_the_program_are_faults() -> None:
    assert {reason for reason in Reason if reason.is_fault} == {Reason.INTERNAL_ERROR, Reason.STORAGE_ERROR}


def test_a_rejection_has_its_stage_and_reason() -> None:
    error = DocumentRejected(Stage.CLEAN, Reason.NO_ARTICLE, "nothing left")
    assert (error.stage, error.reason, error.detail) == (Stage.CLEAN, Reason.NO_ARTICLE, "nothing left")
    assert str(error) == "clean: no article: nothing left"
