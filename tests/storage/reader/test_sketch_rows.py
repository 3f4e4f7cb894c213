"""Stored signatures become the sketches of the texts, unless another version made them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, update

from pipeline import copies
from pipeline.settings import FingerprintSettings
from storage import reader, schema
from storage.database import DatabaseError
from tests.storage.news import article, store, story

SETTINGS = FingerprintSettings()


def test_sketches_of_stored_articles(engine: Engine) -> None:
    texts = [story(1), story(2), "…"]
    store(engine, [article(f"https://s{n}.example/a", body) for n, body in enumerate(texts)])

    assert reader.sketch(engine, 1) == copies.sketch(texts[0], SETTINGS)
    assert reader.sketch(engine, 3) is None, "it has no word"
    assert reader.sketch(engine, 4) is None, "there is no such article"
    assert dict(reader.sketches(engine)) == {
        id: copies.sketch(text, SETTINGS) for id, text in enumerate(texts[:2], 1)
    }


def test_sketches_of_another_version_are_refused(engine: Engine) -> None:
    store(engine, [article("https://a.example/a", story(1))])
    other = replace(SETTINGS, seed=3).version
    with engine.begin() as connection:
        connection.execute(update(schema.sketch).values(version=f"{other} g1"))
    with pytest.raises(DatabaseError, match=f"version {other}, .* copydesk reprocess --fingerprints"):
        reader.sketch(engine, 1)
    with pytest.raises(DatabaseError, match="reprocess --fingerprints"):
        list(reader.sketches(engine))
