"""Positions within files: how they are written and addressed, their times, and text that can be stored."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.files.position import FilePosition, plausible_time, printable, valid_text
from pipeline.document import Reason, Stage
from pipeline.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILE = FilePosition("a b.zip", "file:///data/a%20b.zip", "a b.zip", NOW, NOW, Settings(max_body_bytes=500))


def test_a_member_and_a_record_have_locations_and_urls_of_their_own() -> None:
    member = FILE.member("news/3.jsonl", datetime(2025, 1, 2, tzinfo=UTC).timestamp())
    record = member.record(7)
    assert (FILE.location, FILE.url) == ("a b.zip", "file:///data/a%20b.zip")
    assert (record.location, record.name) == ("a b.zip!news/3.jsonl#7", "news/3.jsonl")
    assert record.url == "file:///data/a%20b.zip#!news/3.jsonl%237"
    assert record.fetched_at == datetime(2025, 1, 2, tzinfo=UTC)
    assert record.archive_depth == 1
    assert FILE.record(7).url == "file:///data/a%20b.zip#7"
    assert FILE.member("x", None).fetched_at == NOW


def test_a_rejection_of_a_position() -> None:
    rejection = FILE.record(2).rejection(Reason.UNREADABLE, "\udcff" + "x" * 1000)
    assert (rejection.location, rejection.stage, rejection.reason) == (
        "a b.zip#2",
        Stage.SOURCE,
        Reason.UNREADABLE,
    )
    assert rejection.detail.startswith("\\xffxxx")
    assert len(rejection.detail) == 500
    assert FILE.too_large("the page").detail == "the page is longer than 500 bytes (max_body_bytes)"


@pytest.mark.parametrize(
    ("time", "is_plausible"),
    [
        (datetime(2021, 5, 6, tzinfo=UTC).timestamp(), True),
        (NOW.timestamp(), True),
        (datetime(1980, 1, 1, tzinfo=UTC).timestamp(), False),
        (NOW.timestamp() + 1, False),
        (1e30, False),
        (float("nan"), False),
    ],
)
def test_times_before_the_web_and_in_the_future_are_not_believed(time: float, is_plausible: bool) -> None:
    assert plausible_time(time, NOW) == (datetime.fromtimestamp(time, UTC) if is_plausible else NOW)


def test_names_and_texts_that_can_be_stored() -> None:
    assert printable("é\udcff\0") == "é\\xff\\x00"
    assert valid_text("a\0\ud83d\ude00\ud800b") == "a\U0001f600\ufffdb"
