"""Copydesk's own extractor: Trafilatura's text and the regions of prose, judged by rules and by the model.

The structural rules look at all that either reader has taken. Those that are a veto decide; the others decide
only where Trafilatura has not kept the block, and are evidence for the model where it has. The block model
weighs every block of the page. It may drop a candidate (rule `model.block` with its probability) and may add
a block that no reader has taken. Where it would keep hardly any text, Trafilatura's text stands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.document import BlockKind
from pipeline.extract.candidates import Candidates, find_candidates, whole_blocks
from pipeline.extract.choice import Choice
from pipeline.extract.model import (
    KEPT,
    BlockColumns,
    BlockEvidence,
    BlockModel,
    BlockSelection,
    StatedTexts,
    block_columns,
    keep_probabilities,
    rule_number,
    select_blocks,
    shares_of_blocks,
)
from pipeline.extract.open_page import OpenPage
from pipeline.extract.structure import Judged, judge_passages
from pipeline.page import Page


def find_articles(opened: Sequence[OpenPage], model: BlockModel | None = None) -> list[Choice]:
    """The article of each page. model: the shipped one by default."""
    if not opened:
        return []
    columns = block_columns([one.page for one in opened])
    candidates = find_candidates(columns, opened)
    judged = judge(opened, candidates)
    return choose(columns, opened, candidates, judged, model)


def judge(opened: Sequence[OpenPage], candidates: Sequence[Candidates]) -> list[list[Judged]]:
    """What the structural rules say of the candidates of each page."""
    return [
        judge_passages(one.page, found.either(), one.about)
        for one, found in zip(opened, candidates, strict=True)
    ]


def choose(
    columns: BlockColumns,
    opened: Sequence[OpenPage],
    candidates: Sequence[Candidates],
    judged: Sequence[Sequence[Judged]],
    model: BlockModel | None = None,
) -> list[Choice]:
    """The choice of the block model among the judged candidates of each page."""
    evidence = block_evidence(columns, candidates, judged)
    stated = [StatedTexts(one.about.titles, one.about.descriptions) for one in opened]
    probabilities = keep_probabilities(columns, evidence, stated, model)
    selections = select_blocks(columns, probabilities, evidence)
    return [
        _as_selected(one.page, found, passages, selection)
        for one, found, passages, selection in zip(opened, candidates, judged, selections, strict=True)
    ]


def block_evidence(
    columns: BlockColumns, candidates: Sequence[Candidates], judged: Sequence[Sequence[Judged]]
) -> BlockEvidence:
    """What readers and rules say of all blocks.

    A rule that is no veto decides only of what Trafilatura has not kept.
    """
    blocks = len(columns.words)
    share, own = np.zeros((2, blocks), dtype=np.float32)
    rules = np.zeros(blocks, dtype=np.intp)
    vetoed = np.zeros(blocks, dtype=np.bool_)
    pages = zip(columns.parts(), columns.pages, candidates, judged, strict=True)
    for part, page, found, passages in pages:
        share[part] = shares_of_blocks(page, found.by_trafilatura or ())
        own[part] = shares_of_blocks(page, found.by_prose)
        for passage, rule, is_veto in passages:
            if passage.index is not None and rule is not None:
                at = part.start + passage.index
                rules[at] = rule_number(rule)
                vetoed[at] = is_veto or share[at] < KEPT
    return BlockEvidence(share, own, rules, vetoed)


def _as_selected(
    page: Page, candidates: Candidates, judged: Sequence[Judged], selection: BlockSelection
) -> Choice:
    is_without = candidates.by_trafilatura is None
    if selection.is_empty:
        return Choice(_without_model(candidates, judged), is_without)
    taken = selection.keep.copy()
    for index in selection.keep.nonzero()[0].tolist():
        if index + 1 < len(taken) and _may_be_sign_off(page, index + 1):
            taken[index + 1] = True
    chosen = [Judged(passage, None) for passage in whole_blocks(page, taken)]
    for one in judged:
        passage, rule, _ = one
        if passage.index is None:
            # Text of Trafilatura that was not found among the blocks is left to the rules.
            chosen.append(one)
        elif not taken[passage.index]:
            score = selection.probability[passage.index]
            chosen.append(Judged(passage, rule or f"model.block {score:.2f}"))
    return Choice(sorted(chosen, key=lambda one: one.passage.position), is_without)


def _without_model(candidates: Candidates, judged: Sequence[Judged]) -> list[Judged]:
    """Trafilatura's text, or the region of prose where it found none, after the rules."""
    theirs = {id(passage) for passage in candidates.by_trafilatura or ()}
    return [
        one if one.rule is not None or not theirs or id(one.passage) in theirs
        else Judged(one.passage, "model.block 0.00")
        for one in judged
    ]  # fmt: skip


def _may_be_sign_off(page: Page, index: int) -> bool:
    """A word or two set like the block above may be an agency's sign-off, which the wire stage reads."""
    block, above = page.blocks[index], page.blocks[index - 1]
    is_plain = block.kind is BlockKind.PARAGRAPH and not block.links and len(block.words) <= 2
    is_beside = page.containers.parent[block.container] == page.containers.parent[above.container]
    return is_plain and block.tag == above.tag and is_beside
