"""What is learned of sites follows from what is stored, however it came to be stored."""

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
from tests.storage.news import SETTINGS, START, article, store, story

FURNITURE = "Stay ahead of the tide: become a Harbour Friend today."
SITE = "post.example"


def told(
    number: int, *lines: str, site: str = SITE, seed: int | None = None, at: Any = START, **changes: Any
) -> Article:
    """An article of a story of its own (of the seed's), with these lines at its foot."""
    text = "\n".join((story(1000 + number if seed is None else seed, 60), *lines))
    title = changes.pop(
        "title", f"{'abcdefghij'[number % 10]}{'klmnopqrst'[number // 10 % 10]} comes to town"
    )
    url, body = f"https://{site}/{number}", f"<p>{at} {text}"
    return article(url, text, at, site=site, title=title, removed=(), body=body, **changes)


def lines_of(engine: Engine) -> set[tuple[str, str, int]]:
    return {(line.site, line.text, line.stories) for line in site_lines(engine)}


def state(engine: Engine) -> dict[str, Any]:
    """All that learning keeps, without ids: equal where the same was learned from the same."""
    with engine.connect() as connection:
        blocks = {row.id: (row.site, row.quarter) for row in connection.execute(select(schema.sight_block))}
        urls = {
            row.id: row.url for row in connection.execute(select(schema.article.c.id, schema.article.c.url))
        }
        sightings = {
            (urls[row.article_id], blocks[row.block_id], row.title, row.lines)
            for row in connection.execute(select(schema.sighting))
        }
        learned = {
            (blocks[row.block_id], row.hash, row.stories, row.is_shared)
            for row in connection.execute(select(schema.learned_line))
        }
        assert {row.example for row in connection.execute(select(schema.learned_line))} <= urls.keys()
        assert not connection.scalar(
            select(func.count()).select_from(schema.sight_block).where(schema.sight_block.c.changes > 0)
        )
    return {"blocks": set(blocks.values()), "sightings": sightings, "learned": learned}


def anew(engine: Engine) -> dict[str, Any]:
    """The state that counting all articles from the beginning gives, in the same base."""
    with begin_write(engine) as connection:
        for table in (schema.sighting, schema.sight_block, schema.learned_line):
            connection.execute(table.delete())
        connection.execute(schema.counter.delete().where(schema.counter.c.name == sightings.CURSOR))
    learn(engine)
    return state(engine)


def processed(engine: Engine, made: Article) -> Article:
    """The article as the pipeline would make it of the same page with what was learned by now."""
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


def test_a_line_of_unrelated_stories_is_learned_and_names_no_other_site(engine: Engine) -> None:
    store(engine, [told(n, FURNITURE) for n in range(6)])
    store(engine, [told(n, FURNITURE, site="other.example") for n in range(20, 23)])

    assert learn(engine) == Lesson(9, {SITE: 1}, {})
    assert lines_of(engine) == {(SITE, FURNITURE, 6)}
    assert learn(engine) == Lesson(0, {}, {})
    (learned,) = with_learned(engine, SETTINGS).site_rules.learned
    assert learned.site == SITE


def test_what_is_too_seldom_is_not_learned(engine: Engine) -> None:
    """Three stories of three; and four of forty, though four are enough on a small site."""
    store(engine, [told(n, FURNITURE) for n in range(3)])
    assert not learn(engine).learned
    said = "Nobody was hurt, the harbour police said."
    store(engine, [told(n, said, site="daily.example") for n in range(20, 24)])
    store(engine, [told(n, site="daily.example") for n in range(24, 60)])
    assert not learn(engine).learned


def test_copies_and_editions_of_one_story_count_once(engine: Engine) -> None:
    whole = [told(n, FURNITURE, seed=7) for n in range(5)]  # one story under five headlines
    reports = [told(n, FURNITURE, title=f"Prices at the fish market on day {n}") for n in range(30, 35)]
    store(engine, [*whole, *reports])

    assert not learn(engine).learned
    store(engine, [told(n, FURNITURE) for n in range(50, 52)])
    assert learn(engine).learned == {SITE: 1}
    assert lines_of(engine) == {(SITE, FURNITURE, 4)}


def test_a_line_that_other_outlets_carry_in_a_copy_is_never_learned(engine: Engine) -> None:
    """An agency's background paragraph: in all stories of the site, and in one of its copies elsewhere, in
    whichever quarter of the year."""
    background = "The ferry line has been on strike since a tunnel was opened under the bay last autumn."
    store(engine, [told(n, background) for n in range(8)])
    assert learn(engine).learned == {SITE: 1}

    later = START + timedelta(days=200)
    one = told(90, background, at=later)
    elsewhere = told(91, background, site="monitor.example", seed=1090, at=later)
    store(engine, [one, elsewhere])
    assert learn(engine).unlearned == {SITE: 1}
    assert not with_learned(engine, SETTINGS).site_rules.learned
    assert state(engine) == anew(engine)

    writer.remove_articles(engine, [_id(engine, elsewhere)], SETTINGS)
    learn(engine)
    assert lines_of(engine) == {(SITE, background, 8)}
    assert state(engine) == anew(engine)


def test_a_sister_host_is_no_other_outlet(engine: Engine) -> None:
    for site in (SITE, f"amp.{SITE}"):
        store(engine, [told(n, FURNITURE, site=site) for n in range(6)])
    assert learn(engine).learned == {SITE: 1, f"amp.{SITE}": 1}


def test_wire_stories_that_many_sites_carry_stay_whole(engine: Engine) -> None:
    sites = [f"site{n}.example" for n in range(8)]
    copies = [
        told(100 * n + m, site=site, seed=m, title=f"{site} {'abcdefghij'[m]} runs a story")
        for n, site in enumerate(sites)
        for m in range(8)
    ]
    store(engine, copies)
    assert not learn(engine).learned


def _id(engine: Engine, made: Article) -> int:
    found = reader.article_by_url(engine, made.url)
    assert found is not None
    return found.id


def test_taking_lines_out_does_not_unlearn_them(engine: Engine) -> None:
    """Learn, reprocess, learn: nothing is other, round after round; and what comes meanwhile counts."""
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


def test_a_line_that_does_not_qualify_any_more_comes_back_once(engine: Engine) -> None:
    """Unlearned, restored by reprocessing, and not learned again by that."""
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


def test_an_article_that_is_forgotten_leaves_nothing(engine: Engine) -> None:
    made = [told(n, FURNITURE) for n in range(4)]
    store(engine, made)
    learn(engine)
    with engine.connect() as connection:
        example = connection.scalar(select(schema.learned_line.c.example))
    url = next(one.url for one in made if _id(engine, one) == example)

    forget_targets(engine, ForgetTarget((url,), ()), settings=SETTINGS, now=START)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.sighting)) == 3
        assert connection.scalar(select(func.count()).select_from(schema.learned_line)) == 0
    assert learn(engine) == Lesson(1, {}, {})
    forget_targets(engine, ForgetTarget((), (SITE,)), settings=SETTINGS, now=START)
    with engine.connect() as connection:
        for table in (schema.sighting, schema.sight_block, schema.learned_line):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


def test_a_dry_run_tells_and_changes_nothing(engine: Engine) -> None:
    store(engine, [told(n, FURNITURE) for n in range(6)])
    lesson, lines = try_learning(engine)
    assert lesson == Lesson(6, {SITE: 1}, {})
    assert [line.text for line in lines] == [FURNITURE]
    assert try_learning(engine, "other.example")[1] == []
    assert not site_lines(engine)
    assert learn(engine) == lesson


def test_a_kill_between_two_steps_loses_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every transaction of learning is the last one once, and the next call goes on from there."""
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
def test_what_is_learned_depends_on_what_is_stored_alone(
    engine: Engine, made: Sequence[Article], gone: set[int], seed: int
) -> None:
    """In one order with a lesson after each batch; in another at once; and counted anew."""
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
    ids = [_id(engine, one) for one in made if one.url in taken_out]
    writer.remove_articles(engine, ids, SETTINGS)
    learn(engine)
    step_by_step = state(engine)
    assert step_by_step == anew(engine)

    clear()
    store(engine, chance.sample(list(made), len(made)))
    learn(engine)
    ids = [_id(engine, one) for one in made if one.url in taken_out]
    writer.remove_articles(engine, ids, SETTINGS)
    learn(engine)
    assert state(engine) == step_by_step
