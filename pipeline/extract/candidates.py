"""Candidates: the passages of a page that may be its article, as two readers find them.

Trafilatura reads every page. Its lines, found again among the blocks of the page, are the first view. The
second reader takes the region with most of the page's prose and what `repair` adds to it; pages that are read
together share its numpy operations. Rules and model judge what either has taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.extract.model import LANDMARK_BITS, BlockColumns, main_containers
from pipeline.extract.open_page import OpenPage
from pipeline.extract.repair import repair
from pipeline.extract.structure import teasers_among
from pipeline.extract.trafilatura_adapter import TrafilaturaFailed, article_lines
from pipeline.page import PROSE_WORDS, Page, Passage, align_lines

# The innermost container with this share of a page's prose holds the article (docs/tuning.md: _MAIN_SHARE).
_MAIN_SHARE = 0.6
# Words of one block that count: a comment without end must not outweigh a story of many paragraphs.
_COUNTED_WORDS = 120.0
# Blocks with fewer words are left to the model: "Share", "Photo: AP".
_MIN_WORDS = 4
# Links may be at most this share of a block that counts as prose, and of one that is taken.
_PROSE_LINKS, _TAKEN_LINKS = 0.35, 0.5
# Containers that hold no prose of the story, whatever their names are.
_APART = sum(LANDMARK_BITS[tag] for tag in ("nav", "footer", "aside", "form", "figcaption"))


# Trafilatura takes minutes for a page of 20,000 paragraphs. Few news pages have more blocks than this.
_MOST_BLOCKS_FOR_TRAFILATURA = 3000


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the two readers took of a page, each in the order of the page.

    by_trafilatura: None where Trafilatura failed, or where the page has too many blocks for it.
    by_prose: the region of prose with what `repair` adds to it.
    """

    by_trafilatura: list[Passage] | None
    by_prose: list[Passage]

    def either(self) -> list[Passage]:
        """What any of the two took, in the order of the page. A block that both took is there once."""
        theirs = self.by_trafilatura or []
        taken = {passage.index for passage in theirs if passage.index is not None}
        return sorted(
            [*theirs, *(passage for passage in self.by_prose if passage.index not in taken)],
            key=lambda passage: passage.position,
        )


def find_candidates(columns: BlockColumns, opened: Sequence[OpenPage]) -> list[Candidates]:
    """What the two readers take of each page. columns: the blocks of the pages."""
    return [
        Candidates(trafilatura_passages(one), repair(one.page, passages, one.about))
        for one, passages in zip(opened, prose_passages(columns), strict=True)
    ]


def trafilatura_passages(opened: OpenPage) -> list[Passage] | None:
    """Trafilatura's lines as passages of the page; None where Trafilatura failed or cannot be asked."""
    if len(opened.page.blocks) > _MOST_BLOCKS_FOR_TRAFILATURA:
        return None
    try:
        return align_lines(opened.page.blocks, article_lines(opened.root))
    except TrafilaturaFailed:
        return None


def prose_passages(columns: BlockColumns) -> list[list[Passage]]:
    """The blocks of each page that `prose_regions` takes."""
    taken = prose_regions(columns)
    return [
        whole_blocks(page, taken[part]) for page, part in zip(columns.pages, columns.parts(), strict=True)
    ]


def prose_regions(columns: BlockColumns) -> NDArray[np.bool_]:
    """Which blocks stand where most of the prose of their page stands, (blocks,)."""
    taken = np.zeros(len(columns.words), dtype=np.bool_)
    if not len(taken):
        return taken
    words, links = columns.words, columns.links
    is_inside = (columns.landmarks & _APART == 0)[columns.holder]
    is_prose = (words >= PROSE_WORDS) & (links < _PROSE_LINKS) & is_inside
    for page, part in zip(columns.pages, columns.parts(), strict=True):
        is_prose[part][list(teasers_among(page, is_prose[part].nonzero()[0].tolist()))] = False
    prose_words = columns.inside(np.where(is_prose, np.minimum(words, _COUNTED_WORDS), 0.0))
    is_taken = is_inside & (links < _TAKEN_LINKS) & (words >= _MIN_WORDS)
    for top in main_containers(columns, prose_words, _MAIN_SHARE):
        blocks = slice(columns.first[top], columns.end[top])
        taken[blocks] = is_taken[blocks]
    return taken


def whole_blocks(page: Page, taken: NDArray[np.bool_]) -> list[Passage]:
    """The blocks that are taken, as passages. taken: of every block of the page, (blocks,)."""
    return [Passage(index, page.blocks[index].text, float(index)) for index in taken.nonzero()[0].tolist()]
