"""The rule on further articles of a page: a feed of stories below the first one."""

from __future__ import annotations

from pipeline.document import BlockKind
from pipeline.extract.structure.evidence import Evidence
from pipeline.page import RawBlock


def other_articles(evidence: Evidence) -> set[int]:
    """Numbers of the passages in a further <article> that begins with a headline of its own."""
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
