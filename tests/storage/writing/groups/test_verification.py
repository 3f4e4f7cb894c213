"""Pairs and their evidence."""

from __future__ import annotations

from sqlalchemy import Engine

from storage import reader
from tests.storage.news import article, cut, store, story


def test_pairs_carry_their_evidence_once(engine: Engine) -> None:
    text = story(1)
    store(engine, [article("https://a.example/1", text), article("https://b.example/1", cut(text, 0.5))])

    [pair] = reader.copies(engine, 1)
    assert reader.copies(engine, 2) == [pair]
    assert (pair.article_id, pair.other_id, pair.kind) == (1, 2, "partial")
    assert 0.3 < pair.jaccard < 0.7 < pair.containment <= 1
