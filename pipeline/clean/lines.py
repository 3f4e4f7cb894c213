"""The lines of a page as rules see them, with the evidence that position, links and repetition give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.clean.spelling import folded, without_closing, without_decoration
from pipeline.document import Block, BlockKind
from pipeline.text import EXCLAMATIONS, FULL_STOPS, ends_sentence, words

# A paragraph of this many words that ends as a sentence does is taken for the story itself.
STORY_WORDS = 12
# Share of link text from which a line counts as links.
LINKED = 0.5
# Where the last part of a page begins, as a share of its characters, and in lines from its end.
END_SHARE = 0.7
END_LINES = 5
# A heading over comments counts as one once this share of the page's characters lies before it.
COMMENTS_SHARE = 0.3

# How reported speech ends where it is not the end of the sentence.
_SAID = (',"', '."', '?"')


@dataclass(slots=True)
class Line:
    """A block on its way through the rules: what is left of it, and the evidence around it.

    position: of the block in the extraction. text: with single blanks. folded, small: in the spelling of the
    rules (`pipeline.clean.spelling`), and that in lower case. core, small_core: the same without decoration
    and closing punctuation. key: the words, lower-cased; equal for equal wording. stops: ends as a sentence
    does. evidence: see `needs` in clutter.toml, and "after story". rule: that removed the line, None while it
    is kept.
    """

    position: int
    block: Block
    text: str
    folded: str
    small: str
    core: str
    small_core: str
    key: str
    words: int
    stops: bool
    evidence: frozenset[str] = frozenset()
    rule: str | None = None

    @property
    def is_story(self) -> bool:
        return (
            self.words >= STORY_WORDS
            and self.stops
            and self.block.link_density < LINKED
            and self.block.kind is not BlockKind.CAPTION
        )

    def remove(self, rule: str) -> None:
        """Removes the line; the first rule that does so is the one that is named."""
        self.rule = self.rule or rule


def lines_of(blocks: Sequence[Block]) -> list[Line]:
    """The blocks as lines with their evidence."""
    lines = [_line(position, block) for position, block in enumerate(blocks)]
    _gather_evidence(lines)
    return lines


def _line(position: int, block: Block) -> Line:
    text = " ".join(block.text.split())
    seen = folded(text)
    small = seen.lower()
    found = words(text)
    end = len(without_closing(seen))
    start = end - len(without_decoration(seen[:end]))
    return Line(
        position=position,
        block=block,
        text=text,
        folded=seen,
        small=small,
        core=seen[start:end],
        small_core=small[start:end],
        key=" ".join(found),
        words=len(found),
        stops=ends_sentence(seen, FULL_STOPS + EXCLAMATIONS, ellipsis=False) or seen.endswith(_SAID),
    )


def _gather_evidence(lines: Sequence[Line]) -> None:
    total = sum(len(line.text) for line in lines) or 1
    counts = Counter(line.key for line in lines)
    before, story_begun = 0, False
    for index, line in enumerate(lines):
        is_late = before >= END_SHARE * total
        found = {
            "links": line.block.link_density >= LINKED,
            "repeated": counts[line.key] > 1,
            "late": is_late,
            "end": is_late or index >= len(lines) - END_LINES,
            "after story": story_begun and before >= COMMENTS_SHARE * total,
            "start": not story_begun,
            "heading": line.block.kind is BlockKind.HEADING,
        }
        line.evidence = frozenset(name for name, holds in found.items() if holds)
        before += len(line.text)
        story_begun = story_begun or line.is_story
