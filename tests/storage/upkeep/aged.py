"""Articles of different ages."""

from __future__ import annotations

from datetime import timedelta

from pipeline.document import Outcome
from tests.storage.news import START, article, rejection, story


def aged(count: int) -> list[Outcome]:
    """One page a day, the first of them a rejection's."""
    made: list[Outcome] = [rejection("https://a.example/list")]
    return made + [
        article(f"https://a.example/{n}", story(n), START + timedelta(days=n)) for n in range(1, count)
    ]
