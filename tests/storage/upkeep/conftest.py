"""A database with rows of every kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from pipeline.document import Outcome
from storage.writing.learning import learn
from tests.conftest import Fill
from tests.storage.news import START, article, rejection, store, story, wire


def fill(engine: Engine) -> None:
    """Copies, a lone article (25), one with an older text (26), a rejection with a page and one without."""
    url = "https://alone.example/2"
    outcomes: list[Outcome] = [
        *wire(24),
        article("https://alone.example/1", story(900)),
        article(url, story(901)),
        article(url, story(902), START.replace(hour=12)),
        rejection("https://alone.example/list"),
        rejection("https://alone.example/none", page=None),
    ]
    store(engine, outcomes, batch=16)
    learn(engine)


@pytest.fixture
def filled(filled_by: Callable[[Fill], Engine]) -> Engine:
    """What `fill` stores, in a database of the test's own."""
    return filled_by(fill)
