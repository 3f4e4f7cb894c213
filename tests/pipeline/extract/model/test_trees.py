"""The block model: its trees, and what it keeps of pages it has never seen."""

from __future__ import annotations

from importlib import resources

import lxml.html
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.model.columns import Columns, columns_of, view_of
from pipeline.extract.model.name_features import TokenOdds
from pipeline.extract.model.page_features import Stated
from pipeline.extract.model.trees import (
    NAMES,
    BlockModel,
    Decision,
    decide,
    expected_f1,
    hopeless,
    keep_probabilities,
    load_model,
    shares,
)
from pipeline.page.blocks import Page, segment_page

STORY = [
    "The harbour board voted on Tuesday to dredge the eastern channel, ending a dispute that has "
    "divided the town for almost nine years and cost two chairmen their seats.",
    "Work is to begin in March, according to the board's engineer, who said that the contract had "
    "gone to a firm from the other side of the bay because no local company had offered a bid.",
    "Fishermen had opposed the plan. They fear that the spoil, which will be dumped six miles "
    "out, could drift back over the mussel beds on which forty families live.",
    "“We were promised a survey and we never saw one,” said Ada Brennick, who speaks for the "
    "co-operative. She added that the members would meet on Friday to decide whether to go to court.",
    "The board's chairman said the survey would be published before the first barge leaves the quay.",
]
MENU = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("News", "Sport", "Harbour", "Weather"))
BODY = "".join(f"<p>{text}</p>" for text in STORY)

PAGE = f"""<html><body>
<nav class="main-menu"><ul>{MENU}</ul></nav>
<main><article class="article"><h1>Board votes to dredge eastern channel</h1>
<div class="article-body">{BODY}</div>
<div class="newsletter-signup"><p>Sign up for our newsletter and never miss a tide.</p></div>
</article></main>
<aside class="related-stories"><h3>More stories</h3><ul>
<li><a href="/1">Ferry timetable changes again after the autumn storms</a></li>
<li><a href="/2">Lighthouse keeper retires with a concert on the pier</a></li></ul></aside>
<footer class="site-footer"><p>© The Channel Courier. All rights reserved.</p></footer>
</body></html>"""


def page_of(html: str) -> Page:
    return segment_page(lxml.html.document_fromstring(html))


def judged(columns: Columns, verdict: np.ndarray, ruled: np.ndarray, *titles: str) -> Decision:
    (found,) = decide(columns, keep_probabilities(columns, verdict, ruled, [Stated(titles)]), verdict, ruled)
    return found


def verdict_of(page: Page, *texts: str) -> np.ndarray:
    return np.array([float(block.text in texts) for block in page.blocks], dtype=np.float32)


def stump(feature: int, threshold: float, left: float, right: float) -> BlockModel:
    """One tree of two leaves over the column `words`."""
    limits = np.array([[threshold], [np.inf]], dtype=np.float32)
    masks = np.array([[0b1], [0]], dtype=np.uint16)
    leaves = np.zeros((1, 16), dtype=np.float32)
    leaves[0, :2] = left, right
    return BlockModel(TokenOdds({}), ("words",), np.full((2, 1), feature), limits, masks, leaves)


def test_a_stump_sends_greater_values_right() -> None:
    model = stump(0, 10.0, left=-2.0, right=2.0)
    found = model.probabilities(np.array([[9.0, 10.0, 10.5]], dtype=np.float32))
    low, high = 1 / (1 + np.exp(2.0)), 1 / (1 + np.exp(-2.0))
    assert found == pytest.approx([low, low, high], abs=1e-6)


def test_trees_exit_where_walking_them_exits() -> None:
    # ((x0 <= 0 ? A : B) under x1 <= 0) else (x0 <= 5 ? C : D), nodes in any order
    model = BlockModel(
        odds=TokenOdds({}),
        columns=("words", "chars"),
        feature=np.array([[1], [0], [0]]),
        threshold=np.array([[0.0], [5.0], [0.0]], dtype=np.float32),
        removed=np.array([[0b0011], [0b0100], [0b0001]], dtype=np.uint16),
        leaves=np.array([[0.0, 1.0, 2.0, 3.0, *[9.0] * 12]], dtype=np.float32),
    )

    def walked(x0: float, x1: float) -> float:
        if x1 <= 0:
            return 0.0 if x0 <= 0 else 1.0
        return 2.0 if x0 <= 5 else 3.0

    rows = [(x0, x1) for x0 in (-1.0, 0.0, 3.0, 5.0, 7.0) for x1 in (-1.0, 0.0, 2.0)]
    found = model.probabilities(np.array(rows, dtype=np.float32).T)
    assert found == pytest.approx([1 / (1 + np.exp(-walked(*row))) for row in rows], abs=1e-6)


def test_a_page_of_many_blocks_is_judged_as_in_one_piece() -> None:
    model = load_model()
    rng = np.random.default_rng(4)
    matrix = rng.normal(scale=30, size=(len(model.columns), 1300)).astype(np.float32)
    whole = model.probabilities(matrix)
    apart = np.concatenate([model.probabilities(block[:, None]) for block in matrix.T])
    assert whole == pytest.approx(apart, abs=1e-5)


def test_the_model_is_small_and_reads_only_features_that_are_made() -> None:
    stored = resources.files("pipeline.extract.model").joinpath("blockmodel.npz").read_bytes()
    assert len(stored) < 1_000_000
    assert set(load_model().columns) <= set(NAMES)


def test_the_story_is_kept_and_the_page_around_it_is_not() -> None:
    page = page_of(PAGE)
    verdict = verdict_of(page, *STORY)
    decision = judged(columns_of([page]), verdict, verdict, "Board votes to dredge eastern channel")
    assert decision.believed
    assert [block.text for block, keep in zip(page.blocks, decision.keep, strict=True) if keep] == STORY


def test_what_the_extractor_took_by_mistake_is_less_likely_than_the_story() -> None:
    page = page_of(PAGE)
    wrong = ("Sign up for our newsletter and never miss a tide.",)
    verdict = verdict_of(page, *STORY, *wrong)
    found = keep_probabilities(columns_of([page]), verdict, verdict, [Stated()])
    by_text = {block.text: p for block, p in zip(page.blocks, found, strict=True)}
    assert by_text[wrong[0]] < min(by_text[text] for text in STORY)


def test_links_far_from_all_that_is_taken_are_not_judged() -> None:
    menu = "".join(f'<p><a href="/{n}">A story of another day, number {n}</a></p>' for n in range(12))
    page = page_of(f"<html><body>{menu}<main><article>{BODY}</article></main></body></html>")
    columns, taken = columns_of([page]), verdict_of(page, *STORY)
    passed_over = hopeless(view_of(columns, taken, taken))
    assert passed_over.tolist() == [True] * 8 + [False] * (4 + len(STORY))
    found = keep_probabilities(columns, taken, taken, [Stated()])
    assert (found > 0).tolist() == (~passed_over).tolist()
    # of a page of which nothing is taken, any block may be the story
    assert not hopeless(view_of(columns, taken * 0, taken * 0)).any()


def test_a_page_that_the_model_would_empty_is_left_to_the_rules() -> None:
    page = page_of("<html><body><div><p>Closed today.</p></div></body></html>")
    decision = judged(columns_of([page]), np.ones(1), np.ones(1))
    assert not decision.believed
    assert decision.expected == 0.0
    assert decision.keep.tolist() == [True]


def test_what_a_rule_drops_stays_out_and_what_nobody_took_needs_more_than_what_the_rules_keep() -> None:
    page = page_of("<html><body>" + "".join(f"<p>{text}</p>" for text in STORY) + "</body></html>")
    probability = np.array([0.9, 0.34, 0.34, 0.9, 0.2], dtype=np.float32)
    (decision,) = decide(columns_of([page]), probability, verdict=[1, 1, 0, 1, 1], ruled=[1, 1, 0, 0, 1])
    assert decision.keep.tolist() == [True, True, False, False, False]


def test_the_harder_a_page_is_to_judge_the_less_certain_a_block_needs_to_be() -> None:
    page = page_of("<html><body>" + "".join(f"<p>{text}</p>" for text in STORY) + "</body></html>")
    everywhere = [1.0] * len(STORY)
    sure = np.array([0.99, 0.99, 0.99, 0.99, 0.4], dtype=np.float32)
    unsure = np.array([0.6, 0.5, 0.5, 0.5, 0.4], dtype=np.float32)
    (of_sure,) = decide(columns_of([page]), sure, everywhere, everywhere)
    assert of_sure.keep.tolist() == [True, True, True, True, False]
    (of_unsure,) = decide(columns_of([page]), unsure, everywhere, everywhere)
    assert of_unsure.keep.all()


def test_the_f1_to_expect_is_that_of_the_best_choice() -> None:
    words = np.array([10.0, 10.0])
    assert expected_f1(np.array([1.0, 0.0]), words) == pytest.approx(1.0)
    # both: 2 * 10 / (20 + 10); only one of them: 2 * 5 / (10 + 10)
    assert expected_f1(np.array([0.5, 0.5]), words) == pytest.approx(2 / 3)
    assert expected_f1(np.zeros(0), np.zeros(0)) == 0.0


def test_a_page_without_blocks_has_nothing_to_keep() -> None:
    assert keep_probabilities(columns_of([page_of("<html></html>")]), [], [], [Stated()]).shape == (0,)


def test_shares_add_up_the_pieces_of_a_block() -> None:
    page = page_of("<html><body><p>abcd efgh</p><p>other</p></body></html>")
    assert shares(page, [(0, "abcd"), (0, "efgh"), (None, "elsewhere")]).tolist() == [
        pytest.approx(8 / 9),
        0.0,
    ]
    assert shares(page, [(1, "other"), (1, "other")]).tolist() == [0.0, 1.0]


_WORDS = st.sampled_from(["story", "Share", "a", "1999", "…", "http://x", "Ελλάδα", "新聞", "٣"])
_LINE = st.lists(_WORDS, min_size=1, max_size=30).map(" ".join)
_ELEMENT = st.tuples(st.sampled_from(["p", "div", "li", "h2", "figcaption", "td", "blockquote"]), _LINE)


@settings(max_examples=60, deadline=None)
@given(st.lists(_ELEMENT, min_size=1, max_size=25), st.data())
def test_any_page_and_verdict_give_probabilities(lines: list[tuple[str, str]], data: st.DataObject) -> None:
    page = page_of("<html><body>" + "".join(f"<{t}>{text}</{t}>" for t, text in lines) + "</body></html>")
    share = st.lists(st.floats(0, 1), min_size=len(page.blocks), max_size=len(page.blocks))
    verdict, ruled = data.draw(share), data.draw(share)
    stated = [Stated(("Share",), ("story a 1999",))]
    found = keep_probabilities(columns_of([page]), verdict, ruled, stated)
    assert found.shape == (len(page.blocks),)
    assert ((found >= 0) & (found <= 1)).all()
