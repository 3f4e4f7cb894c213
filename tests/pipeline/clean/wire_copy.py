"""Paragraphs of wire copy."""

from __future__ import annotations

from pipeline.document import Block, BlockKind

BODY = "The harbour council voted on Monday to let the old ferry sail for one more winter, its chair said."


def paragraphs(*texts: str) -> tuple[tuple[int, Block], ...]:
    return tuple((n, Block(BlockKind.PARAGRAPH, text)) for n, text in enumerate(texts))


def texts_of(blocks: tuple[tuple[int, Block], ...]) -> list[str]:
    return [block.text for _, block in blocks]
