"""`pipeline.batch` makes of all articles at once what the writer makes of them in any order and batches."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from pipeline.copies import LOOKED_AT
from pipeline.settings import GroupSettings, Settings
from storage.database import open_database
from tests.storage.news import SETTINGS, article, story, wire
from tests.storage.worlds import Grouping, grouped, stored, stories_of, world
from tests.storage.writing.groups.filling import NARROW, fill


@pytest.fixture(scope="module")
def template(sqlite_template: Path) -> Path:
    return sqlite_template


def compared(engine: Engine, using: Settings, **sizes: int) -> Grouping:
    """What the database has, after all of it was compared with what the batch functions make."""
    with engine.connect() as connection:
        stories = stories_of(connection)
    found, made = stored(engine), grouped(stories, using, **sizes)
    assert made.signatures == found.signatures
    assert made.bands == found.bands
    assert made.pairs == found.pairs
    assert made.groups == found.groups
    return found


@settings(max_examples=16, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    order=st.randoms(use_true_random=False),
    batches=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    window=st.sampled_from([1, 2, 16]),
    factor=st.sampled_from([1, 4, 30]),
    slice=st.sampled_from([3, 50, 1 << 18]),
    buckets=st.integers(1, 5),
    bundle=st.sampled_from([1, 4, 1 << 18]),
)
def test_any_world_in_any_order_gives_the_same_rows(
    template: Path,
    seed: int,
    order: random.Random,
    batches: list[int],
    window: int,
    factor: int,
    slice: int,
    buckets: int,
    bundle: int,
) -> None:
    using = Settings(group=GroupSettings(band_window=window))
    made = world(32, seed, factor)
    # Some are revised, into a different story.
    made += [article(made[n].url, story(seed + n), made[n].page.fetched_at) for n in range(0, 32, 9)]
    order.shuffle(made)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.db"
        shutil.copyfile(template, path)
        engine = open_database(f"sqlite:///{path}")
        fill(engine, made, batches, using)
        compared(engine, using, slice=slice, buckets=buckets, bundle=bundle)
        engine.dispose()


def test_both_databases_have_these_rows(engine: Engine) -> None:
    made = world(64, 5, 1)
    fill(engine, made, [50], NARROW)
    found = compared(engine, NARROW, slice=100, buckets=3, bundle=10)
    sizes = Counter(group for _, group, _ in found.groups)
    # The world has what it is for: pairs that do not join, texts that hold others, groups of many.
    assert any(row[-1] for row in found.pairs)
    assert any(row[-2] for row in found.pairs)
    assert max(sizes.values()) > 5


def test_a_thousand_near_copies_give_the_same_rows(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "crowds.db"
    shutil.copyfile(template, path)
    engine = open_database(f"sqlite:///{path}")
    made = {one.url: one for one in [*wire(1000, seed=3, stories=5), *world(96, 4, 1)]}
    fill(engine, list(made.values()), [400], SETTINGS)

    found = compared(engine, SETTINGS, slice=9000, buckets=3, bundle=2000)

    sizes = Counter(group for _, group, _ in found.groups)
    assert max(sizes.values()) > 2 * LOOKED_AT
    assert len(found.pairs) > 20_000
    engine.dispose()
