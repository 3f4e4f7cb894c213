"""Rules on what stands twice in a page: text shown again, and pull quotes."""

from __future__ import annotations

from pipeline.document import BlockKind
from pipeline.extract.structure.evidence import Evidence

_PROSE = (BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.HEADING)
# Shorter lines may well stand twice in a story.
_MIN_CHARS = 60


def repeats(evidence: Evidence) -> set[int]:
    """Numbers of the passages of prose that say again, word for word, what the story says."""
    seen: set[str] = set()
    found: set[int] = set()
    for number, (block, key) in enumerate(zip(evidence.blocks, evidence.keys, strict=True)):
        if len(key) < _MIN_CHARS or (block is not None and block.kind not in _PROSE):
            continue
        if key in seen:
            found.add(number)
        seen.add(key)
    return found | _pull_quotes(evidence)


def _pull_quotes(evidence: Evidence) -> set[int]:
    """Numbers of the passages set apart as quotes that repeat a part of a paragraph."""
    quotes = {
        number
        for number, key in enumerate(evidence.keys)
        if len(key) >= _MIN_CHARS and _is_set_apart(evidence, number)
    }
    if not quotes:
        return quotes
    story = "\n".join(f" {key} " for number, key in enumerate(evidence.keys) if number not in quotes)
    return {number for number in quotes if f" {evidence.keys[number]} " in story}


def _is_set_apart(evidence: Evidence, number: int) -> bool:
    block = evidence.blocks[number]
    if block is None:
        return False
    containers = evidence.page.containers
    return block.kind is BlockKind.QUOTE or any(
        containers.tag[container] == "aside"
        or any("quote" in token for token in containers.tokens[container])
        for container in evidence.page.path(block.container)[:3]
    )
