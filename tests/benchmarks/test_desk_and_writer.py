"""The benchmark of a writer beside a desk that is read: both work, and each article is new."""

from __future__ import annotations

from itertools import islice

import pytest
from sqlalchemy import Engine

from benchmarks import desk_and_writer
from benchmarks.growth import CRAWL_BATCH
from storage import reader
from tests.storage.news import store, wire


def test_a_round_writes_new_articles_and_reads_pages(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store(engine, wire(12))
    monkeypatch.setattr(desk_and_writer, "BATCHES", 1)
    url = engine.url.render_as_string(hide_password=False)
    ((read, alone),) = desk_and_writer.measure(url, rounds=1, pause=0)
    assert read.cpu_ms > 0
    assert alone.cpu_ms > 0
    assert reader.totals(engine).articles == 12 + 3 * CRAWL_BATCH


def test_no_address_is_in_a_database_of_growth() -> None:
    one, other = (list(islice(desk_and_writer.new_articles(), 20)) for _ in range(2))
    assert len({article.url for article in (*one, *other)}) == 40
    assert all(article.page is not None and article.page.url == article.url for article in one)
