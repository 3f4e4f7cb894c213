"""Pages with a known result must not become worse.

See tests/quality.py for the measures and for how a floor is changed.
"""

from __future__ import annotations

import pytest

from tests.quality import Report, breaches, is_ceiling, lost_sentences, measure, read_floors


@pytest.fixture(scope="module")
def report() -> Report:
    return measure()


def test_no_measure_is_under_its_floor(report: Report) -> None:
    found = breaches(report.measures, read_floors())
    assert not found, "\n".join(["", *found, "", *report.notes])


def test_articles_are_stored_and_different_pages_are_rejected(report: Report) -> None:
    """Bounds that no pinned floor may undercut."""
    assert report.measures["articles_rejected_wrong"] <= 0.01
    assert report.measures["others_rejected"] >= 0.95


def test_a_worse_measure_is_a_breach_and_so_is_a_missing_one() -> None:
    floors = {"text_f1": 0.9, "clutter_left": 0.1, "gone": 0.5}
    assert breaches({"text_f1": 0.9, "clutter_left": 0.1, "gone": 0.6}, floors) == []
    found = breaches({"text_f1": 0.89, "clutter_left": 0.11, "new": 1.0}, floors)
    assert [f.partition(":")[0] for f in found] == ["new", "gone", "clutter_left", "text_f1"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("examples.text_f1", False), ("examples.clutter_left", True), ("articles_rejected_wrong", True)],
)
def test_the_name_of_a_measure_says_whether_less_is_better(name: str, expected: bool) -> None:
    assert is_ceiling(name) is expected


def test_a_sentence_counts_as_lost_only_where_its_words_are_missing() -> None:
    true = 'He left. "Nobody saw it," she said.\nThe end came at 9.30 p.m. on Friday.'
    assert (
        lost_sentences(true, "He left. “Nobody saw it”, she said. The end came at 9.30 p.m. on Friday.") == []
    )
    assert lost_sentences(true, "He left. The end came at 9.30 p.m. on Friday.") == [
        '"Nobody saw it," she said.'
    ]
