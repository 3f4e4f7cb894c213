"""Candidates for the article: the region of prose, and Trafilatura's lines."""

from __future__ import annotations

import lxml.html
import pytest

from pipeline.extract.candidates import (
    Candidates,
    find_candidates,
    prose_passages,
    prose_regions,
    trafilatura_passages,
)
from pipeline.extract.model.columns import block_columns
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.extract.trafilatura_adapter import TrafilaturaFailed
from pipeline.page import Page, Passage, segment_page
from pipeline.settings import Settings
from tests.pipeline.extract.pages import FETCHED_AT, PAGE, STORY, page_of


def opened(html: str) -> OpenPage:
    return open_page(html, "https://courier.example/1", FETCHED_AT, Settings())


def candidates_of(html: str) -> Candidates:
    page = opened(html)
    (found,) = find_candidates(block_columns([page.page]), [page])
    return found


def taken(page: Page) -> list[str]:
    regions = prose_regions(block_columns([page]))
    return [block.text for block, is_taken in zip(page.blocks, regions, strict=True) if is_taken]


def test_the_region_is_where_most_prose_stands() -> None:
    found = taken(page_of(PAGE))
    assert set(STORY) <= set(found)
    assert not any("timetable" in text or "All rights" in text for text in found)


def test_long_comments_do_not_outweigh_the_story() -> None:
    endless = "and so on they wrote and " * 60
    story = STORY * 2
    body = "".join(f"<p>{text}</p>" for text in story)
    assert taken(page_of(f"<main><div>{body}</div></main><section>{endless}</section>")) == story


def test_teasers_are_no_prose() -> None:
    cards = "".join(
        f"<div class=card><h3><a href=/{n}>Bridge number {n} is closed again</a></h3><p>{text}</p></div>"
        for n, text in enumerate(STORY * 2)
    )
    body = "".join(f"<p>{text}</p>" for text in STORY[:4])
    page = page_of(f"<main><div>{body}</div></main><section>{cards}</section>")
    assert taken(page) == STORY[:4]


def test_a_page_without_prose_has_no_region() -> None:
    assert prose_regions(block_columns([page_of("<p>Closed</p>")])).tolist() == [False]
    assert prose_regions(block_columns([segment_page(lxml.html.fromstring("<p></p>"))])).shape == (0,)


def test_the_regions_of_several_pages_are_those_of_each() -> None:
    pages = [page_of(PAGE), page_of("<p>Closed</p>"), page_of(f"<div><p>{STORY[0]}</p></div>")]
    together = prose_passages(block_columns(pages))
    assert together == [*(prose_passages(block_columns([page]))[0] for page in pages)]


def test_the_standfirst_is_added_to_the_region() -> None:
    lead = "The harbour will be dredged after nine years of dispute, and forty families are afraid of it."
    html = (
        PAGE.replace("<head>", "")
        .replace("<html>", f'<html><head><meta name="description" content="{lead}"></head>', 1)
        .replace("<main>", f"<header><p>{lead}</p></header><main>")
    )
    assert lead not in taken(opened(html).page)
    assert lead in [passage.text for passage in candidates_of(html).by_prose]


def test_lines_of_trafilatura_are_found_in_the_page() -> None:
    passages = candidates_of(PAGE).by_trafilatura
    assert passages is not None
    assert set(STORY) <= {passage.text for passage in passages}
    assert all(passage.index is not None for passage in passages if passage.text in STORY)


def test_a_page_on_which_trafilatura_fails_has_the_region_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(root: object) -> list[str]:
        raise TrafilaturaFailed("of a tree")

    monkeypatch.setattr("pipeline.extract.candidates.article_lines", broken)
    found = candidates_of(PAGE)
    assert found.by_trafilatura is None
    assert set(STORY) <= {passage.text for passage in found.either()}


def test_trafilatura_that_finds_nothing_has_not_failed() -> None:
    assert trafilatura_passages(opened("<p>Closed</p>")) is not None


def test_a_page_with_too_many_blocks_is_not_given_to_trafilatura(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = len(opened(PAGE).page.blocks)
    monkeypatch.setattr("pipeline.extract.candidates._MOST_BLOCKS_FOR_TRAFILATURA", blocks)
    assert candidates_of(PAGE).by_trafilatura
    monkeypatch.setattr("pipeline.extract.candidates._MOST_BLOCKS_FOR_TRAFILATURA", blocks - 1)
    assert candidates_of(PAGE).by_trafilatura is None


def test_what_either_reader_took_is_there_once_and_in_order() -> None:
    first, part, again, third = (
        Passage(0, "One.", 0.0),
        Passage(1, "Two,", 1.0),
        Passage(1, "Two, and more.", 1.0),
        Passage(2, "Three.", 2.0),
    )
    nowhere = Passage(None, "Four.", 1.5)
    assert Candidates([part, nowhere], [first, again, third]).either() == [first, part, nowhere, third]
    assert Candidates(None, [first, third]).either() == [first, third]
    assert Candidates([third], []).either() == [third]
