"""Rules by the elements around a passage: their tags, their names, and the captions of images."""

from __future__ import annotations

from pipeline.document import BlockKind
from pipeline.extract.structure.evidence import Evidence
from pipeline.extract.structure.names import token_rule
from pipeline.page import RawBlock

_TAGS = {"nav": "structure.navigation", "form": "structure.form", "figcaption": "structure.caption"}
_HEADING_TAGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
# A container that holds more of the story's text than this share, and more than this many characters, is a
# part of the story, whatever its name is.
_STORY_SHARE = 0.2
_STORY_CHARS = 500
# Texts of images are short; a longer text that equals one is a story's own.
_CAPTION_WORDS = 45
_DATELINE_WORDS = 12


class ContainerRules:
    """The rules of a page's containers, each found once."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._containers = evidence.page.containers
        self._rules: dict[int, str | None] = {}

    def caption_rule(self, number: int) -> str | None:
        """The rule that drops a passage because it is the caption of an image, if it is."""
        block = self._evidence.blocks[number]
        is_caption = block is not None and self._is_caption(block, self._evidence.keys[number])
        return "structure.caption" if is_caption else None

    def rule_of(self, number: int) -> str | None:
        """The rule that is against a passage for the names and tags around it, if any."""
        block = self._evidence.blocks[number]
        if block is None:
            return None
        rule = token_rule(block.inline_tokens) or self._rule_inside(block.container)
        if rule == "structure.dateline" and not self._is_dateline(number, block):
            return None
        return rule

    def _rule_inside(self, container: int) -> str | None:
        """The rule of a container, or that of the nearest one around it and below the top."""
        if container in self._rules:
            return self._rules[container]
        rule = None
        if container != self._evidence.top:
            rule = self._own_rule(container)
            parent = self._containers.parent[container]
            if rule is None and parent != container:
                rule = self._rule_inside(parent)
        self._rules[container] = rule
        return rule

    def _own_rule(self, container: int) -> str | None:
        """The rule of one container by its tag and names, unless it holds too much of the text."""
        tag = self._containers.tag[container]
        rule = _TAGS.get(tag)
        if rule is None and tag not in _HEADING_TAGS:
            rule = token_rule(self._containers.tokens[container])
        most = max(_STORY_SHARE * self._evidence.chars, _STORY_CHARS)
        return None if self._evidence.chars_inside[container] > most else rule

    def _is_caption(self, block: RawBlock, key: str) -> bool:
        if block.kind is BlockKind.CAPTION:
            around = self._evidence.page.path(block.container)[:4]
            if any(self._containers.tag[container] == "figcaption" for container in around):
                return True
        return (
            3 <= len(block.words) <= _CAPTION_WORDS
            and block.kind is BlockKind.PARAGRAPH
            and key in self._evidence.page.alt_texts
        )

    def _is_dateline(self, number: int, block: RawBlock) -> bool:
        """Such names are also given to whole texts: only a short line before or after the story counts."""
        is_outside = number < self._evidence.first_paragraph or number > self._evidence.last_paragraph
        return is_outside and len(block.words) <= _DATELINE_WORDS and block.kind is not BlockKind.HEADING
