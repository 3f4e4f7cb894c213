"""Fingerprints are read back as they were stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sqlalchemy import Engine, select

from pipeline import copies
from pipeline.copies.candidates import row_key
from storage import schema
from storage.writing.revisions import load_fingerprints
from tests.storage.news import SETTINGS, START, article, store, story

STORY = copies.ArticleCopy(id=1, url="", title="", text="", fetched_at=START)


def test_stored_keys_give_the_fingerprint_back(engine: Engine) -> None:
    made = article("https://a.example/1", story(1))
    assert made.fingerprint is not None
    assert made.published_at is not None
    position = copies.order_key(replace(STORY, url=made.url, published_at=made.published_at))
    store(engine, [made])

    with engine.connect() as connection:
        [(id, found)] = load_fingerprints(connection, [1]).items()
        rows = connection.execute(select(schema.band.c.key, schema.band.c.position)).all()
    assert id == 1
    assert (found.version, found.signature) == (made.fingerprint.version, made.fingerprint.signature)
    assert set(found.bands) == set(made.fingerprint.bands)
    bands = copies.salted(np.array(found.bands), SETTINGS.index_version).tolist()
    assert {tuple(row) for row in rows} == {(row_key(b, position), position) for b in bands}
