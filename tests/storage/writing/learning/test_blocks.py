"""Lines of a block that are learned."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from storage import writer
from storage.writing.learning import Lesson, learn, with_learned
from tests.storage.news import SETTINGS, START, store
from tests.storage.writing.learning.told import FURNITURE, SITE, anew, id_of, lines_of, state, told


def test_a_line_of_unrelated_stories_is_learned_for_its_site_only(engine: Engine) -> None:
    store(engine, [told(n, FURNITURE) for n in range(6)])
    store(engine, [told(n, FURNITURE, site="other.example") for n in range(20, 23)])

    assert learn(engine) == Lesson(9, {SITE: 1}, {})
    assert lines_of(engine) == {(SITE, FURNITURE, 6)}
    assert learn(engine) == Lesson(0, {}, {})
    (learned,) = with_learned(engine, SETTINGS).site_rules.learned
    assert learned.site == SITE


def test_rare_lines_are_not_learned(engine: Engine) -> None:
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


def test_a_line_in_a_different_outlets_copy_is_never_learned(engine: Engine) -> None:
    """An agency's background paragraph is in all stories of the site, and in one copy at a different outlet,
    in any quarter of the year.
    """
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

    writer.remove_articles(engine, [id_of(engine, elsewhere)], SETTINGS)
    learn(engine)
    assert lines_of(engine) == {(SITE, background, 8)}
    assert state(engine) == anew(engine)


def test_a_sister_host_is_the_same_outlet(engine: Engine) -> None:
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
