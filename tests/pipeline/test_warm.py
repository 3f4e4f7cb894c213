"""Warming up: a page and a text become articles, and the memory afterwards is shared."""

from __future__ import annotations

import gc
import importlib

import pytest

from pipeline.document import Article, Document, Outcome
from pipeline.settings import Settings


def test_a_page_and_a_text_become_articles_and_memory_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    warm = importlib.import_module(
        "pipeline.warm"
    )  # it warms up, so it is not imported when tests are collected
    gc.unfreeze()
    process = warm.process_document
    outcomes: list[Outcome] = []

    def process_document(document: Document, settings: Settings) -> Outcome:
        outcomes.append(process(document, settings))
        return outcomes[-1]

    monkeypatch.setattr(warm, "process_document", process_document)
    try:
        warm.warm_up()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
    kinds = [outcome.page.media_type.value for outcome in outcomes if isinstance(outcome, Article)]
    assert kinds == ["text/html", "text/plain"]
