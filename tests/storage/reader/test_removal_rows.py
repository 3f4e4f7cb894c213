"""What was removed, by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from pipeline.document import Removed
from storage import reader
from tests.storage.news import START, article, store, story


@pytest.fixture
def cleaned(engine: Engine) -> Engine:
    """Ten articles; each lost one line to one rule, and the even ones two more to another."""
    made = []
    for number in range(10):
        lines = [Removed(0, f"Read more {number}", "phrase.en.read-more")]
        if number % 2 == 0:
            lines += [Removed(2, "Share", "phrase.en.share"), Removed(3, "Tweet", "phrase.en.share")]
        made.append(
            replace(article(f"https://a.example/{number}", story(number), START), removed=tuple(lines))
        )
    store(engine, made)
    return engine


def test_rules_by_use(cleaned: Engine) -> None:
    first, second = reader.rules_used(cleaned)
    assert {first.rule, second.rule} == {"phrase.en.read-more", "phrase.en.share"}
    by_rule = {one.rule: (one.lines, one.articles, one.example) for one in (first, second)}
    assert by_rule["phrase.en.read-more"] == (10, 10, "Read more 0")
    assert by_rule["phrase.en.share"] == (10, 5, "Share")


def test_lines_of_a_rule_a_page_at_a_time(cleaned: Engine) -> None:
    found, after = [], None
    while page := reader.lines_of_rule(cleaned, "phrase.en.share", after=after, limit=3):
        found += [(line.article_id, line.text) for _, line in page]
        number, last = page[-1]
        after = last.article_id, number
    assert found == [(id, text) for id in (9, 7, 5, 3, 1) for text in ("Share", "Tweet")]
    assert reader.lines_of_rule(cleaned, "phrase.none") == []
