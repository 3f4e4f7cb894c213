"""Databases filled with articles in batches of any size."""

from __future__ import annotations

import itertools

from sqlalchemy import Engine

from pipeline.document import Article
from pipeline.settings import GroupSettings, Settings
from storage import writer
from tests.storage.news import START

# The window is so small that a handful of copies exceeds it, so that neighbours become separated.
NARROW = Settings(group=GroupSettings(band_window=2))


def fill(engine: Engine, outcomes: list[Article], batches: list[int], using: Settings) -> None:
    run = writer.start_run(engine, "test", START)
    rest = list(outcomes)
    for size in itertools.cycle(batches):
        if not rest:
            return
        counts = writer.write_batch(engine, run, rest[:size], using)
        assert counts.faults == 0
        rest = rest[size:]
