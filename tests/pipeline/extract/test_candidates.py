"""Candidates for the article: the region of prose, and Trafilatura's lines."""

from __future__ import annotations

import lxml.html

from pipeline.extract.candidates import by_trafilatura, first_pass, prose_passages, prose_regions
from pipeline.extract.model.columns import block_columns
from pipeline.extract.open_page import open_page
from pipeline.page import Page, segment_page
from pipeline.settings import Settings
from tests.pipeline.extract.pages import FETCHED_AT, PAGE, STORY, about_of, page_of


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


def test_the_first_pass_adds_the_standfirst() -> None:
    lead = "The harbour will be dredged after nine years of dispute, and forty families are afraid of it."
    html = (
        PAGE.replace("<head>", "")
        .replace("<html>", f'<html><head><meta name="description" content="{lead}"></head>', 1)
        .replace("<main>", f"<header><p>{lead}</p></header><main>")
    )
    page = page_of(html)
    (passages,) = first_pass(block_columns([page]), [about_of(html)])
    assert lead in [passage.text for passage in passages]


def test_lines_of_trafilatura_are_found_in_the_page() -> None:
    opened = open_page(PAGE, "https://courier.example/1", FETCHED_AT, Settings())
    passages = by_trafilatura(opened)
    assert set(STORY) <= {passage.text for passage in passages}
    assert all(passage.index is not None for passage in passages if passage.text in STORY)
