"""What two stored articles share in the index."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from pipeline.copies import fingerprint, is_winnowed
from pipeline.settings import Settings
from storage.writing.groups import SharedBands, shared_bands
from tests.storage.news import SETTINGS, START, article, store, story

PRINTS = SETTINGS.fingerprint
NEAR, FAR = PRINTS.bands + PRINTS.lead_bands, PRINTS.far_bands + PRINTS.far_lead_bands
PRINT = fingerprint(story(1), PRINTS)
WINNOWED = sum(map(is_winnowed, PRINT.bands)) if PRINT else 0


def shared(engine: Engine, one: int, other: int, settings: Settings = SETTINGS) -> SharedBands | None:
    with engine.connect() as connection:
        return shared_bands(connection, (one, other), settings)


def test_the_same_text_shares_every_band(engine: Engine) -> None:
    store(
        engine,
        [article(f"https://s{n}.example/a", text) for n, text in enumerate([story(1)] * 2 + [story(2)])],
    )
    assert shared(engine, 1, 2) == SharedBands(NEAR, WINNOWED, FAR, 0, PRINTS.num_perm, PRINTS.num_perm, True)
    other = shared(engine, 1, 3)
    assert other is not None
    assert (other.near, other.winnowed, other.far, other.is_candidate) == (0, 0, 0, False)


def test_near_bands_end_with_time_and_far_ones_do_not(engine: Engine) -> None:
    later = START + timedelta(days=9)
    store(engine, [article("https://a.example/a", story(1)), article("https://b.example/a", story(1), later)])
    assert shared(engine, 1, 2) == SharedBands(
        0, 0, FAR, NEAR + WINNOWED, PRINTS.num_perm, PRINTS.num_perm, True
    )


def test_articles_between_two_part_them(engine: Engine) -> None:
    narrow = replace(SETTINGS, group=replace(SETTINGS.group, band_window=2))
    times = [START + timedelta(minutes=n) for n in range(4)]
    store(engine, [article(f"https://s{n}.example/a", story(1), at) for n, at in enumerate(times)])
    found = shared(engine, 1, 4, narrow)
    assert found == SharedBands(0, 0, 0, NEAR + WINNOWED + FAR, PRINTS.num_perm, PRINTS.num_perm, False)
    assert shared(engine, 1, 3, narrow) == SharedBands(
        NEAR, WINNOWED, FAR, 0, PRINTS.num_perm, PRINTS.num_perm, True
    )


def test_what_has_no_signature_shares_nothing(engine: Engine) -> None:
    store(engine, [article("https://a.example/a", story(1)), article("https://b.example/a", "…")])
    assert shared(engine, 1, 2) is None
