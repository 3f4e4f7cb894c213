"""Trafilatura as an extractor of lines."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import trafilatura
from lxml import etree

from pipeline.extract.parse import parse
from pipeline.extract.trafilatura_adapter import TrafilaturaFailed, article_lines
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


def test_an_error_of_trafilatura_is_reported_with_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("of a tree")

    monkeypatch.setattr(trafilatura, "bare_extraction", broken)
    with pytest.raises(TrafilaturaFailed, match="RuntimeError: of a tree"):
        article_lines(parse(PAGE))


def test_trafilatura_reads_the_page_without_its_menus(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def recorded(root: Any, **options: Any) -> None:
        read.append((root.text_content(), options))

    monkeypatch.setattr(trafilatura, "bare_extraction", recorded)
    assert article_lines(parse(PAGE)) == []
    ((text, options),) = read
    assert all(line in text for line in STORY)
    assert not any(line in text for line in ("Weather", "All rights reserved"))
    assert options["fast"] is True
    assert "deduplicate" not in options


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
