"""Chooses the passages of the article among the candidates: structural rules first, then the block model.

The model may drop a passage that the rules keep (rule `model.block` with its probability) and may add a
block that no candidate holds. It never brings back what a rule drops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.document import BlockKind
from pipeline.extract.candidates import whole_blocks
from pipeline.extract.model import (
    BlockColumns,
    BlockModel,
    BlockSelection,
    StatedTexts,
    keep_probabilities,
    select_blocks,
    shares_of_blocks,
)
from pipeline.extract.structure import Judged, judge_passages
from pipeline.metadata import Metadata
from pipeline.page import Page, Passage

# A text of so many words is a story, and one several times as long has taken in what stands around it.
_STORY_WORDS = 100
_PADDED = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """Which passages of a page are the article.

    passages: in the order of the page. expected_f1: the F1 of the kept text that the model expects, in words,
    0 to 1; how sure it is.
    """

    passages: list[Judged]
    expected_f1: float

    @property
    def kept(self) -> list[Passage]:
        return [passage for passage, rule in self.passages if rule is None]


def choose(
    columns: BlockColumns,
    candidates: Sequence[Sequence[Passage]],
    abouts: Sequence[Metadata],
    model: BlockModel | None = None,
) -> list[Choice]:
    """The choice of each page among its candidates, by rules and model.

    columns: the blocks of the pages. candidates, abouts: of each page. model: the shipped one by default.
    """
    judged = [
        judge_passages(page, passages, about)
        for page, passages, about in zip(columns.pages, candidates, abouts, strict=True)
    ]
    return choose_by_model(columns, judged, abouts, model)


def choose_by_model(
    columns: BlockColumns,
    judged: Sequence[Sequence[Judged]],
    abouts: Sequence[Metadata],
    model: BlockModel | None = None,
) -> list[Choice]:
    """As `choose`, after the rules have judged the candidates of each page."""
    of_pages = list(zip(columns.pages, judged, strict=True))
    candidate, ruled = np.zeros((2, len(columns.words)), dtype=np.float32)
    for part, (page, passages) in zip(columns.parts(), of_pages, strict=True):
        candidate[part] = shares_of_blocks(page, [passage for passage, _ in passages])
        ruled[part] = shares_of_blocks(page, [passage for passage, rule in passages if rule is None])
    stated = [StatedTexts(about.titles, about.descriptions) for about in abouts]
    probabilities = keep_probabilities(columns, candidate, ruled, stated, model)
    selections = select_blocks(columns, probabilities, candidate, ruled)
    return [
        _as_selected(page, passages, about, selection)
        for (page, passages), about, selection in zip(of_pages, abouts, selections, strict=True)
    ]


def _as_selected(page: Page, judged: Sequence[Judged], about: Metadata, selection: BlockSelection) -> Choice:
    """What the rules made of the candidates, changed to what the model selects."""
    if selection.is_empty:
        return Choice(list(judged), selection.expected_f1)
    taken = selection.keep.copy()
    for index in selection.keep.nonzero()[0].tolist():
        if index + 1 < len(taken) and _may_be_sign_off(page, index + 1):
            taken[index + 1] = True
    candidates = {passage.index for passage, _ in judged}
    kept = whole_blocks(page, taken)
    if all(passage.index in candidates for passage in kept):
        chosen = [Judged(passage, None) for passage in kept]
    else:
        # The rules have not seen what the model adds. Lists of links, teasers and further articles are found
        # by what stands beside them, so the additions are judged in their place.
        chosen = judge_passages(page, kept, about, exempt=candidates)
    for passage, rule in judged:
        if passage.index is None:
            # Text that was not found in the page is left to the rules.
            chosen.append(Judged(passage, rule))
        elif not taken[passage.index]:
            score = selection.probability[passage.index]
            chosen.append(Judged(passage, rule or f"model.block {score:.2f}"))
    return Choice(sorted(chosen, key=lambda judged: judged.passage.position), selection.expected_f1)


def _may_be_sign_off(page: Page, index: int) -> bool:
    """A word or two set like the block above may be an agency's sign-off, which the wire stage reads."""
    block, above = page.blocks[index], page.blocks[index - 1]
    is_plain = block.kind is BlockKind.PARAGRAPH and not block.links and len(block.words) <= 2
    is_beside = page.containers.parent[block.container] == page.containers.parent[above.container]
    return is_plain and block.tag == above.tag and is_beside


def better_choice(first: Choice, by_trafilatura: Choice) -> Choice:
    """The choice with the higher expected F1, unless Trafilatura's text is several times as long as a story.

    Where the model expects nothing of either, it is Trafilatura's.
    """
    words, their_words = (
        sum(len(passage.text.split()) for passage in choice.kept) for choice in (first, by_trafilatura)
    )
    is_padded = words >= _STORY_WORDS and their_words > _PADDED * words
    return first if is_padded or by_trafilatura.expected_f1 < first.expected_f1 else by_trafilatura
