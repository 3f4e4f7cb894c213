"""The canonical copies of groups are kept as articles come and go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.copies import LOOKED_AT
from pipeline.document import Article
from storage.base import chunks
from storage.writer import start_run, write_batch
from tests.storage.news import SETTINGS, START, article, cut, retold, store, story, view

AT = START - timedelta(days=2)
TEXT = story(1)


def copy(host: str, share: float, hours: float, **more: Any) -> Article:
    return article(f"https://{host}/1", cut(TEXT, share), published_at=AT + timedelta(hours=hours), **more)


def canonical(engine: Engine) -> str:
    [found] = view(engine, "unique_articles")
    return str(found["url"])


def test_the_canonical_copy_follows_the_texts(engine: Engine) -> None:
    fragment, full = copy("b.example", 0.6, 3), copy("c.example", 1, 5)
    late, earlier = copy("d.example", 1, 40), copy("a.example", 1, 2)
    agency = copy("www.reuters.com", 0.9, 30, agency="Reuters", site="reuters.com")
    for made, expected in (
        (fragment, fragment),
        (full, full),
        (late, full),
        (earlier, earlier),
        (agency, agency),
    ):
        store(engine, [made])
        assert canonical(engine) == expected.url
    store(engine, [retold(agency, story(5), rules_version="2-next")])
    assert {row["url"] for row in view(engine, "unique_articles")} == {earlier.url, agency.url}
    stub = cut(TEXT, 0.3)
    store(engine, [retold(agency, stub, word_count=len(stub.split()), rules_version="3-next")])
    assert canonical(engine) == earlier.url, "the agency's own is a stub"


def test_a_page_of_two_stories_stands_for_none_once_the_second_is_known(engine: Engine) -> None:
    second = article("https://s.example/2", story(2, 150), published_at=AT)
    page = article(
        "https://briefs.example/1", f"{TEXT}\n{second.text}", published_at=AT - timedelta(minutes=10)
    )
    store(engine, [copy("a.example", 1, 0), page])
    assert canonical(engine) == page.url
    store(engine, [second])
    assert {row["url"] for row in view(engine, "unique_articles")} == {"https://a.example/1", second.url}
    store(engine, [retold(second, story(9), rules_version="2-next")])
    assert page.url in {row["url"] for row in view(engine, "unique_articles")}


@pytest.mark.parametrize("is_backward", [False, True])
def test_of_a_crowd_the_earliest_copies_are_looked_at(engine: Engine, is_backward: bool) -> None:
    """The choice is the same whether the crowd comes in its order or in the opposite one."""
    many = LOOKED_AT + 20
    made = [
        replace(copy(f"n{n}.example", 0.6, 0), published_at=AT + timedelta(minutes=n)) for n in range(many)
    ]
    made[LOOKED_AT - 1] = replace(copy("whole.example", 1, 0), published_at=made[LOOKED_AT - 1].published_at)
    made[-1] = replace(copy("later.example", 1, 0), published_at=made[-1].published_at)
    undated = [replace(copy(f"u{n}.example", 0.6, 0), published_at=None) for n in range(3)]
    run = start_run(engine, "test", START)
    for part in chunks((made + undated)[:: -1 if is_backward else 1], 30):
        write_batch(engine, run, part, SETTINGS)
    assert canonical(engine) == "https://whole.example/1"


@pytest.mark.parametrize(
    ("credits", "expected"),
    [
        ({"a.example": "AP"}, "AP"),
        ({"a.example": "AP", "b.example": "AFP", "c.example": "AFP", "d.example": None}, "AFP"),
        ({"a.example": "AP", "b.example": "AFP", "c.example": None}, "AP"),
        ({"a.example": None, "b.example": "AFP", "c.example": "AP"}, None),
        ({"a.example": None, "b.example": None}, None),
    ],
    ids=["one", "the most", "the canonical copy's", "undecided", "none"],
)
def test_the_agency_of_a_group_is_the_one_that_most_outlets_credit(
    engine: Engine, credits: dict[str, str | None], expected: str | None
) -> None:
    store(engine, [copy(host, 1, n, agency=agency) for n, (host, agency) in enumerate(credits.items())])
    [group] = view(engine, "story_groups")
    assert group["agency"] == expected


def test_an_outlet_has_one_vote_on_the_agency_of_a_group(engine: Engine) -> None:
    pages = [replace(copy("a.example", 1, n, agency="AP"), url=f"https://a.example/{n}") for n in range(3)]
    others = [copy(f"{host}.example", 1, 5, agency="AFP") for host in "bc"]
    store(engine, [*pages, *others])
    [group] = view(engine, "story_groups")
    assert group["agency"] == "AFP"
