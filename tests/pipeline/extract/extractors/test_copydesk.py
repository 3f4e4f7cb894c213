"""The choice among candidates: rules and model, and which of two choices is better."""

from __future__ import annotations

import pytest
from pipeline.extract.choose import Choice, better_choice, choose

from pipeline.extract.model import BlockColumns, block_columns
from pipeline.extract.structure import Judged
from pipeline.page import Page, Passage
from tests.pipeline.extract.pages import PAGE, STORY, about_of, page_of


def passages_of(page: Page, *texts: str) -> list[Passage]:
    return [Passage(i, b.text, float(i)) for i, b in enumerate(page.blocks) if b.text in texts]


def chosen(columns: BlockColumns, passages: list[Passage]) -> Choice:
    (choice,) = choose(columns, [passages], [about_of(PAGE)])
    return choice


def test_the_model_adds_what_no_candidate_holds() -> None:
    page = page_of(PAGE)
    choice = chosen(block_columns([page]), passages_of(page, *STORY[:2], *STORY[3:]))
    assert [passage.text for passage in choice.kept] == STORY
    assert choice.expected_f1 > 0.9


def test_the_model_drops_a_candidate_and_leaves_its_score() -> None:
    page = page_of(PAGE.replace('<div class="newsletter-signup">', "<div>"))
    line = "© The Channel Courier. All rights reserved."
    choice = chosen(block_columns([page]), passages_of(page, *STORY, line))
    assert [passage.text for passage in choice.kept] == STORY
    (rule,) = [rule for passage, rule in choice.passages if passage.text == line]
    assert rule is not None
    assert rule.startswith(("model.block 0.", "structure.footer"))


def test_what_a_rule_drops_stays_out() -> None:
    page = page_of(PAGE)
    line = "Sign up for our newsletter and never miss a tide."
    choice = chosen(block_columns([page]), passages_of(page, *STORY, line))
    assert Judged(passages_of(page, line)[0], "structure.newsletter") in choice.passages


def test_text_that_is_not_in_the_page_is_left_to_the_rules() -> None:
    page = page_of(PAGE)
    passages = [*passages_of(page, *STORY), Passage(None, "A line from nowhere.", 99.0)]
    assert chosen(block_columns([page]), passages).kept[-1].text == "A line from nowhere."


def test_a_page_that_the_model_would_empty_is_left_to_the_rules() -> None:
    page = page_of("<html><body><div><p>Closed today.</p></div></body></html>")
    choice = chosen(block_columns([page]), passages_of(page, "Closed today."))
    assert [passage.text for passage in choice.kept] == ["Closed today."]
    assert choice.expected_f1 == 0.0


def test_a_sign_off_below_the_story_stays_with_it() -> None:
    page = page_of(PAGE.replace("</div>\n<div class", "<p>Reuters</p></div>\n<div class", 1))
    choice = chosen(block_columns([page]), passages_of(page, *STORY))
    assert [passage.text for passage in choice.kept] == [*STORY, "Reuters"]


def choice_of(words: int, expected_f1: float) -> Choice:
    story, dropped = Passage(0, "word " * words, 0.0), Passage(1, "gone", 1.0)
    return Choice([Judged(story, None), Judged(dropped, "structure.share")], expected_f1)


@pytest.mark.parametrize(
    ("first", "by_trafilatura", "is_second"),
    [
        (choice_of(300, 0.7), choice_of(280, 0.9), True),
        (choice_of(300, 0.8), choice_of(280, 0.7), False),
        (choice_of(180, 0.8), choice_of(570, 0.95), False),  # three stories in place of one
        (choice_of(30, 0.8), choice_of(570, 0.95), True),  # a caption in place of the story
        (choice_of(0, 0.0), choice_of(10, 0.0), True),
    ],
)
def test_the_choice_of_higher_expected_f1_stands_unless_it_is_padded(
    first: Choice, by_trafilatura: Choice, is_second: bool
) -> None:
    assert better_choice(first, by_trafilatura) is (by_trafilatura if is_second else first)
