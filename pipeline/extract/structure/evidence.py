"""What the rules of structure know of a page's passages, gathered once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.metadata import Metadata
from pipeline.page import Page, Passage, RawBlock, common_container
from pipeline.text import runs_key

# From this length on a passage is a paragraph of the story, for telling what stands before and after it.
_PARAGRAPH_CHARS = 120


class Judged(NamedTuple):
    """A passage with the id of the rule that is against it, or None.

    is_veto: whether the rule decides. The name of a container is only evidence where Trafilatura has kept
    what is in it; that a line is the headline, a caption, or one of a list of links, decides.
    """

    passage: Passage
    rule: str | None
    is_veto: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """The passages of a page that are judged together. "Number" means a passage's place among them.

    blocks: the block of each passage, None where it was not found in the page. keys: of each passage, as
    `passage_key`. titles: keys of what the page states as its title. top: the container that holds most of
    the text. chars: of all passages. chars_inside: of the passages in each container, however deep.
    first_paragraph, last_paragraph: numbers of the story's first and last paragraph. first_h1: number of the
    first passage in an h1, or -1.
    """

    page: Page
    passages: Sequence[Passage]
    blocks: Sequence[RawBlock | None]
    keys: Sequence[str]
    titles: frozenset[str]
    top: int
    chars: int
    chars_inside: Sequence[int]
    first_paragraph: int
    last_paragraph: int
    first_h1: int


def gather(page: Page, passages: Sequence[Passage], about: Metadata) -> Evidence:
    """about: what the page states."""
    blocks = [page.blocks[p.index] if p.index is not None else None for p in passages]
    paragraphs = [n for n, p in enumerate(passages) if len(p.text) >= _PARAGRAPH_CHARS]
    return Evidence(
        page=page,
        passages=passages,
        blocks=blocks,
        keys=[passage_key(page, passage) for passage in passages],
        titles=frozenset(key for key in map(runs_key, about.titles) if key),
        top=common_container(page, [p.index for p in passages if p.index is not None]),
        chars=max(1, sum(len(p.text) for p in passages)),
        chars_inside=_chars_inside(page, passages),
        first_paragraph=paragraphs[0] if paragraphs else 0,
        last_paragraph=paragraphs[-1] if paragraphs else len(passages),
        first_h1=next((n for n, b in enumerate(blocks) if b is not None and b.tag == "h1"), -1),
    )


def passage_key(page: Page, passage: Passage) -> str:
    """The words of a passage, as `runs_key`: equal for texts that differ in case, spaces and punctuation."""
    if passage.index is not None and passage.text == page.blocks[passage.index].text:
        return " ".join(page.blocks[passage.index].words)
    return runs_key(passage.text)


def _chars_inside(page: Page, passages: Sequence[Passage]) -> list[int]:
    found = [0] * len(page.containers)
    for passage in passages:
        if passage.index is not None:
            found[page.blocks[passage.index].container] += len(passage.text)
    # Containers come after the one around them, so going backwards each is complete when it is added.
    for number in range(len(found) - 1, 0, -1):
        found[page.containers.parent[number]] += found[number]
    return found
