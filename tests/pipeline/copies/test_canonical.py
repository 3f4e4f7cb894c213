"""Which copy stands for a group."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.canonical import Contender, Shared, choose_canonical
from tests.pipeline.copies.stories import NOON


def copy(
    id: int, words: int, hours: float | None = 0, *, title: str = "Ferry runs aground", **more: object
) -> Contender:
    at = None if hours is None else NOON + timedelta(hours=hours)
    made = Contender(id, f"https://{id}.example/", f"{id}.example", title, words, at)
    return replace(made, **more)  # type: ignore[arg-type]


def shares(one: Contender, other: Contender, share: float, start: int = 0) -> Shared:
    """What one shares with the other, if this share of the shorter text is in both."""
    shared = share * min(one.words, other.words)
    jaccard = shared / (one.words + other.words - shared)
    return Shared(other.site, other.title, other.words, jaccard, share, start)


def chosen(copies: Sequence[Contender], starts: dict[int, int] | None = None) -> int:
    """The choice where each shorter text is part of each longer one; starts: where it is in these."""
    shared = {
        one.id: [shares(one, other, 1.0, (starts or {}).get(one.id, 0)) for other in copies if other != one]
        for one in copies
    }
    return choose_canonical(copies, shared)


def test_the_fullest_of_the_first_hours_stands_for_the_group() -> None:
    fragment, full = copy(1, 115), copy(2, 202, 3)
    assert chosen([fragment, full]) == 2
    assert chosen([fragment, full, copy(3, 400, 30)]) == 2, "a day later it may be another story"
    assert chosen([copy(4, 150, None), fragment]) == 4, "one without a date may be of the first hours"


def test_the_first_of_equally_full_copies_then_the_longest_then_the_url() -> None:
    early, late = copy(1, 300), copy(2, 310, 2)
    assert chosen([late, early]) == 1
    assert chosen([replace(late, published_at=early.published_at), early]) == 2
    same = [copy(n, 300, url=f"https://{c}.example/") for n, c in ((5, "c"), (6, "a"), (7, "b"))]
    assert chosen(same) == chosen(same[::-1]) == 6


def test_a_day_without_a_time_is_not_earlier_than_its_own_morning() -> None:
    day_only = copy(1, 300, -12)
    assert chosen([day_only, copy(2, 300)]) == 2
    assert chosen([replace(day_only, words=500), copy(2, 300)]) == 1, "but of the first hours"


def test_local_paragraphs_make_a_copy_no_fuller_if_others_confirm_where_the_story_ends() -> None:
    localised, whole, other = copy(1, 430), copy(2, 369, 1), copy(3, 367, 5)
    assert chosen([localised, whole, other]) == 2
    assert chosen([localised, whole, replace(other, words=200)]) == 1, "nobody confirms it: it may be cut"
    assert chosen([localised, whole, replace(other, site=whole.site)]) == 1, "nor does the outlet itself"


def test_copies_that_were_cut_alike_do_not_stand_for_the_whole() -> None:
    assert chosen([copy(1, 200), copy(2, 200, 1), copy(3, 400, 2)]) == 3


def test_a_page_that_holds_more_than_the_story_does_not_stand_for_it() -> None:
    story, other = copy(1, 300), copy(2, 290, 1)
    page = copy(3, 640, 2, title="The day in brief")
    assert chosen([story, other, page], {3: 330}) == 1, "the second of two stories"
    assert chosen([story, page], {3: 330}) == 1
    live = copy(4, 2000, 2, title="Live: storm over Velmora")
    assert chosen([story, live], {4: 1500}) == 1
    assert chosen([story, live]) == 1, "nor if the story was its first entry"
    assert chosen([story, other, replace(page, holds_more=True)]) == 1, "its first, but it is known to be two"


def test_a_text_of_which_a_copy_is_only_the_beginning_is_the_story_if_the_headline_says_so() -> None:
    teaser, full = copy(1, 70), copy(2, 590, 1)
    assert chosen([teaser, full]) == 2
    assert chosen([teaser, replace(full, title="What else happened")]) == 1


def test_the_agencys_own_unless_it_is_a_stub() -> None:
    outlet, own = copy(1, 300), copy(2, 160, 30, is_own=True)
    assert chosen([outlet, own]) == 2
    assert chosen([outlet, replace(own, words=140)]) == 1
    assert chosen([outlet, replace(own, words=1500, title="Live"), copy(3, 300, 1)], {2: 900}) == 1


def test_a_group_in_which_nothing_is_mostly_shared_has_a_canonical_copy_too() -> None:
    one, other = copy(1, 300, title="A"), copy(2, 310, 1, title="B")
    shared = {1: [shares(one, other, 0.55, 100)], 2: [shares(other, one, 0.55, 100)]}
    assert choose_canonical([one, other], shared) == 1


@st.composite
def groups(draw: st.DrawFn) -> tuple[list[Contender], dict[int, list[Shared]]]:
    copies = [
        copy(
            n,
            draw(st.sampled_from([40, 100, 200, 210, 300, 900])),
            draw(st.sampled_from([None, -12, 0, 1, 5, 40])),
            title=draw(st.sampled_from(["Ferry runs aground", "The day in brief"])),
            is_own=draw(st.booleans()),
            holds_more=draw(st.integers(0, 5)) == 0,
        )
        for n in range(draw(st.integers(1, 7)))
    ]
    shared: dict[int, list[Shared]] = {}
    for one in copies:
        for other in copies[: one.id]:
            share, start = draw(st.sampled_from([0.6, 0.9, 1.0])), draw(st.sampled_from([0, 200]))
            shared.setdefault(one.id, []).append(shares(one, other, share, start))
            shared.setdefault(other.id, []).append(shares(other, one, share))
    return copies, shared


@given(groups(), st.randoms(use_true_random=False))
def test_the_choice_depends_neither_on_order_nor_on_ids(
    made: tuple[list[Contender], dict[int, list[Shared]]], order: random.Random
) -> None:
    copies, shared = made
    url = {one.id: one.url for one in copies}[choose_canonical(copies, shared)]
    new = dict(zip((one.id for one in copies), order.sample(range(100), len(copies)), strict=True))
    mixed = [replace(one, id=new[one.id]) for one in order.sample(copies, len(copies))]
    pairs = {new[id]: order.sample(some, len(some)) for id, some in shared.items()}
    assert {one.id: one.url for one in mixed}[choose_canonical(mixed, pairs)] == url
