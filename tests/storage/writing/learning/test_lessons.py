"""Learned lines are derived from the stored articles, however these were stored."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from pipeline.copies.fingerprint import fingerprint
from pipeline.document import Article, Block, BlockKind
from pipeline.sites.learned_lines import remove_learned_lines
from storage import reader, schema, writer
from storage.database import begin_write
from storage.upkeep import ForgetTarget, forget_targets
from storage.writing.learning import Lesson, learn, lessons, sightings, site_lines, try_learning, with_learned
from tests.storage.news import SETTINGS, START, store
from tests.storage.writing.learning.told import FURNITURE, SITE, anew, id_of, lines_of, state, told


def processed(engine: Engine, made: Article) -> Article:
    """The article that the pipeline makes of the same page with the present learned lines."""
    learned = with_learned(engine, SETTINGS).site_rules.learned_of(made.site)
    if learned is None:
        return made
    blocks = [(n, Block(BlockKind.PARAGRAPH, line)) for n, line in enumerate(made.text.split("\n"))]
    kept, removed = remove_learned_lines(blocks, learned)
    places = [position for position, _ in kept]
    text = "\n".join(block.text for _, block in kept)
    return replace(
        made,
        text=text,
        removed=tuple(replace(r, position=sum(p < r.position for p in places)) for r in removed),
        fingerprint=fingerprint(text, SETTINGS.fingerprint),
        rules_version=f"{SETTINGS.rules_version}~{learned.version}",
    )


def test_removing_lines_does_not_unlearn_them(engine: Engine) -> None:
    """Learn, reprocess, learn: nothing changes in any round, and new articles meanwhile count."""
    made = [told(n, "Read by the harbour", FURNITURE) for n in range(6)]
    store(engine, made)
    learn(engine)
    before = state(engine)
    for _ in range(3):
        store(engine, [processed(engine, one) for one in made])
        shown = reader.article_by_url(engine, made[0].url)
        assert shown is not None
        assert FURNITURE not in shown.text
        (removed, _) = reversed(reader.removed(engine, shown.id))
        assert (removed.text, removed.rule) == (FURNITURE, "site.learned seen in 6 stories")
        lesson = learn(engine)
        assert not lesson.sites
        assert state(engine) == before == anew(engine)
    store(engine, [processed(engine, told(n, FURNITURE)) for n in range(10, 15)])
    assert not learn(engine).sites
    assert (SITE, FURNITURE, 11) in lines_of(engine)


def test_a_line_that_no_longer_qualifies_is_restored_once(engine: Engine) -> None:
    """It is unlearned, reprocessing restores it, and that does not make it learned again."""
    made = [told(n, FURNITURE) for n in range(4)]
    store(engine, made)
    assert learn(engine).learned
    store(engine, [processed(engine, one) for one in made])
    store(engine, [told(n) for n in range(20, 60)])
    assert learn(engine).unlearned == {SITE: 1}
    for _ in range(2):
        store(engine, [processed(engine, one) for one in made])
        shown = reader.article_by_url(engine, made[0].url)
        assert shown is not None
        assert FURNITURE in shown.text
        assert not learn(engine).sites
        assert state(engine) == anew(engine)


def test_a_forgotten_article_leaves_no_learned_line(engine: Engine) -> None:
    made = [told(n, FURNITURE) for n in range(4)]
    store(engine, made)
    learn(engine)
    with engine.connect() as connection:
        example = connection.scalar(select(schema.learned_line.c.example))
    url = next(one.url for one in made if id_of(engine, one) == example)

    forget_targets(engine, ForgetTarget((url,), ()), settings=SETTINGS, now=START)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.sighting)) == 3
        assert connection.scalar(select(func.count()).select_from(schema.learned_line)) == 0
    assert learn(engine) == Lesson(1, {}, {})
    forget_targets(engine, ForgetTarget((), (SITE,)), settings=SETTINGS, now=START)
    with engine.connect() as connection:
        for table in (schema.sighting, schema.sight_block, schema.learned_line):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


def test_a_dry_run_reports_and_changes_nothing(engine: Engine) -> None:
    store(engine, [told(n, FURNITURE) for n in range(6)])
    lesson, lines = try_learning(engine)
    assert lesson == Lesson(6, {SITE: 1}, {})
    assert [line.text for line in lines] == [FURNITURE]
    assert try_learning(engine, ("other.example",))[1] == []
    assert not site_lines(engine)
    assert learn(engine) == lesson


def test_a_kill_between_two_steps_loses_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each transaction of learning is the last one in one case, and the next call continues after it."""
    monkeypatch.setattr(sightings, "AT_ONCE", 3)
    store(engine, [told(n, FURNITURE, site=f"s{n % 2}.example") for n in range(10)])
    kills = 0
    left = 0

    def step(engine: Engine, work: Any) -> Any:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        with begin_write(engine) as connection:
            return work(connection)

    monkeypatch.setattr(lessons, "in_transaction", step)
    while True:
        left = kills
        try:
            learn(engine)
            break
        except KeyboardInterrupt:
            kills += 1
    assert kills > 3
    monkeypatch.undo()
    assert learn(engine) == Lesson(0, {}, {})
    assert {line.site for line in site_lines(engine)} == {"s0.example", "s1.example"}
    assert state(engine) == anew(engine)


LINES = [FURNITURE, "Read more news from the bay here", "The weather stays fine, the office said."]


SITES = [SITE, "monitor.example"]


moment = st.sampled_from([START, START + timedelta(days=40), START + timedelta(days=100)])


an_article = st.builds(
    lambda number, site, seed, lines, at: told(number, *lines, site=SITES[site], seed=seed, at=at),
    st.integers(0, 11),
    st.integers(0, 1),
    st.integers(0, 7),
    st.lists(st.sampled_from(LINES), unique=True, max_size=3),
    moment,
)


@settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    made=st.lists(an_article, min_size=12, max_size=20),
    gone=st.sets(st.integers(0, 19), max_size=5),
    seed=st.integers(0, 1000),
)
def test_learned_lines_depend_only_on_the_stored_articles(
    engine: Engine, made: Sequence[Article], gone: set[int], seed: int
) -> None:
    """In one order with learning after each batch, in a different order at once, and counted from the
    beginning.
    """
    chance = random.Random(seed)

    def clear() -> None:
        with engine.connect() as connection:
            ids = list(connection.execute(select(schema.article.c.id)).scalars())
        writer.remove_articles(engine, ids, SETTINGS)

    clear()
    taken_out = {made[n].url for n in gone if n < len(made)}
    size = chance.randint(1, 7)
    for start in range(0, len(made), size):
        store(engine, made[start : start + size])
        learn(engine)
    ids = [id_of(engine, one) for one in made if one.url in taken_out]
    writer.remove_articles(engine, ids, SETTINGS)
    learn(engine)
    step_by_step = state(engine)
    assert step_by_step == anew(engine)

    clear()
    store(engine, chance.sample(list(made), len(made)))
    learn(engine)
    ids = [id_of(engine, one) for one in made if one.url in taken_out]
    writer.remove_articles(engine, ids, SETTINGS)
    learn(engine)
    assert state(engine) == step_by_step
