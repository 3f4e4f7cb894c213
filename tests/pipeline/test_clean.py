from collections import Counter

import pytest

from pipeline.clean import Rule, Scope, clean, phrase_rules
from pipeline.document import Block, BlockKind, Extraction
from pipeline.settings import Settings

STORY = tuple(
    Block(BlockKind.PARAGRAPH, text)
    for text in (
        "The harbour council voted on Monday to let the old ferry sail for one more winter.",
        "Engineers had warned in May that the hull would not pass another inspection, the minutes show.",
        "Nobody on the quay believed it, and the skipper laughed when he was asked about the date.",
        "The vote was close, and the chair had to break the tie after a recess of twenty minutes.",
        "A new ferry is to be ordered in the spring if the county pays its share of the cost.",
        "Fares will not rise before then, the treasurer said in a letter to the residents.",
        "The next sailing is on Friday, when the mail and the newspapers go out to the islands.",
        "Tickets are sold on board, and dogs travel free as they always have on this line.",
    )
)


def extraction(*blocks: Block, language: str | None = "en") -> Extraction:
    return Extraction(blocks=blocks, title="Old ferry gets one more winter", language=language)


def kept_texts(*blocks: Block, language: str | None = "en") -> list[str]:
    kept, _ = clean(extraction(*blocks, language=language), Settings())
    return [block.text for _, block in kept]


def page_around(rule: Rule, text: str) -> tuple[Block, ...]:
    """A page with the text where the rule looks for it, so that wording alone decides."""
    if rule.scope in (Scope.SECTION, Scope.COMMENTS):
        return (*STORY, Block(BlockKind.HEADING, text))
    linked = 1.0 if rule.needs and not rule.needs & {"start", "end"} else 0.0
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
