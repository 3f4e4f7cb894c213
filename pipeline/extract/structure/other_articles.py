"""The rule on further articles of a page: a feed of stories below the first one."""

from __future__ import annotations

import re

from pipeline.document import BlockKind
from pipeline.extract.structure.evidence import Evidence
from pipeline.page import Page, RawBlock

# Names of elements with the author or the date of an article.
_SIGNED = re.compile(
    r"(?:^|[-_])(?:by-?line|authors?|published|publish|pub-?date|date|date-?line|posted|meta)(?:$|[-_])"
)


def other_articles(evidence: Evidence) -> set[int]:
    """Numbers of the passages in a further article that begins with a headline of its own.

    Further articles are <article> elements beside the first, or elements of the same kind as the one with the
    page's headline and the beginning of its story.
    """
    return _further_article_elements(evidence) | _further_boxes(evidence)


def _further_article_elements(evidence: Evidence) -> set[int]:
    page, containers = evidence.page, evidence.page.containers
    if containers.tag.count("article") < 2:
        return set()
    members: dict[int, list[int]] = {}
    for number, block in enumerate(evidence.blocks):
        if block is None:
            continue
        articles = [c for c in page.path(block.container) if containers.tag[c] == "article"]
        if articles:
            members.setdefault(articles[-1], []).append(number)
    if len(members) < 2:
        return set()
    first, *rest = sorted(members)
    siblings = [article for article in rest if containers.parent[article] == containers.parent[first]]
    return {
        number
        for article in siblings
        if _is_headline_of_its_own(page.blocks[containers.first[article]])
        for number in members[article]
    }


def _is_headline_of_its_own(block: RawBlock) -> bool:
    """The entries of a live blog have headings too, but these lead nowhere."""
    return block.tag == "h1" or (block.kind is BlockKind.HEADING and block.link_density > 0.8)


def _further_boxes(evidence: Evidence) -> set[int]:
    page, containers = evidence.page, evidence.page.containers
    blocks = evidence.blocks
    headline = blocks[evidence.first_h1] if evidence.first_h1 >= 0 else None
    paragraph = blocks[evidence.first_paragraph] if evidence.first_paragraph < len(blocks) else None
    if headline is None or paragraph is None:
        return set()
    first_path = page.path(headline.container)
    story = set(page.path(paragraph.container))
    # The boxes with the headline and the beginning of the story, innermost first.
    boxes = [box for box in first_path if box in story and containers.tokens[box] and _is_signed(page, box)]
    found: set[int] = set()
    for number in range(evidence.first_paragraph + 1, len(blocks)):
        block = blocks[number]
        if number in found or block is None or not _is_headline_of_its_own(block):
            continue
        path = page.path(block.container)
        further = next((box for box in path for first in boxes if _are_alike(page, first, box)), None)
        if further is not None and further not in first_path and _is_signed(page, further):
            end = containers.end[further]
            found |= {
                n
                for n, passage in enumerate(evidence.passages)
                if passage.index is not None and containers.first[further] <= passage.index < end
            }
    return found


def _are_alike(page: Page, first: int, other: int) -> bool:
    """Whether two containers are elements of one kind, one beside the other."""
    containers = page.containers
    return (
        first != other
        and containers.parent[first] == containers.parent[other]
        and containers.tag[first] == containers.tag[other]
        and containers.tokens[first] == containers.tokens[other]
    )


def _is_signed(page: Page, box: int) -> bool:
    """Whether an element in the container has the name of one with an author or a date."""
    containers = page.containers
    blocks = page.blocks[containers.first[box] : containers.end[box]]
    inside = {number for block in blocks for number in page.path(block.container)[:4] if number > box}
    return any(
        containers.tag[number] == "time" or any(map(_SIGNED.search, containers.tokens[number]))
        for number in inside
    )
