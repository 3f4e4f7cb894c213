"""What a copy added, dropped and changed: only wording counts, and no sentence is lost or said twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies.differences import Change, ChangeKind, Comparison, compare
from pipeline.copies.tokens import spelling, tokens
from pipeline.copies.word_changes import PartKind
from pipeline.text import sentences

STORY = [
    "The harbour board of Port Alba said on Tuesday that it would close two of its seven ferry terminals, "
    "citing a 12.5 per cent fall in passengers since 2019.",
    "“We have waited for the summer crowds, and they did not come back,” she said.",
    "The terminals at Gull Point and Old Salt Street would close on September 30, with 146 jobs lost.",
    "A shuttle bus – the first of its kind – is to carry commuters to the central pier.",
    "Unions called the plan a blow to the outer islands and promised to fight it.",
]
ADDED = "In Brightwater the ferry clerk Anna Sundh said that regulars were worried about the market."


def marked(change: Change) -> str:
    """A changed sentence in one line: [-dropped-]{+added+}."""
    marks = {PartKind.SAME: ("", ""), PartKind.DROPPED: ("[-", "-]"), PartKind.ADDED: ("{+", "+}")}
    return "".join(f"{marks[p.kind][0]}{p.text.strip()}{marks[p.kind][1]} " for p in change.parts).strip()


def brief(found: Comparison) -> list[tuple[str, str]]:
    return [
        (c.kind.value, marked(c) if c.kind is ChangeKind.CHANGED else c.canonical or c.copy or "")
        for c in found.changes
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("12.5 per cent", "12,5%"),
        ("12.5 per cent", "12.5 percent"),
        ("seven ferry", "7 ferry"),
        ("“We have waited", '"We have waited'),
        ("back,” she", "back,» she"),
        ("bus – the first of its kind – is", "bus -- the first of its kind -- is"),
        ("The terminals", "THE TERMINALS"),
        ("since 2019. “We", "since 2019; “We"),  # a semicolon joins two sentences
        ("146 jobs", "146  jobs"),
    ],
)
def test_typography_is_no_change(old: str, new: str) -> None:
    text = " ".join(STORY)
    assert old in text
    found = compare(text, text.replace(old, new))
    assert found.changes == ()
    assert found.same >= len(STORY) - 1


def test_paragraphs_and_order_are_no_change() -> None:
    assert compare("\n".join(STORY), " ".join(STORY)).changes == ()
    assert compare("\n".join(STORY), "\n".join([STORY[0], STORY[3], *STORY[1:3], STORY[4]])).changes == ()


def test_added_and_dropped_sentences_in_their_places() -> None:
    found = compare("\n".join(STORY), "\n".join([*STORY[:2], ADDED, STORY[3]]))
    assert found.same == 3
    assert brief(found) == [("dropped", STORY[2]), ("added", ADDED), ("dropped", STORY[4])]
    assert [found.count(kind) for kind in ChangeKind] == [1, 2, 0]
    back = compare("\n".join([*STORY[:2], ADDED, STORY[3]]), "\n".join(STORY))
    assert sorted(brief(back)) == [("added", STORY[2]), ("added", STORY[4]), ("dropped", ADDED)]


@pytest.mark.parametrize(
    ("old", "new", "expected", "figures"),
    [
        ("146 jobs", "152 jobs", "with [-146-] {+152+} jobs lost", True),
        ("12.5 per cent", "13%", "citing a [-12.5 per cent-] {+13%+} fall", True),
        ("seven ferry", "8 ferry", "its [-seven-] {+8+} ferry", True),
        ("called the plan a", "described the plan as a", "[-called-] {+described+} the plan {+as+}", False),
        ("Gull Point and Old", "Gull Point, Old", "Gull Point, [-and-] Old Salt", False),
        (" and promised to fight it.", ".", "outer islands. [-and promised to fight it.-]", False),
    ],
)  # fmt: skip
def test_a_changed_sentence_shows_its_words(old: str, new: str, expected: str, figures: bool) -> None:
    text = " ".join(STORY)
    (change,) = compare(text, text.replace(old, new)).changes
    assert change.kind is ChangeKind.CHANGED
    assert expected in marked(change)
    assert change.figures is figures


def test_a_changed_sentence_in_a_script_without_blanks() -> None:
    chinese = "阿尔巴港务局星期二宣布,由于乘客人数下降12.5%,将关闭七个渡轮码头中的两个。工会表示反对。"
    (change,) = compare(chinese, chinese.replace("12.5", "31").replace("两个", "三个")).changes
    assert [p.text for p in change.parts if p.kind is PartKind.DROPPED] == ["12.5%,", "两"]
    assert [p.text for p in change.parts if p.kind is PartKind.ADDED] == ["31%,", "三"]
    assert change.figures
    japanese = "組合は反対した。モロー局長は昨年は430万クローネの赤字を出したと述べた。"
    (change,) = compare(japanese, japanese.replace("430", "530")).changes
    assert [p.text for p in change.parts if p.kind is not PartKind.SAME] == ["430", "530"]


def test_where_a_sentence_ends_hides_nothing_and_adds_nothing() -> None:
    """`6 p.m. Booms` is no end that a rule could see, and `6pm. Booms` is one."""
    one = "Tugs were to pull the ship free shortly after 6 p.m. Booms were laid around it as a precaution."
    other = one.replace("6 p.m.", "6pm.")
    assert brief(compare(one, other)) == [
        ("changed", "Tugs were to pull the ship free shortly after [-6 p.m.-] {+6pm.+}")
    ]
    (back,) = compare(other, one).changes
    assert marked(back).endswith("after [-6pm.-] {+6 p.m.+} Booms were laid around it as a precaution.")


def test_two_stories_have_nothing_in_common() -> None:
    found = compare("\n".join(STORY), f"{ADDED}\nThe council meets on Thursday at the Methodist hall.")
    assert found.same == 0
    assert found.count(ChangeKind.CHANGED) == 0
    assert len(found.changes) == len(STORY) + 2


@pytest.mark.parametrize("text", ["", "—", "* * *\n…"])
def test_a_text_without_words_has_no_sentence_to_compare(text: str) -> None:
    assert compare(text, text) == Comparison(0, ())
    assert compare(text, STORY[0]).changes == (Change(ChangeKind.ADDED, None, STORY[0]),)


words = st.sampled_from(
    [
        "the",
        "board",
        "12",
        "500",
        "per",
        "cent",
        "12,5%",
        "Alba.",
        "–",
        "x.",
        "16-year-old",
        "year",
        "港务。",
        "局",
    ]
)
texts = st.lists(words, max_size=30).map(" ".join)


@given(texts, texts)
def test_every_word_of_both_is_accounted_for(one: str, other: str) -> None:
    def folded(text: str) -> list[int]:
        found: list[int] = spelling(tokens(text)).tolist()
        return found

    assert compare(one, one).changes == ()
    found = compare(one, other)
    for change in found.changes:
        if change.kind is not ChangeKind.CHANGED:
            continue
        copy = "".join(p.text for p in change.parts if p.kind is not PartKind.DROPPED)
        dropped = "".join(p.text for p in change.parts if p.kind is PartKind.DROPPED)
        assert copy.split() == (change.copy or "").split()
        assert set(folded(dropped)) <= set(folded(change.canonical or ""))
    named = [c.copy for c in found.changes if c.copy]
    written = [s for s in sentences(other) if folded(s)]
    assert len(named) + found.same == len(written)
    assert all(named.count(s) <= written.count(s) for s in named)
