"""The blocks of pages as arrays."""

from __future__ import annotations

import numpy as np

from pipeline.extract.model.columns import (
    LANDMARK_BITS,
    NUMBERED_RULES,
    block_columns,
    candidate_blocks,
    main_containers,
    rule_number,
    running_sums,
)
from tests.pipeline.extract.pages import PAGE, STORY, evidence_of, page_of, shares_of


def test_pages_stand_side_by_side() -> None:
    first, second = (
        page_of("<div><p>one two</p><p>three</p></div>"),
        page_of("<p><a href=/>four five</a> six</p>"),
    )
    columns = block_columns([first, second])
    assert columns.texts == ("one two", "three", "four five six")
    assert columns.words.tolist() == [2, 1, 3]
    assert columns.page_of.tolist() == [0, 0, 1]
    assert (columns.low.tolist(), columns.high.tolist()) == ([0, 0, 2], [2, 2, 3])
    assert [columns.tags[holder] for holder in columns.holder] == ["p", "p", "p"]
    assert columns.holder[2] >= columns.roots[1] == len(first.containers)
    assert columns.links.tolist() == [0, 0, np.float32(9 / 13)]
    assert [list(columns.texts[part]) for part in columns.parts()] == [
        ["one two", "three"],
        ["four five six"],
    ]


def test_sums_are_those_of_all_blocks_in_a_container_and_on_a_page() -> None:
    columns = block_columns([page_of("<div><p>a</p><p>b</p></div><p>c</p>"), page_of("<p>d</p>")])
    values = np.array([1.0, 2.0, 4.0, 8.0])
    assert columns.by_page(values).tolist() == [7, 8]
    in_container = dict(zip(columns.tags[:6], columns.inside(values)[:6].tolist(), strict=True))
    assert (in_container["html"], in_container["div"]) == (7, 3)
    assert running_sums(values).tolist() == [0, 1, 3, 7, 15]


def test_landmarks_reach_all_that_stands_in_them() -> None:
    columns = block_columns([page_of(PAGE), page_of("<aside><div hidden><p>x</p></div></aside>")])
    for number, holder in enumerate(columns.holder.tolist()):
        around = columns.path(holder)
        tags = {columns.tags[container] for container in around}
        if any("hidden" in columns.tokens[container] for container in around):
            tags.add("hidden")
        expected = sum(bit for name, bit in LANDMARK_BITS.items() if name in tags)
        assert columns.landmarks[holder] == expected, columns.texts[number]


def test_the_main_container_is_the_deepest_with_most_of_the_kept_text() -> None:
    columns = block_columns([page_of("<div><p>a</p><p>b</p></div>"), page_of("<p>c</p>")])
    assert columns.depth.tolist() == [0, 1, 2, 3, 4, 4, 0, 1, 2, 3]

    def found(*kept: float) -> list[int]:
        return main_containers(columns, np.array([100.0, 100.0, 100.0, *kept, 9.0, 9.0, 9.0, 8.0]))

    assert found(90.0, 85.0, 5.0) == [4, 9]
    assert found(90.0, 45.0, 45.0) == [3, 9]
    assert main_containers(columns, np.zeros(10)) == [0, 6]


def test_candidates_are_summed_by_container() -> None:
    page = page_of(PAGE)
    share = shares_of(page, *STORY[1:], "More stories")
    evidence = evidence_of(share, shares_of(page, *STORY), ruled_out=shares_of(page, "More stories"))
    candidates = candidate_blocks(block_columns([page]), evidence)
    chars, _, prose, taken, blocks, ruled = candidates.inside[:, 0]
    assert (prose, blocks) == (len(STORY), len(STORY))
    # Candidates are what Trafilatura took; the rules keep what either reader took.
    assert taken == sum(map(len, STORY[1:])) + len("More stories")
    assert ruled == sum(map(len, STORY))
    assert chars == sum(len(block.text) for block in page.blocks)
    assert candidates.columns.tokens[candidates.top_paths[0][0]] == {"article-body"}


def test_every_rule_has_a_number_and_rules_without_a_feature_share_the_last() -> None:
    numbers = [rule_number(rule) for rule in NUMBERED_RULES]
    assert numbers == list(range(1, len(NUMBERED_RULES) + 1))
    assert rule_number(None) == 0
    assert rule_number("structure.form") == rule_number("structure.dialog") == numbers[-1] + 1
