"""Repairs the candidates by the structure of the page: what was clearly missed is added.

Three things are missed often: the standfirst, which stands in the page's header and not with the text;
paragraphs in containers with the same names as those of the story, because templates cut a story up around
advertisements; and lists between two paragraphs of the story, which extractors that go by names leave out.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from pipeline.document import BlockKind
from pipeline.extract.structure import passage_key, token_rule
from pipeline.metadata import Metadata
from pipeline.page import Page, Passage, RawBlock
from pipeline.text import ends_sentence, runs_key

# Where the candidates have fewer characters, and the page a region with this many times more prose, the
# region is taken instead.
_SHORT_CHARS = 500
_RICHER = 3
_REGION_PARAGRAPHS = 3

_STANDFIRST = re.compile(
    r"standfirst|stand-first|subtitle|sub-title|subhead|sub-head|sous-titre|chapo|chapeau|(?<![a-z])de[ck]k?(?![a-z])"
    r"|(?<![a-z])le[ai]?de?(?![a-z])|lead-?text|leadtext|intro(?!duc)|teaser-?text|teasertext|vorspann|sommario|entradilla|bajada"
    r"|copete|strapline|article-?summary|article__summary|article__desc|__summary|abstract|sapo|ingress|excerpt|description"
)
# The standfirst stands at most this many blocks before the first paragraph of the story, or after it.
_BLOCKS_BEFORE, _BLOCKS_AFTER = 60, 12
# A dateline of this length may precede the words with which the page's description begins.
_DATELINE_CHARS = 30
_DESCRIPTION_CHARS = 80

# With more blocks between them, two paragraphs of the story are not neighbours.
_MOST_BETWEEN = 40
# Containers that hold this share of the story's text have the names of the story.
_STORY_SHARE = 0.4


def repair(page: Page, passages: Sequence[Passage], about: Metadata) -> list[Passage]:
    """The candidates with what was missed, in the order of the page.

    about: what the page states; its titles and descriptions show the headline and the standfirst.
    """
    return with_missed_blocks(page, richest_region(page, passages), about)


def richest_region(page: Page, passages: Sequence[Passage]) -> list[Passage]:
    """A different region of the page, where hardly anything was found and the page is full of prose."""
    chars = sum(len(passage.text) for passage in passages)
    if chars >= _SHORT_CHARS:
        return list(passages)
    prose: dict[int, int] = {}
    paragraphs: dict[int, int] = {}
    for block in page.blocks:
        if block.kind is not BlockKind.PARAGRAPH or len(block.words) < 20 or block.link_density > 0.25:
            continue
        path = page.path(block.container)
        if any(token_rule(page.containers.tokens[number]) for number in path[:4]):
            continue
        # The block's own element and the two around it: a paragraph, a column, a body.
        for number in path[:3]:
            prose[number] = prose.get(number, 0) + len(block.text)
            paragraphs[number] = paragraphs.get(number, 0) + 1
    best = max(prose, key=lambda number: (prose[number], number), default=None)
    if best is None or paragraphs[best] < _REGION_PARAGRAPHS:
        return list(passages)
    if prose[best] < max(2 * _SHORT_CHARS, _RICHER * chars):
        return list(passages)
    return [
        Passage(index, block.text, float(index))
        for index, block in enumerate(page.blocks)
        if block.link_density < 0.8 and best in page.path(block.container)
    ]


def with_missed_blocks(page: Page, passages: Sequence[Passage], about: Metadata) -> list[Passage]:
    """The passages, with standfirst, continuation of the story, and what stands between its paragraphs."""
    taken = {passage.index for passage in passages if passage.index is not None}
    if not taken:
        return list(passages)
    added = {*_standfirst(page, taken, about), *_continuation(page, taken), *_between(page, taken)} - taken
    present = {passage_key(page, passage) for passage in passages} if added else set()
    fresh = [
        Passage(index, page.blocks[index].text, float(index))
        for index in sorted(added)
        if " ".join(page.blocks[index].words) not in present
    ]
    return sorted([*passages, *fresh], key=lambda passage: passage.position)


def _standfirst(page: Page, taken: set[int], about: Metadata) -> list[int]:
    """The summary between headline and text: what the page states as its description, or names as such."""
    prose = [i for i in sorted(taken) if len(page.blocks[i].words) >= 12]
    start = prose[0] if prose else min(taken)
    titles = set(map(runs_key, about.titles))
    headline = max(
        (i for i in range(start) if page.blocks[i].tag == "h1" or " ".join(page.blocks[i].words) in titles),
        default=None,
    )
    descriptions = [*map(runs_key, about.descriptions)]
    found = []
    for index in range(max(0, start - _BLOCKS_BEFORE), min(len(page.blocks), start + _BLOCKS_AFTER)):
        block = page.blocks[index]
        if index in taken or not 5 <= len(block.words) <= 120 or block.link_density > 0.3:
            continue
        if block.kind not in (BlockKind.PARAGRAPH, BlockKind.HEADING) or block.tag == "h1":
            continue
        text = " ".join(block.words)
        if text in titles:
            continue
        is_below_headline = headline is not None and headline < index < start
        if _is_description(text, descriptions) or (
            is_below_headline and ends_sentence(block.text) and _is_named_standfirst(page, block)
        ):
            found.append(index)
    return found


def _is_description(text: str, descriptions: Sequence[str]) -> bool:
    return any(
        len(description) >= 30
        and (
            description.startswith(text)
            or description[:_DESCRIPTION_CHARS] in text[: _DESCRIPTION_CHARS + _DATELINE_CHARS]
        )
        for description in descriptions
    )


def _is_named_standfirst(page: Page, block: RawBlock) -> bool:
    return any(
        _STANDFIRST.search(token)
        for number in page.path(block.container)[:3]
        for token in page.containers.tokens[number] | block.inline_tokens
    )


def _continuation(page: Page, taken: set[int]) -> list[int]:
    """Paragraphs that were left out of containers with the same names as those that hold the story."""
    left_out = [
        index
        for index, block in enumerate(page.blocks)
        if len(block.words) >= 15
        and index not in taken
        and block.kind is BlockKind.PARAGRAPH
        and block.link_density < 0.3
    ]
    if not left_out:
        return left_out
    chars: dict[tuple[object, ...], int] = {}
    total = 0
    for index in taken:
        block = page.blocks[index]
        if len(block.words) >= 15:
            total += len(block.text)
            look = _look(page, block)
            chars[look] = chars.get(look, 0) + len(block.text)
    usual = {look for look, count in chars.items() if count >= _STORY_SHARE * total and any(look[1:])}
    return [index for index in left_out if _look(page, page.blocks[index]) in usual]


def _look(page: Page, block: RawBlock) -> tuple[object, ...]:
    """The block's tag and the class and id names of the three containers around it."""
    return (block.tag, *(page.containers.tokens[number] for number in page.path(block.container)[:3]))


def _between(page: Page, taken: set[int]) -> list[int]:
    """Prose, headings and lists between two paragraphs of the story that have the same parent element."""
    parent = page.containers.parent
    prose = [index for index in sorted(taken) if len(page.blocks[index].words) >= 8]
    found = []
    for before, after in itertools.pairwise(prose):
        parents = {parent[page.blocks[before].container], parent[page.blocks[after].container]}
        if after - before > _MOST_BETWEEN or len(parents) > 1:
            continue
        for index in range(before + 1, after):
            block = page.blocks[index]
            if index in taken or block.link_density > 0.3:
                continue
            around = page.path(block.container)[:2]
            if _belongs_between(page, block, parents) and not any(
                token_rule(page.containers.tokens[number]) for number in around
            ):
                found.append(index)
    return found


def _belongs_between(page: Page, block: RawBlock, parents: set[int]) -> bool:
    """Whether the block hangs in the page where the paragraphs before and after it do."""
    parent = page.containers.parent[block.container]
    if block.kind is BlockKind.PARAGRAPH:
        is_whole = len(block.words) >= 8 and ends_sentence(block.text)
        return parent in parents and is_whole
    if block.kind is BlockKind.LIST_ITEM:
        return parent in parents or page.containers.parent[parent] in parents
    return block.kind is BlockKind.HEADING and parent in parents
