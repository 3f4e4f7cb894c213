"""Features of a block from its place in the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.extract.model.columns import block_columns, candidate_blocks
from pipeline.extract.model.page_features import PAGE_FEATURES, StatedTexts, page_features
from tests.pipeline.extract.pages import PAGE, STORY, evidence_of, page_of, shares_of

TITLE = "Board votes to dredge eastern channel"


def features_of(
    html: str, candidates: Sequence[str] = (), stated: StatedTexts | None = None
) -> dict[str, dict[str, float]]:
    """The features of each block of a page by its text."""
    page = page_of(html)
    share = shares_of(page, *candidates)
    taken = candidate_blocks(block_columns([page]), evidence_of(share))
    found = page_features(taken, [stated or StatedTexts()])
    assert found.shape == (len(PAGE_FEATURES), len(page.blocks))
    assert np.isfinite(found).all()
    rows = [dict(zip(PAGE_FEATURES, row, strict=True)) for row in found.T.tolist()]
    return {block.text: row for block, row in zip(page.blocks, rows, strict=True)}


def test_kinds_and_tags_are_told() -> None:
    found = features_of("<h2>A heading</h2><p>A paragraph</p><div>A box</div>")
    assert (found["A heading"]["kind.heading"], found["A heading"]["heading_level"]) == (1, 2)
    assert (found["A paragraph"]["kind.paragraph"], found["A paragraph"]["tag.p"]) == (1, 1)
    assert (found["A box"]["tag.div"], found["A box"]["heading_level"]) == (1, 0)


def test_likeness_to_title_and_description() -> None:
    stated = StatedTexts((f"{TITLE}!", "The Courier"), (STORY[0],))
    found = features_of(PAGE, STORY, stated)
    assert found[TITLE]["like_title"] == 1
    assert found[STORY[0]]["like_description"] == 1
    # Words of both, as a share of the words of either.
    mine, other = set(STORY[0].lower().replace(",", "").replace(".", "").split()), set(TITLE.lower().split())
    assert found[STORY[0]]["like_title"] == pytest.approx(len(mine & other) / len(mine | other))
    assert found["More stories"]["like_title"] == found["More stories"]["like_description"] == 0


def test_neighbours_are_those_before_and_after() -> None:
    found = features_of("<p>one</p><p>one two</p><p>one two three.</p>")
    middle = found["one two"]
    assert (middle["words-1"], middle["words+1"], middle["words-2"], middle["words+2"]) == (1, 3, -1, -1)
    assert (middle["sentence_end+1"], found["one"]["sentence_end+1"]) == (1, 0)


def test_distances_are_counted_from_the_candidates() -> None:
    found = features_of(PAGE, STORY)
    assert [found[text]["from_first"] for text in STORY] == [0, 1, 2, 3, 4]
    assert [found[text]["from_last"] for text in STORY] == [-4, -3, -2, -1, 0]
    assert found["More stories"]["since_kept"] == 2
    assert found[TITLE]["until_prose"] == 1
    assert found[STORY[2]]["section.since_heading"] == 3


def test_windows_sum_over_the_blocks_on_either_side() -> None:
    found = features_of("".join(f"<p>{'word ' * n}</p>" for n in range(1, 12)))
    row = found["word " * 5 + "word"]
    assert row["window4.words"] == sum(range(2, 11))
    assert row["window10.words"] == row["page.words"] == sum(range(1, 12))


def test_containers_tell_how_much_text_and_how_many_candidates_they_hold() -> None:
    found = features_of(PAGE, STORY)
    row = found[STORY[1]]
    assert row["up1.blocks"] == len(STORY)
    assert row["up1.kept"] == row["up1.of_kept"] == 1
    assert row["up0.of_kept"] == pytest.approx(len(STORY[1]) / sum(map(len, STORY)))
    assert (row["in_top"], found["More stories"]["in_top"]) == (1, 0)
    assert (row["in.article"], row["in.article.below"]) == (1, 0)  # the article is around all candidates
    assert found["More stories"]["in.aside.below"] == 1


def test_groups_are_those_with_one_text_one_look_or_one_heading_above() -> None:
    found = features_of(
        "<div><h2>First</h2><p class=a>one two</p><p class=a>one two three</p></div>"
        "<div><h2>Second</h2><p class=b>one two four five</p></div><p>First</p>"
    )
    assert found["one two"]["alike.blocks"] == found["one two three"]["alike.blocks"] == 2
    assert found["one two"]["alike.words"] == 2.5
    assert found["one two four five"]["alike.blocks"] == 1
    assert found["one two three"]["section.blocks"] == 3
    assert found["one two three"]["section.words"] == 6
    assert found["First"]["same"] == 2
    assert found["First"]["same_before"] == 1  # of the last one
    assert found["one two"]["same"] == 1


def test_features_of_the_page_are_those_of_all_blocks() -> None:
    found = features_of(PAGE, STORY)
    kept = sum(row["words"] for text, row in found.items() if text in STORY)
    for row in found.values():
        assert row["page.blocks"] == len(found)
        assert row["page.kept_words"] == kept
        assert row["page.prose_kept"] == 1
