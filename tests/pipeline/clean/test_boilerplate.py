from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clean.boilerplate import clean
from pipeline.clean.rules import Rule, Scope, phrase_rules
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


def paragraph(text: str, link_density: float = 0.0) -> Block:
    return Block(BlockKind.PARAGRAPH, text, link_density=link_density)


def test_the_story_is_left_alone() -> None:
    kept, removed = clean(extraction(*STORY), Settings())
    assert kept == tuple(enumerate(STORY))
    assert removed == ()


def test_captions_go_by_kind_and_table_captions_stay() -> None:
    caption = Block(BlockKind.CAPTION, "The old ferry at the quay", tags=("figcaption", "figure"))
    heading = Block(BlockKind.CAPTION, "Sailings a week, by month", tags=("caption", "table"))
    kept, removed = clean(extraction(STORY[0], caption, heading, STORY[1]), Settings())
    assert [position for position, _ in kept] == [0, 2, 3]
    assert [(r.position, r.rule) for r in removed] == [(1, "structure.caption")]


def test_the_headline_repeated_above_its_story_goes() -> None:
    assert kept_texts(paragraph("Old ferry gets ONE more winter"), *STORY) == [b.text for b in STORY]


def test_lines_that_stand_twice_in_a_row_are_captions_unless_they_are_sentences() -> None:
    caption = "The skipper's dog waits on the quay at Northport"
    curly = caption.replace("'", "’")
    sentence = "The skipper said that he had never seen so many people on the quay."
    page = (
        STORY[0],
        *map(paragraph, (caption, curly)),
        STORY[1],
        *map(paragraph, (sentence, sentence)),
        STORY[2],
    )
    assert kept_texts(*page) == [STORY[0].text, STORY[1].text, sentence, STORY[2].text]


def test_letters_that_look_like_quotes_are_parts_of_words() -> None:
    modifier, quote = (paragraph(f"The skipper{mark}s dog waits on the quay at Northport") for mark in "ʼ’")
    assert kept_texts(STORY[0], modifier, quote, STORY[1])[1:3] == [modifier.text, quote.text]
    assert kept_texts(STORY[0], modifier, modifier, STORY[1]) == [STORY[0].text, STORY[1].text]


@pytest.mark.parametrize("end", [".", "!", '."', ".')", "。", ',"', '?"', "!)]"])
def test_a_linked_sentence_is_told_by_its_end(end: str) -> None:
    sentence = paragraph(f"The council published the letter on Monday{end}", link_density=1.0)
    assert sentence.text in kept_texts(*STORY[:4], sentence, *STORY[4:])


@pytest.mark.parametrize("end", ["", "...", "..", ".!", "?", '"', ",", "…", "?')", ";"])
def test_a_linked_teaser_is_told_by_its_end(end: str) -> None:
    teaser = paragraph(f"The council published the letter on Monday{end}", link_density=1.0)
    assert teaser.text not in kept_texts(*STORY[:4], teaser, *STORY[4:])


def test_short_labels_and_table_rows_may_repeat() -> None:
    labels = [paragraph("Good value"), paragraph("Good value")]
    rows = [Block(BlockKind.TABLE_ROW, "Northport Easthaven 9:15 11:40 daily")] * 2
    assert len(kept_texts(*STORY, *labels, *rows)) == len(STORY) + 4


def test_a_line_strewn_through_the_page_goes_everywhere() -> None:
    promotion = paragraph("Every reader of this paper owns a small part of it")
    page = [block for story in STORY[:4] for block in (story, promotion)]
    assert kept_texts(*page) == [block.text for block in STORY[:4]]


def test_a_paragraph_that_is_nothing_but_a_link_goes() -> None:
    teaser = paragraph("Ten walks along the old canal", link_density=1.0)
    sentence = paragraph("The council published the letter on Monday.", link_density=1.0)
    doubled = Block(BlockKind.HEADING, "Who owns the quay now Who owns the quay now", link_density=0.5)
    assert kept_texts(*STORY[:4], teaser, sentence, doubled, *STORY[4:]) == [
        *(block.text for block in STORY[:4]),
        sentence.text,
        *(block.text for block in STORY[4:]),
    ]


def test_links_under_a_heading_go_with_it_and_the_story_after_them_stays() -> None:
    heading = Block(BlockKind.HEADING, "More stories")
    links = [Block(BlockKind.LIST_ITEM, f"Walk {n} along the canal", link_density=1.0) for n in "abc"]
    assert kept_texts(*STORY[:4], heading, *links, *STORY[4:]) == [block.text for block in STORY]


def test_a_heading_that_introduces_story_paragraphs_stays() -> None:
    heading = Block(BlockKind.HEADING, "More from the council meeting")
    assert heading.text in kept_texts(*STORY[:3], heading, *STORY[3:])


def test_readers_comments_go_with_their_heading() -> None:
    comments = (
        Block(BlockKind.HEADING, "Related articles"),
        Block(BlockKind.LIST_ITEM, "Walk along the canal"),
        Block(BlockKind.HEADING, "3 Comments"),
        paragraph("I was on that ferry and it leaked from end to end, whatever the minutes say."),
        paragraph("Nonsense, it has never leaked in the forty years that I have travelled on it."),
    )
    assert kept_texts(*STORY, *comments) == [block.text for block in STORY]


def test_a_subheading_that_could_stand_over_comments_does_not_cut_the_story_short() -> None:
    heading = Block(BlockKind.HEADING, "What do you think?")
    assert kept_texts(*STORY[:4], heading, *STORY[4:])[-4:] == [block.text for block in STORY[4:]]


def test_several_tails_are_cut_off_one_paragraph() -> None:
    text = STORY[1].text + " Read more. (Advertisement)"
    kept, removed = clean(extraction(STORY[0], paragraph(text), STORY[2]), Settings())
    assert [block.text for _, block in kept] == [block.text for block in STORY[:3]]
    assert [(r.position, r.text) for r in removed] == [(1, "(Advertisement)"), (1, "Read more.")]


def test_a_calendar_keeps_its_dates() -> None:
    dates = [paragraph(f"May {day}, 2024") for day in range(1, 6)]
    assert kept_texts(*dates, *STORY)[:5] == [block.text for block in dates]
    assert kept_texts(dates[0], *STORY) == [block.text for block in STORY]


def test_rules_of_another_language_do_not_speak() -> None:
    heading = paragraph("Themen: Hafen, Fähre")
    assert heading.text not in kept_texts(*STORY, heading, language="de")
    assert heading.text in kept_texts(*STORY, heading, language="fr")
    assert heading.text not in kept_texts(*STORY, heading, language=None)


LINES = st.sampled_from(
    [rule.removes for rule in phrase_rules()]
    + [rule.keeps for rule in phrase_rules()]
    + [b.text for b in STORY]
)


@given(st.lists(LINES, max_size=12))
def test_every_word_is_kept_or_listed_as_removed(lines: list[str]) -> None:
    kept, removed = clean(extraction(*map(paragraph, lines), language=None), Settings())
    assert [position for position, _ in kept] == sorted({position for position, _ in kept})
    for position, line in enumerate(lines):
        pieces = [block.text for at, block in kept if at == position]
        pieces += [r.text for r in removed if r.position == position]
        assert Counter("".join(pieces).replace(" ", "")) == Counter("".join(line.split()))
