"""Trafilatura's own text as the article."""

from __future__ import annotations

import pytest

from pipeline.extract.extractors import copydesk
from pipeline.extract.extractors.trafilatura import find_articles
from pipeline.extract.html import extract_html
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.extract.trafilatura_adapter import TrafilaturaFailed, article_lines
from pipeline.settings import Settings
from tests.pipeline.extract.pages import FETCHED_AT, PAGE, STORY

URL = "https://courier.example/1"


def opened(html: str) -> OpenPage:
    return open_page(html, URL, FETCHED_AT, Settings())


def test_the_text_is_that_of_the_library_as_it_is() -> None:
    # A line in the story's own container, which the rules of Copydesk would drop.
    page = opened(PAGE.replace(f"<p>{STORY[2]}</p>", f"<p>{STORY[2]}</p><p>{STORY[0]}</p>"))
    (choice,) = find_articles([page])
    assert [passage.text for passage in choice.kept] == article_lines(page.root)
    assert [passage.text for passage in choice.kept].count(STORY[0]) == 2
    assert not choice.is_without_trafilatura
    (ours,) = copydesk.find_articles([page])
    assert [passage.text for passage in ours.kept] == STORY


def test_nothing_is_judged() -> None:
    (choice,) = find_articles([opened(PAGE)])
    assert all(rule is None for _, rule, _ in choice.passages)


def test_each_page_has_a_choice_of_its_own() -> None:
    pages = [opened(PAGE), opened(PAGE.replace(STORY[0], STORY[0].upper()))]
    assert find_articles(pages) == [choice for page in pages for choice in find_articles([page])]
    assert find_articles([]) == []


def test_where_trafilatura_fails_copydesk_finds_the_article_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(root: object) -> list[str]:
        raise TrafilaturaFailed("of a tree")

    monkeypatch.setattr("pipeline.extract.candidates.article_lines", broken)
    page = opened(PAGE)
    (choice,) = find_articles([page])
    assert [choice] == copydesk.find_articles([page])
    assert choice.is_without_trafilatura
    assert [passage.text for passage in choice.kept] == STORY


def test_an_extraction_has_its_blocks_and_nothing_removed() -> None:
    found = extract_html(PAGE, URL, FETCHED_AT, Settings(extractor="trafilatura"))
    assert [block.text for block in found.blocks] == article_lines(opened(PAGE).root)
    assert found.removed == ()
