"""Trafilatura as an extractor of lines."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import trafilatura
from lxml import etree

from benchmarks.repository import article_pages
from pipeline.extract.cut_tree import cut_tree
from pipeline.extract.parse import parse
from pipeline.extract.trafilatura_adapter import TrafilaturaFailed, _text, _text_in_one_pass, article_lines
from pipeline.page import decode_body
from tests.pipeline.extract.pages import PAGE, STORY


def test_the_article_comes_back_line_by_line() -> None:
    lines = article_lines(parse(PAGE))
    assert set(STORY) <= set(lines)
    assert not any("timetable" in line for line in lines)


def test_the_tree_is_not_changed() -> None:
    root = parse(PAGE)
    before = copy.deepcopy(root)
    article_lines(root)
    assert etree.tostring(root) == etree.tostring(before)


def test_the_same_page_gives_the_same_lines_again_and_again() -> None:
    assert len({tuple(article_lines(parse(PAGE))) for _ in range(5)}) == 1


def test_a_page_without_an_article_gives_no_line() -> None:
    assert article_lines(parse("<html><body><p></p></body></html>")) == []


SHORT = "<p>Twelve boats came home before dark.</p>"


def test_an_error_of_trafilatura_is_reported_with_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("of a tree")

    monkeypatch.setattr(trafilatura, "bare_extraction", broken)
    with pytest.raises(TrafilaturaFailed, match="RuntimeError: of a tree"):
        article_lines(parse(SHORT))


def test_trafilatura_reads_the_page_without_its_menus(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def recorded(root: Any, **options: Any) -> None:
        read.append((root.text_content(), options))

    monkeypatch.setattr(trafilatura, "bare_extraction", recorded)
    assert article_lines(parse(f"<nav>Weather</nav>{SHORT}<footer>All rights reserved</footer>")) == []
    ((text, options),) = read
    assert "Twelve boats" in text
    assert not any(line in text for line in ("Weather", "All rights reserved"))
    assert options["fast"] is True
    assert "deduplicate" not in options


def test_trafilatura_is_asked_for_further_attempts_only_where_the_first_found_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(trafilatura, "bare_extraction", lambda root, **options: asked.append(1))
    assert set(STORY) <= set(article_lines(parse(PAGE)))
    assert not asked
    # A thousand words that it does not take, beside a story of fifty.
    listed = "".join(f"<li><b>Boat {n} of the northern harbour</b></li>" for n in range(300))
    article_lines(parse(PAGE.replace("</article>", f"</article><ul>{listed}</ul>")))
    assert asked


def test_one_pass_gives_what_trafilatura_gives() -> None:
    pages = [decode_body(page.body, page.encoding, page.media_type) for page in article_pages()]
    in_one_pass = 0
    for page in pages:
        root = parse(page)
        text = _text_in_one_pass(cut_tree(root))
        if text is not None:
            in_one_pass += 1
            assert text == _text(cut_tree(root))
    assert in_one_pass > len(pages) / 2


def test_a_table_that_lays_out_the_page_does_not_make_one_line_of_it() -> None:
    menu = "".join(f"<p><a href=/{n}>Section {n}</a></p>" for n in range(9))
    story = "".join(f"<p>{text}</p>" for text in STORY)
    lines = article_lines(parse(f"<table><tr><td>{menu}</td><td>{story}</td></tr></table>"))
    assert set(STORY) <= set(lines)
    assert not any(STORY[0] in line and STORY[1] in line for line in lines)


def test_caches_are_emptied_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    emptied = []
    monkeypatch.setattr("trafilatura.meta.reset_caches", lambda: emptied.append(1))
    monkeypatch.setattr("pipeline.extract.trafilatura_adapter._PAGES_BETWEEN_RESETS", 2)
    for _ in range(4):
        article_lines(parse("<p>x</p>"))
    assert len(emptied) == 2
