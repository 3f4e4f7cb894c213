"""Features from class and id names."""

from __future__ import annotations

import pytest

from pipeline.extract.model.columns import block_columns, candidate_blocks
from pipeline.extract.model.name_features import NAME_FEATURES, TokenOdds, name_features
from tests.pipeline.extract.pages import PAGE, STORY, evidence_of, page_of, shares_of


def test_odds_of_names_reach_the_blocks_below_the_named_container() -> None:
    page = page_of(PAGE)
    odds = {"newsletter": (-2.0, -1.5), "signup": (-1.0, -1.75), "related": (0.5, 0.25), "body": (0.5, 0.75)}
    candidates = candidate_blocks(block_columns([page]), evidence_of(shares_of(page, *STORY)))
    found = name_features(candidates, TokenOdds(odds))
    assert found.shape == (len(NAME_FEATURES), len(page.blocks))
    row = {
        block.text: dict(zip(NAME_FEATURES, values, strict=True))
        for block, values in zip(page.blocks, found.T.tolist(), strict=True)
    }
    line = row["Sign up for our newsletter and never miss a tide."]
    assert [line[f"token.path.{n}"] for n in range(4)] == [-2.0, 0.0, -1.75, 0.0]
    assert [line[f"token.own.{n}"] for n in range(4)] == [0.0] * 4
    assert [line[f"token.up.{n}"] for n in range(4)] == [-2.0, 0.0, -1.75, 0.0]
    below = next(values for text, values in row.items() if text.startswith("Ferry timetable changes again"))
    assert [below[f"token.path.{n}"] for n in range(4)] == [0.0, 0.5, 0.0, 0.25]
    # The container of the candidates is a feature of its own blocks, not of the path.
    assert row[STORY[0]]["token.path.1"] == 0.0
    assert row[STORY[0]]["token.up.1"] == 0.5


def test_the_extremes_of_several_words_count() -> None:
    odds = TokenOdds({"teaser": (-1.0, 0.5), "body": (2.0, -0.25), "wide": (0.5, 0.25)})
    names = [frozenset(("body-teaser", "wide")), frozenset(("wide",)), frozenset()]
    assert odds.of(names).T.tolist() == [[-1.0, 2.0, -0.25, 0.5], [0.0, 0.5, 0.0, 0.25], [0.0] * 4]
    assert odds.of([]).shape == (4, 0)


def test_words_of_names_are_runs_of_plain_letters() -> None:
    odds = TokenOdds({"teaser": (-1.0, 0.5), "body": (2.0, -0.25), "tail": (3.0, 0.0)})
    names = ["#teaser#", "1body\u00fc", "bodyteaser", "b-ody", 24 * "x" + "tail", 23 * "x" + "tail", ""]
    found = odds.of([frozenset((name,)) for name in names])[[0, 1]].T.tolist()
    teaser, body, tail, none = [-1.0, 0.0], [0.0, 2.0], [0.0, 3.0], [0.0, 0.0]
    assert found == [teaser, body, none, none, tail, none, none]


def test_odds_do_not_depend_on_the_names_seen_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.extract.model.name_features._NAMES_KEPT", 10)
    odds = TokenOdds({"teaser": (-1.0, 0.5), "body": (2.0, -0.25)})
    for start in range(0, 60, 6):
        names = [frozenset((f"body-{'x' * n}", "teaser")) for n in range(start, start + 6)]
        assert odds.of(names).T.tolist() == [[-1.0, 2.0, -0.25, 0.5]] * 6
