"""The evidence on a pair, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copydesk.terminal.evidence import HEADINGS, columns, facts, verdict
from pipeline.copies import Conflicts, Judgement, Refusal
from pipeline.copies.verification import PairKind
from storage.reader import Copy
from storage.upkeep import PairEvidence
from storage.writing.groups import SharedBands

PAIR = Copy(3, 12, "partial", 0.4, 0.9, 0, 140, 12, 152, True)
COPIES = PairEvidence(
    article_id=3,
    other_id=12,
    group_id=3,
    other_group_id=3,
    stated=False,
    shared=SharedBands(near=5, winnowed=2, far=1, apart=0, agreeing=19, values=48, is_candidate=True),
    judgement=Judgement(
        None, PairKind.PARTIAL, 0.4, 0.9, 0.55, 0.25, 0.0, 0.95, 0.8, Conflicts(10, 1, 15, 0)
    ),
    stored=PAIR,
    path=(3, 12),
)
OTHERS = replace(
    COPIES,
    other_group_id=12,
    shared=SharedBands(near=1, winnowed=0, far=0, apart=2, agreeing=1, values=48, is_candidate=False),
    judgement=Judgement(Refusal.CONTAINMENT, None, 0.2, 0.3, 0.775, 2.5, 0.5),
    stored=None,
    path=(),
)


def test_copies() -> None:
    assert verdict(COPIES) == "3 and 12 are copies"
    assert dict(facts(COPIES)) == {
        "index": "candidates: neighbours in 5 near bands, 2 winnowed bands and 1 far band, 19 of 48 values"
        " agree",
        "time": "6.0 hours apart",
        "containment": "90% of the shorter text is in the longer, 55% needed",
        "names and figures": "95% of those in shared passages are in the longer text, 80% needed",
        "conflicts": "1 of 10 figures and 0 of 15 names in the same places differ",
    }


def test_what_are_no_copies() -> None:
    assert verdict(OTHERS) == "3 and 12 are no copies: too little of the shorter text is in the longer"
    assert dict(facts(OTHERS)) == {
        "index": "no candidates, so never compared: neighbours in 1 near band,"
        " 1 of 48 values agree; 2 shared bands with too much time or too many articles between",
        "time": "2.5 days apart, so more has to agree",
        "containment": "30% of the shorter text is in the longer, 78% needed",
    }


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            replace(COPIES, stored=replace(PAIR, joins=False), other_group_id=12, path=()),
            "are copies, but this joins no group: one of them holds several stories, and is in the group of",
        ),
        (replace(COPIES, stored=None, path=(3, 5, 12)), "not propose them; they are in one group through 5"),
        (replace(OTHERS, other_group_id=3, path=(3, 5, 7, 12)), "; they are in one group through 5, 7"),
    ],
)
def test_groups_and_pairs_that_differ(found: PairEvidence, said: str) -> None:
    assert said in verdict(found)


def test_what_the_index_does_not_have() -> None:
    undated = replace(OTHERS, shared=None, judgement=replace(OTHERS.judgement, days=None, doubt=0.25))
    assert dict(facts(undated))["index"] == "no candidates, so never compared: one of them has no signature"
    assert dict(facts(undated))["time"] == "one has no date, so more has to agree"
    assert columns(undated)[5:] == ("no date", "", "")
    stated = dict(facts(replace(undated, stated=True)))["index"]
    assert stated == "candidates: one of them has no signature; one states that it is a copy of the other"


def test_pairs_in_a_table() -> None:
    assert dict(zip(HEADINGS, columns(COPIES), strict=True)) == {
        "pair": "3 and 12",
        "kind": "partial",
        "in the longer": "90% (55%)",
        "names and figures": "95% (80%)",
        "conflicts": "1 of 25",
        "apart": "6.0 hours",
        "bands": "8",
        "values": "19 of 48",
    }
    assert columns(OTHERS)[1:5] == ("", "30% (78%)", "", "")
    assert columns(replace(COPIES, stored=replace(PAIR, joins=False)))[1] == "partial, joins no group"
