"""Candidates: the passages of a page that may be its article, before rules and model judge them.

There are two ways to find them. The first pass takes the region with most of the page's prose. It is cheap,
and pages that are read together share its numpy operations. Trafilatura finds them where the model is not
sure of the first pass. To either, `repair` adds what the page's structure says was missed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.extract.model import LANDMARK_BITS, BlockColumns, main_containers
from pipeline.extract.open_page import OpenPage
from pipeline.extract.repair import repair
from pipeline.extract.structure import teasers_among
from pipeline.extract.trafilatura_adapter import article_lines
from pipeline.metadata import Metadata
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


def first_pass(columns: BlockColumns, abouts: Sequence[Metadata]) -> list[list[Passage]]:
    """The candidates of each page by its regions of prose, with what its structure adds to them.

    abouts: what each page states.
    """
    regions = prose_passages(columns)
    return [
        repair(page, passages, about)
        for page, passages, about in zip(columns.pages, regions, abouts, strict=True)
    ]


def by_trafilatura(opened: OpenPage) -> list[Passage]:
    """The candidates of a page by Trafilatura, with what the page's structure adds to them."""
    passages = align_lines(opened.page.blocks, article_lines(opened.root))
    return repair(opened.page, passages, opened.about)


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
