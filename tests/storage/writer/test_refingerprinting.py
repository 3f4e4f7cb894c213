"""Fingerprints of a different version are refused, counted and replaced."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from pipeline.settings import Settings
from storage.database import DatabaseError
from storage.writer.refingerprinting import (
    count_refingerprint,
    other_fingerprints,
    refingerprint_batch,
    require_one_fingerprint,
)
from tests.storage.news import SETTINGS, contents, store, wire

CHANGED = Settings(fingerprint=replace(SETTINGS.fingerprint, seed=2))


def test_fingerprints_of_two_versions_are_not_mixed(engine: Engine) -> None:
    store(engine, wire(12))
    require_one_fingerprint(engine, SETTINGS)
    assert other_fingerprints(engine, CHANGED) == [SETTINGS.index_version]
    with pytest.raises(DatabaseError, match="run copydesk reprocess --fingerprints"):
        require_one_fingerprint(engine, CHANGED)


def test_all_fingerprints_are_replaced_and_groups_stay(engine: Engine) -> None:
    store(engine, wire(12))
    groups = contents(engine)["groups"]
    assert count_refingerprint(engine, SETTINGS) == 0
    assert count_refingerprint(engine, CHANGED) == 12

    made, last = refingerprint_batch(engine, CHANGED, 0)
    while last is not None:
        more, last = refingerprint_batch(engine, CHANGED, last)
        made += more

    assert made == 12
    assert count_refingerprint(engine, CHANGED) == 0
    assert contents(engine)["groups"] == groups
