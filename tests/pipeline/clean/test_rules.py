"""Every rule of clutter.toml removes what it is for, and leaves alone what only looks like it."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.clean.boilerplate import clean
from pipeline.clean.rules import Rule, Scope, phrase_rules
from pipeline.document import Block, BlockKind
from pipeline.settings import Settings
from tests.pipeline.clean.pages import STORY, extraction, kept_texts, paragraph


def page_around(rule: Rule, text: str) -> tuple[Block, ...]:
    """A page with the text where the rule looks for it, so that wording alone decides."""
    if rule.scope in (Scope.SECTION, Scope.COMMENTS):
        return (*STORY, Block(BlockKind.HEADING, text))
    linked = 1.0 if rule.needs and not rule.needs & {"start", "end", "late"} else 0.0
    block = Block(BlockKind.PARAGRAPH, text, link_density=linked)
    if "start" in rule.needs:
        return (block, *STORY)
    if rule.needs:
        return (*STORY, block)
    return (*STORY[:4], block, *STORY[4:])


@pytest.mark.parametrize("rule", phrase_rules(), ids=lambda rule: rule.id)
def test_a_rule_removes_what_it_is_for(rule: Rule) -> None:
    kept, removed = clean(extraction(*page_around(rule, rule.removes), language=rule.language), Settings())
    assert rule.removes not in [block.text for _, block in kept]
    assert f"phrase.{rule.id}" in {r.rule for r in removed}
    assert [block.text for _, block in kept if block in STORY] == [block.text for block in STORY]


@pytest.mark.parametrize("rule", phrase_rules(), ids=lambda rule: rule.id)
def test_a_rule_leaves_the_story_alone(rule: Rule) -> None:
    assert rule.keeps in kept_texts(*page_around(rule, rule.keeps), language=rule.language)


def test_rule_ids_are_unique_and_name_their_language() -> None:
    ids = Counter(rule.id for rule in phrase_rules())
    assert [name for name, count in ids.items() if count > 1] == []
    languages = {name.partition(".")[0] for name in ids}
    assert {"any", "en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "uk"} <= languages


def test_rules_of_another_language_do_not_speak() -> None:
    heading = paragraph("Themen: Hafen, Fähre")
    assert heading.text not in kept_texts(*STORY, heading, language="de")
    assert heading.text in kept_texts(*STORY, heading, language="fr")
    assert heading.text not in kept_texts(*STORY, heading, language=None)
