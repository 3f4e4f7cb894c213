"""Entries of articles in the index."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine

from pipeline.settings import Settings
from tests.storage.news import SETTINGS, article, cut, store, story, view


def test_stubs_are_not_grouped(engine: Engine) -> None:
    made = [article(f"https://s{n}.example/a", cut(story(1), 0.1), fingerprint=None) for n in range(3)]

    store(engine, made)

    assert {row["size"] for row in view(engine, "story_groups")} == {1}


def test_fingerprints_of_different_versions_share_no_band(engine: Engine) -> None:
    other = Settings(fingerprint=replace(SETTINGS.fingerprint, seed=2))
    one, two = article("https://a.example/1", story(1)), article("https://b.example/1", story(1))
    assert two.fingerprint is not None
    two = replace(two, fingerprint=replace(two.fingerprint, version=other.fingerprint.version))

    store(engine, [one, two])

    assert view(engine, "copies") == []
