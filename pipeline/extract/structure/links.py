"""Rules on what leads to other stories: lines and lists of links, and teasers."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.document import BlockKind
from pipeline.extract.structure.evidence import Evidence
from pipeline.page import Page, RawBlock

# A list is one of links if more than this share of its characters is linked, and one of headlines if its
# items have this many words on average.
_LIST_LINKED = 0.6
_HEADLINE_WORDS = 6
# A menu in one line has so many links, bars between them, this share of linked text, and no more words.
_MENU_LINKS = 3
_MENU_LINKED = 0.4
_MENU_WORDS = 25
_BARS = "|·•»/"
# A teaser has at most this many words; its box at most so many blocks, and so many of prose.
_TEASER_WORDS = 60
_BOX_BLOCKS = 7
_BOX_PROSE = 2
# Levels of containers around a block that may be the box of its teaser.
_BOX_LEVELS = 3


def teasers_among(page: Page, indices: Iterable[int]) -> set[int]:
    """Which of the blocks at these indices are teasers.

    A teaser is a short text in a small box of its own that also holds a linked headline.
    """
    with_headline = _containers_with_linked_headline(page)
    return {index for index in indices if _is_teaser(page, page.blocks[index], with_headline)}


def _is_teaser(page: Page, block: RawBlock, with_headline: set[int]) -> bool:
    if len(block.words) > _TEASER_WORDS:
        return False
    for container in page.path(block.container)[:_BOX_LEVELS]:
        first, end = page.containers.first[container], page.containers.end[container]
        if end - first > _BOX_BLOCKS:
            return False
        if sum(inside.is_prose for inside in page.blocks[first:end]) > _BOX_PROSE:
            return False
        if container in with_headline:
            return True
    return False


def _containers_with_linked_headline(page: Page) -> set[int]:
    """Containers that hold a block that is one link, directly or two levels down."""
    return {
        container
        for block in page.blocks
        if block.link_chars and len(block.words) >= 3 and block.link_density > 0.8
        for container in page.path(block.container)[:_BOX_LEVELS]
    }


def linked_lines(evidence: Evidence) -> set[int]:
    """Numbers of single lines that are one link, between passages that are none: "More: …"."""
    blocks = evidence.blocks
    found = set()
    for number, block in enumerate(blocks):
        if block is None or not block.link_chars:
            continue
        if block.kind is not BlockKind.PARAGRAPH or block.link_density <= 0.9:
            continue
        beside = [blocks[n] for n in (number - 1, number + 1) if 0 <= n < len(blocks)]
        is_alone = all(other is None or other.link_density < 0.5 for other in beside)
        if is_alone and 4 <= len(block.words) <= 30 and not block.text.endswith("."):
            found.add(number)
    return found


def menu_lines(evidence: Evidence) -> set[int]:
    """Numbers of lines that are a menu: three links or more, with bars between them and few words beside."""
    return {
        number
        for number, block in enumerate(evidence.blocks)
        if block is not None
        and block.links >= _MENU_LINKS
        and block.link_density >= _MENU_LINKED
        and len(block.words) <= _MENU_WORDS
        and sum(map(block.text.count, _BARS)) >= _MENU_LINKS - 1
    }


def link_lists(evidence: Evidence) -> set[int]:
    """Numbers of the items of lists of headlines, nearly all linked."""
    page, containers = evidence.page, evidence.page.containers
    items: dict[int, list[int]] = {}
    for number, block in enumerate(evidence.blocks):
        if block is not None and block.kind is BlockKind.LIST_ITEM:
            around = page.path(block.container)[:4]
            holder = next((c for c in around if containers.tag[c] in ("ul", "ol")), None)
            if holder is not None:
                items.setdefault(holder, []).append(number)
    found: set[int] = set()
    for holder, numbers in items.items():
        if len(numbers) < 2:
            continue
        held = page.blocks[containers.first[holder] : containers.end[holder]]
        if sum(block.link_chars for block in held) <= _LIST_LINKED * sum(len(block.text) for block in held):
            continue
        words = sum(len(evidence.passages[number].text.split()) for number in numbers)
        if words >= _HEADLINE_WORDS * len(numbers):
            found.update(numbers)
    return found


def teasers_at_the_end(evidence: Evidence) -> set[int]:
    """Numbers of teasers after the story's last paragraph; none if they are few, or half of the page."""
    passages = evidence.passages
    teasers = teasers_among(evidence.page, {p.index for p in passages if p.index is not None})
    found: set[int] = set()
    for number in range(len(passages) - 1, -1, -1):
        if passages[number].index in teasers:
            found.add(number)
        elif len(passages[number].text.split()) >= 15:
            break
    return found if 3 <= len(found) < 0.5 * len(passages) else set()
