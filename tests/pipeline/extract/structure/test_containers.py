"""Rules by the elements around a passage."""

from __future__ import annotations

import pytest

from pipeline.extract.structure.containers import ContainerRules
from pipeline.extract.structure.evidence import gather
from pipeline.page import Passage
from tests.pipeline.extract.pages import STORY, about_of, page_of

BODY = "".join(f"<p>{text}</p>" for text in STORY)


def rule_of(html: str, text: str) -> str | None:
    """The rule of the block with this text."""
    page = page_of(html)
    passages = [Passage(index, block.text, float(index)) for index, block in enumerate(page.blocks)]
    rules = ContainerRules(gather(page, passages, about_of(html)))
    (number,) = (number for number, passage in enumerate(passages) if passage.text == text)
    found = rules.rule_of(number)
    assert rules.rule_of(number) == found  # as it is remembered
    return found


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        ("<nav><p>Pass it on</p></nav>", "structure.navigation"),
        ("<form><div><p>Pass it on</p></div></form>", "structure.form"),
        ("<figure><figcaption>Pass it on</figcaption></figure>", "structure.caption"),
        ("<div class=share-bar><p>Pass it on</p></div>", "structure.share"),
        # The nearest container with a rule decides.
        ("<form><div class=share-bar><p>Pass it on</p></div></form>", "structure.share"),
        ("<div class=wide><p>Pass it on</p></div>", None),
    ],
)
def test_the_elements_around_a_passage_give_its_rule(part: str, rule: str | None) -> None:
    assert rule_of(f"<main>{BODY}{part}</main>", "Pass it on") == rule


@pytest.mark.parametrize(
    ("part", "is_caption"),
    [
        ("<figure><figcaption>Pass it on</figcaption></figure>", True),
        ("<img src=a alt='Pass it on!'><p>Pass it on</p>", True),
        ("<img src=a alt='Pass it on!'><h2>Pass it on</h2>", False),
        ("<img src=a alt='Pass it'><p>Pass it on</p>", False),
        ("<div class=caption><p>Pass it on</p></div>", False),  # a name is no caption for sure
    ],
)
def test_the_caption_of_an_image_is_told_by_its_tag_and_by_the_text_of_the_image(
    part: str, is_caption: bool
) -> None:
    html = f"<main>{BODY}{part}</main>"
    page = page_of(html)
    passages = [Passage(index, block.text, float(index)) for index, block in enumerate(page.blocks)]
    rules = ContainerRules(gather(page, passages, about_of(html)))
    (number,) = (number for number, passage in enumerate(passages) if passage.text == "Pass it on")
    assert rules.caption_rule(number) == ("structure.caption" if is_caption else None)


def test_the_container_of_the_whole_text_has_no_rule() -> None:
    assert rule_of("<form><p>Pass it on</p><p>Send a letter</p></form>", "Pass it on") is None


def test_a_container_that_holds_much_of_the_story_has_no_rule() -> None:
    html = f"<main><p>Once more.</p><div class=share-bar>{BODY}<p>Pass it on</p></div></main>"
    assert rule_of(html, "Pass it on") is None


@pytest.mark.parametrize(
    ("html", "rule"),
    [
        (f"<main><p class=date>3 March 2026</p>{BODY}</main>", "structure.dateline"),
        (f"<main><p>{STORY[0]}</p><p class=date>3 March 2026</p>{BODY.replace(STORY[0], 'x')}</main>", None),
    ],
)
def test_a_date_goes_before_the_story_and_stays_within_it(html: str, rule: str | None) -> None:
    assert rule_of(html, "3 March 2026") == rule


def test_a_passage_that_is_not_in_the_page_has_no_rule() -> None:
    page = page_of(f"<nav>{BODY}</nav>")
    rules = ContainerRules(gather(page, [Passage(None, "Pass it on", 0.5)], about_of("<p>x</p>")))
    assert rules.rule_of(0) is None
