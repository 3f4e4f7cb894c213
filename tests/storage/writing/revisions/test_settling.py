"""The effect of an outcome on stored articles, decided in memory without a database."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.document import Outcome, Reason
from storage.base import UnstorableError
from storage.schema import to_second
from storage.writing.revisions import PendingBatch, index_changes, settle
from tests.storage.news import START, article, page, rejection, retold

URL = "https://a.example/ferry"
HOUR = timedelta(hours=1)


def settled(outcomes: Sequence[Outcome]) -> tuple[PendingBatch, list[str]]:
    batch = PendingBatch(next_article=1, next_page=1)
    return batch, [settle(batch, outcome, run_id=1) for outcome in outcomes]


def texts(batch: PendingBatch) -> dict[str, tuple[str, set[str]]]:
    """By URL the current text, and all texts."""
    return {
        one.url: (one.current.columns["text"], {text.columns["text"] for text in one.texts.values()})
        for one in batch.articles.values()
        if one.texts
    }


def test_a_second_text_is_a_revision_and_the_one_fetched_last_is_current() -> None:
    first, second = article(URL, "It sails.", START), article(URL, "It sails again.", START + HOUR)

    for order in ([first, second], [second, first]):
        batch, ends = settled(order)
        assert ends == ["stored", "revised"]
        assert texts(batch) == {URL: ("It sails again.", {"It sails.", "It sails again."})}


def test_the_same_document_again_changes_nothing() -> None:
    made = article(URL, "It sails.", START)
    batch, ends = settled([made, made])

    assert ends == ["stored", "unchanged"]
    assert batch.counts == {"stored": 1, "unchanged": 1}


def test_the_same_text_of_different_bytes_is_no_revision() -> None:
    again = article(URL, "It sails.", START + HOUR, body="<p>It sails.</p>")
    batch, ends = settled([article(URL, "It sails.", START), again])

    assert ends == ["stored", "unchanged"]
    assert len(batch.documents) == 2


def test_different_rules_change_a_text_in_place() -> None:
    made = article(URL, "It sails.", START)
    batch, ends = settled([made, retold(made, "It sails again.", rules_version="later")])

    assert ends == ["stored", "updated"]
    assert texts(batch) == {URL: ("It sails again.", {"It sails again."})}


def test_different_rules_may_find_a_different_url_and_then_the_old_article_is_gone() -> None:
    made = article(URL, "It sails.", START)
    moved = replace(made, url="https://a.example/other", rules_version="later")
    batch, ends = settled([made, moved])

    assert ends == ["stored", "updated"]
    assert set(texts(batch)) == {"https://a.example/other"}
    assert [one.story.url for one in index_changes(batch).entered] == ["https://a.example/other"]


def test_the_bytes_that_gave_a_text_are_rejected_by_different_rules() -> None:
    made = article(URL, "It sails.", START)
    refused = rejection(URL, START, page=made.page, rules_version="later")
    batch, ends = settled([made, refused])

    assert ends == ["stored", "rejected"]
    assert texts(batch) == {}
    assert batch.rejections[URL]["reason"] == Reason.NO_ARTICLE


def test_a_rejection_of_different_bytes_leaves_the_article() -> None:
    batch, ends = settled([article(URL, "It sails.", START), rejection(URL, START + HOUR)])

    assert ends == ["stored", "rejected"]
    assert set(texts(batch)) == {URL}


def test_a_rejection_older_than_the_article_does_not_count() -> None:
    batch, ends = settled([article(URL, "It sails.", START + HOUR), rejection(URL, START)])

    assert ends == ["stored", "unchanged"]
    assert batch.rejections == {}


def test_a_later_article_replaces_the_rejection_of_its_location() -> None:
    batch, ends = settled([rejection(URL, START), article(URL, "It sails.", START + HOUR)])

    assert ends == ["rejected", "stored"]
    assert batch.rejections == {}


@pytest.mark.parametrize(
    ("reason", "again"), [(Reason.NO_ARTICLE, "unchanged"), (Reason.TIMEOUT, "rejected")]
)
def test_the_same_failure_counts_again_only_if_it_is_tried_again(reason: Reason, again: str) -> None:
    made = rejection(URL, START, reason=reason)

    assert settled([made, made])[1] == ["rejected", again]


def test_a_failure_after_a_success_with_the_same_rules_is_ignored() -> None:
    made = article(URL, "It sails.", START)
    failed = rejection(URL, START, page=made.page, reason=Reason.TIMEOUT, rules_version=made.rules_version)
    batch, ends = settled([made, failed])

    assert ends == ["stored", "unchanged"]
    assert set(texts(batch)) == {URL}


def test_a_page_that_the_server_no_longer_has_marks_its_article_as_gone_until_it_is_back() -> None:
    gone = rejection(URL, START + HOUR, page=None, is_gone=True, reason=Reason.UNREACHABLE)
    batch, _ = settled([article(URL, "It sails.", START), gone])
    assert batch.articles[1].gone_at == to_second(START + HOUR)

    settle(batch, article(URL, "It sails.", START + 2 * HOUR, body="<p>back"), run_id=1)
    assert batch.articles[1].gone_at is None


def test_the_bytes_of_a_forgotten_document_are_not_kept() -> None:
    batch, _ = settled([rejection(URL, START, reason=Reason.FORGOTTEN, page=page("x", START, URL))])

    assert batch.rejections[URL]["digest"] is not None
    assert batch.rejected_pages == {}


def test_an_article_that_cannot_be_stored_is_an_error() -> None:
    with pytest.raises(UnstorableError, match="agency of 301 characters"):
        settled([article(URL, "It sails.", START, agency="x" * 301)])


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_arrival_makes_no_difference(seed: int) -> None:
    chance = random.Random(seed)
    made: list[Outcome] = [
        article(f"https://a.example/{chance.randrange(2)}", f"Text {chance.randrange(3)}.", START + n * HOUR)
        for n in range(6)
    ]
    shuffled = chance.sample(made, len(made))

    assert texts(settled(made)[0]) == texts(settled(shuffled)[0])
