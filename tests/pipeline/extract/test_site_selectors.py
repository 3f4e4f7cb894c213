"""The selectors of a site, applied before the article is looked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.document import DocumentRejected, Reason
from pipeline.extract.html import extract_page
from pipeline.extract.open_page import open_page
from pipeline.extract.parse import parse
from pipeline.extract.site_selectors import apply_selectors
from pipeline.settings import Settings
from pipeline.sites import SiteRules
from tests.pipeline.extract.pages import PAGE, STORY

FETCHED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BOX = "Sign up for our newsletter and never miss a tide."


def rules(drop: tuple[str, ...] = (), take: tuple[str, ...] = ()) -> SiteRules:
    return SiteRules("courier", ("courier.example",), drop=drop, take=take)


def test_what_is_dropped_leaves_its_text_its_rule_and_its_place() -> None:
    selected = apply_selectors(parse(PAGE), rules(drop=("div.newsletter-signup", "nav")))
    texts = [block.text for block in selected.page.blocks]
    assert BOX not in texts
    dropped = {passage.text: (rule, passage.position) for passage, rule, _ in selected.dropped}
    rule, position = dropped[BOX]
    assert rule == "site.courier.drop div.newsletter-signup"
    assert texts[int(position + 0.5) - 1] == STORY[-1]


def test_an_element_within_one_that_is_dropped_is_dropped_once() -> None:
    selected = apply_selectors(parse(PAGE), rules(drop=("aside li", "aside")))
    assert [passage.text for passage, *_ in selected.dropped].count("More stories") == 1
    assert {rule for _, rule, _ in selected.dropped} == {"site.courier.drop aside"}


def test_text_around_a_dropped_element_does_not_become_one_line() -> None:
    root = parse("<div><p>before</p>left<div class=x>gone</div>right <span class=x>gone</span>there</div>")
    selected = apply_selectors(root, rules(drop=(".x",)))
    assert [block.text for block in selected.page.blocks] == ["before", "left", "right there"]


def test_what_is_taken_becomes_a_page_of_its_own() -> None:
    selected = apply_selectors(parse(PAGE), rules(take=("div.article-body",)))
    assert [block.text for block in selected.page.blocks] == STORY
    assert not selected.is_take_ignored


def test_a_box_without_text_is_not_taken() -> None:
    page = PAGE.replace("<main>", "<div class=empty>Soon</div><main>")
    selected = apply_selectors(parse(page), rules(take=("div.empty",)))
    assert selected.is_take_ignored
    assert STORY[0] in [block.text for block in selected.page.blocks]


def test_extraction_names_the_rules_of_the_site() -> None:
    opened = open_page(PAGE, "https://courier.example/1", FETCHED, Settings())
    extraction = extract_page(opened, rules(drop=("div.newsletter-signup",)))
    assert [block.text for block in extraction.blocks] == STORY
    assert (BOX, "site.courier.drop div.newsletter-signup") in [(r.text, r.rule) for r in extraction.removed]


def test_a_page_of_which_nothing_is_left_says_whose_rules_did_it() -> None:
    opened = open_page(PAGE, "https://courier.example/1", FETCHED, Settings())
    with pytest.raises(DocumentRejected, match="rules of site courier dropped") as caught:
        extract_page(opened, rules(drop=("nav", "main", "aside", "footer")))
    assert caught.value.reason is Reason.NO_ARTICLE
