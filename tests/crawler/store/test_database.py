"""The database as a crawl uses it."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from crawler.store.database import CrawlDatabase
from pipeline.errors import OperatorError


def test_calls_are_made_one_by_one_in_a_thread_of_their_own(tmp_path: Path) -> None:
    made: list[tuple[int, str]] = []

    def call(engine: Engine, number: int) -> int:
        with engine.connect() as connection:
            answer = connection.execute(text("SELECT 1")).scalar_one()
        made.append((number, threading.current_thread().name))
        return number + int(answer)

    async def crawl() -> list[int]:
        database = CrawlDatabase(f"sqlite:///{tmp_path / 'news.db'}")
        await database.open()
        results = await asyncio.gather(*(database.call(call, number) for number in range(5)))
        await database.close()
        return results

    assert asyncio.run(crawl()) == [1, 2, 3, 4, 5]
    assert [number for number, _ in made] == [0, 1, 2, 3, 4]
    (thread,) = {thread for _, thread in made}
    assert thread != threading.current_thread().name


def test_an_error_of_a_call_is_raised_to_its_caller_only(tmp_path: Path) -> None:
    def fail(engine: Engine) -> None:
        raise LookupError("no such article")

    async def crawl() -> str:
        database = CrawlDatabase(f"sqlite:///{tmp_path / 'news.db'}")
        await database.open()
        with pytest.raises(LookupError, match="no such article"):
            await database.call(fail)
        name: str = await database.call(lambda engine: engine.dialect.name)
        await database.close()
        return name

    assert asyncio.run(crawl()) == "sqlite"


def test_a_database_that_cannot_be_used_is_an_error_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "news.db").write_bytes(b"not a database" * 100)
    with pytest.raises(OperatorError):
        asyncio.run(CrawlDatabase(f"sqlite:///{tmp_path / 'news.db'}").open())
