"""A story of eight paragraphs, and what is kept of pages that are made around it."""

from __future__ import annotations

from pipeline.clean.boilerplate import clean
from pipeline.document import Block, BlockKind, Extraction
from pipeline.settings import Settings

STORY = tuple(
    Block(BlockKind.PARAGRAPH, text)
    for text in (
        "The harbour council voted on Monday to let the old ferry sail for one more winter.",
        "Engineers had warned in May that the hull would not pass another inspection, the minutes show.",
        "Nobody on the quay believed it, and the skipper laughed when he was asked about the date.",
        "The vote was close, and the chair had to break the tie after a recess of twenty minutes.",
        "A new ferry is to be ordered in the spring if the county pays its share of the cost.",
        "Fares will not rise before then, the treasurer said in a letter to the residents.",
        "The next sailing is on Friday, when the mail and the newspapers go out to the islands.",
        "Tickets are sold on board, and dogs travel free as they always have on this line.",
    )
)


def extraction(*blocks: Block, language: str | None = "en") -> Extraction:
    return Extraction(blocks=blocks, title="Old ferry gets one more winter", language=language)


def kept_texts(*blocks: Block, language: str | None = "en") -> list[str]:
    kept, _ = clean(extraction(*blocks, language=language), Settings())
    return [block.text for _, block in kept]


def paragraph(text: str, link_density: float = 0.0) -> Block:
    return Block(BlockKind.PARAGRAPH, text, link_density=link_density)
