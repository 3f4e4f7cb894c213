"""Boilerplate removal: what is not the story goes, and says which rule removed it.

Evidence comes first: the kind of a block, its links, its position on the page, its repetition. Phrases come
last, and are data (clutter.toml), each with a text that it must remove and one that it must leave alone. A
line that no rule is sure of stays: clutter that is left is a smaller fault than a sentence of the story lost.
"""

from __future__ import annotations

from pipeline.clean.code import remove_code
from pipeline.clean.inline import cut_inline
from pipeline.clean.lines import lines_of
from pipeline.clean.phrases import remove_phrases, remove_sections
from pipeline.clean.rules import on_page, rules_for, site_rules
from pipeline.clean.structure import (
    remove_author_notes,
    remove_captions,
    remove_head_lines,
    remove_link_lines,
    remove_repetitions,
    remove_title,
)
from pipeline.document import Block, Extraction, Removed
from pipeline.settings import Settings
from pipeline.sites import SiteRules


def clean(
    extraction: Extraction, settings: Settings, rules: SiteRules | None = None
) -> tuple[tuple[tuple[int, Block], ...], tuple[Removed, ...]]:
    """Kept blocks, each with its position in the extraction, and what was removed from them.

    Inline tails and heads are cut off their paragraphs; a block that is left empty goes.
    `extraction.removed` is not repeated in the result. rules: of the page's site. They come before the
    general ones, so a line that both would remove is the site's.
    """
    del settings  # no general rule is adjustable yet; the signature is the stages' common one
    lines = lines_of(extraction.blocks)
    of_site = site_rules(rules) if rules is not None and rules.clutter else None
    if of_site:
        remove_sections(lines, of_site)
        remove_phrases(lines, of_site)
    left = [line for line in lines if line.rule is None]
    remove_captions(left)
    remove_code(left)
    remove_link_lines(left)
    remove_title(left, extraction.title)
    remove_head_lines(left, extraction)
    general = on_page(rules_for(extraction.language), [line.small for line in left])
    remove_sections(left, general)
    remove_phrases(left, general)
    remove_author_notes(left, extraction.authors)
    remove_repetitions(left)
    removed = [Removed(line.position, line.text, line.rule) for line in lines if line.rule]
    kept: list[tuple[int, Block]] = []
    for line in lines:
        if line.rule is None:
            for book in (of_site, general):
                if book:
                    removed += cut_inline(line, book)
            if line.text:
                kept.append((line.position, _with_text(line.block, line.text)))
    return tuple(kept), tuple(sorted(removed, key=lambda r: r.position))


def _with_text(block: Block, text: str) -> Block:
    if text == block.text:
        return block
    return Block(block.kind, text, block.link_density, block.tokens, block.tags)
