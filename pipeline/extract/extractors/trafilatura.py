"""The text of Trafilatura as it is, for comparison, or for sites on which it does better."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.extract.candidates import trafilatura_passages
from pipeline.extract.choice import Choice
from pipeline.extract.extractors import copydesk
from pipeline.extract.open_page import OpenPage
from pipeline.extract.structure import Judged


def find_articles(opened: Sequence[OpenPage]) -> list[Choice]:
    """The article of each page; by `copydesk.find_articles` where Trafilatura could not read it."""
    return [_find_article(page) for page in opened]


def _find_article(opened: OpenPage) -> Choice:
    passages = trafilatura_passages(opened)
    if passages is None:
        (choice,) = copydesk.find_articles([opened])
        return choice
    return Choice([Judged(passage, None) for passage in passages])
