"""What settling makes of particular outcomes; `test_tables` compares worlds of them with a writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from pipeline.batch import OUTCOMES, outcomes_table
from pipeline.document import Outcome, Reason, Stage
from pipeline.settings import Settings
from pipeline.sites import SiteRulebook
from storage.base import from_microseconds, microseconds
from storage.bulk import SETTLED, Settled, settle_bucket
from storage.bulk import settling as settling_module
from storage.schema import to_second
from tests.storage.news import SETTINGS, START, article, page, rejection

URL = "https://a.example/ferry"
HOUR = timedelta(hours=1)


def settled(outcomes: Sequence[Outcome], settings: Settings = SETTINGS, start: int = 10) -> Settled:
    """In their order, with the sequences 10, 11, …"""
    return settle_bucket(outcomes_table(outcomes, range(start, start + len(outcomes))), settings)


def column(table: pa.Table, name: str) -> list[Any]:
    found: list[Any] = table[name].to_pylist()
    return found


def test_an_article_is_named_by_the_first_of_its_outcomes() -> None:
    found = settled(
        [
            rejection(URL, START),
            article(URL, "It sails.", START + HOUR, location="a"),
            article("https://a.example/other", "Else.", START),
            article(URL, "It sails again.", START + 2 * HOUR, location="b"),
        ]
    )

    assert column(found.articles, "first") == [11, 12]
    assert column(found.texts, "first") == [11, 11, 12]
    assert column(found.texts, "revision") == [1, 2, 1]
    assert column(found.texts, "is_current") == [False, True, True]
    assert column(found.texts, "text") == ["It sails.", "It sails again.", "Else."]
    assert column(found.texts, "page_sequence") == [11, 13, 12]
    assert column(found.pages, "sequence") == [10, 11, 12, 13]
    assert column(found.documents, "first") == [11, 11, 12]


def test_every_table_has_its_schema() -> None:
    hung = rejection("b", reason=Reason.TIMEOUT, stage=Stage.WORKER)
    some: list[Outcome] = [article(URL, "It sails."), hung]
    for outcomes in ([], some):
        for name, table in settled(outcomes).tables().items():
            assert table.schema.equals(SETTLED[name], check_metadata=True), name


def test_the_order_of_rows_and_how_they_are_split_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Outcome] = [
        article(f"https://a.example/{n % 3}", f"{n % 5}.", START + (n % 4) * HOUR, location=f"at {n % 7}")
        for n in range(40)
    ]
    table = outcomes_table(made, range(40))
    expected = settle_bucket(table, SETTINGS)

    monkeypatch.setattr(settling_module, "_AT_ONCE", 3)
    parts = pa.concat_tables([table.slice(20), table.slice(0, 7), table.slice(7, 13)])

    assert settle_bucket(parts, SETTINGS) == expected


def test_a_chain_of_urls_and_locations_is_settled_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each URL shares a location with the next, which says so at last: an article there is not gone."""
    monkeypatch.setattr(settling_module, "_AT_ONCE", 2)
    at = [f"https://a.example/at/{n}" for n in range(5)]
    made = [article(f"https://a.example/{n}", f"Text {n}.", START, location=at[n]) for n in range(5)]
    gone = [rejection(one, START + HOUR, page=None, is_gone=True) for one in at]
    back = [
        article(f"https://a.example/{n + 1}", f"Text {n + 1}.", START + 2 * HOUR, location=at[n], body=f"{n}")
        for n in range(4)
    ]

    found = settled([*made, *gone, *back])

    assert column(found.articles, "gone_at") == [
        microseconds(to_second(START + HOUR)),
        None,
        None,
        None,
        None,
    ]
    assert column(found.rejections, "location") == at[4:]


def test_times_are_whole_seconds_before_1970_as_well() -> None:
    before = datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)
    found = settled([article(URL, "It sails.", START, published_at=before)])

    assert [from_microseconds(us) for us in column(found.texts, "published_at")] == [
        before.replace(microsecond=0)
    ]
    assert [from_microseconds(us) for us in column(found.texts, "seen_at")] == [START.replace(microsecond=0)]
    assert column(found.texts, "fetched_us") == [round(START.timestamp() * 1e6)]


def test_a_site_has_its_key_in_the_sites_file() -> None:
    rulebook = SiteRulebook(keys={"a.example": "ferries"})
    found = settled(
        [article(URL, "It sails."), article("https://b.example/1", "Else.")],
        replace(SETTINGS, site_rules=rulebook),
    )

    assert column(found.articles, "site_key") == ["ferries", None]


def test_what_twice_hung_its_worker_is_in_quarantine() -> None:
    hung = rejection(URL, START, stage=Stage.WORKER, reason=Reason.TIMEOUT, detail="60 s")
    elsewhere = replace(hung, location="https://a.example/once")
    found = settled([hung, replace(hung, page=page("other bytes", START, URL)), elsewhere])

    assert column(found.quarantine, "location") == [URL, URL, elsewhere.location]
    assert column(found.rejections, "reason") == ["quarantined", "timeout"]
    assert "2 times in a row" in column(found.rejections, "detail")[0]


def test_what_succeeds_leaves_quarantine() -> None:
    hung = rejection(URL, START, stage=Stage.WORKER, reason=Reason.TIMEOUT)
    found = settled([hung, hung, article(URL, "It sails.", START + HOUR)])

    assert found.quarantine.num_rows == found.rejections.num_rows == 0
    assert found.counts.to_pylist() == [
        {"end": "rejected", "reason": "quarantined", "documents": 1},
        {"end": "rejected", "reason": "timeout", "documents": 1},
        {"end": "stored", "reason": None, "documents": 1},
    ]


def test_rows_that_a_query_engine_has_written_are_taken() -> None:
    """DuckDB names the items of lists differently, and adds a column."""
    again = article(URL, "Again.", START + HOUR, location="b")
    made: list[Outcome] = [article(URL, "It sails."), again, rejection("c")]
    outcomes = outcomes_table(made, range(3))

    with duckdb.connect() as connection:
        through = connection.sql(
            "SELECT *, 7 AS bucket FROM outcomes ORDER BY sequence DESC"
        ).to_arrow_table()

    assert through.schema != OUTCOMES
    assert settle_bucket(through, SETTINGS) == settle_bucket(outcomes, SETTINGS)


@pytest.mark.parametrize("is_stub", [True, False])
def test_a_text_keeps_its_fingerprint_or_has_none(is_stub: bool) -> None:
    made = article(URL, "It sails.")
    found = settled([replace(made, fingerprint=None) if is_stub else made])

    (print_,) = column(found.texts, "fingerprint")
    assert (print_ is None) == is_stub
    if not is_stub:
        assert made.fingerprint is not None
        assert tuple(print_["bands"]) == made.fingerprint.bands
