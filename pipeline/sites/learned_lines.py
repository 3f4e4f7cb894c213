"""Removes lines that a site prints with its stories, whatever the story is about.

`pipeline.sites.evidence` and `storage.writing.learning` find these lines in stored articles. A worker has
only their digests, and removes the lines from a text.

This is the last step of cleaning, and each removed line is stored in `removed_text` with its position. So the
text without learning can be restored from the database (`restore_learned_lines`), whichever lines were known
when the page was processed. Evidence is counted over that text. Removing a line therefore does not weaken the
evidence for it, and what is learned does not depend on what was learned before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.document import Block, Removed
from pipeline.text import words_key

# Raised by hand when code changes the text that the same learned lines give.
LEARNED_REVISION = 1

# Name of the rule in `removed_text`: `site.learned seen in 14 stories`.
LEARNED_RULE = "site.learned"

# Shorter lines are labels and cross-heads, which many stories share ("What we know"). A line with fewer
# different words (without numbers) is a row of a table.
LEAST_WORDS = 4
LEAST_DIFFERENT = 3
LEAST_CHARS = 12
# If a larger share of the words would be removed, the text is left unchanged: it is a notice, a list, or a
# story written in set phrases.
MOST_TAKEN = 0.5

# To recognise a row of a table, so many words of a line are counted. A longer line is not a row of a table.
_LOOKED_AT = 12
_SURE_CHARS = 150
_FIGURE = re.compile(r"\d")


def is_learnable(fold: str) -> bool:
    """Whether a line, as `words_key` gives it, is long enough not to be a label or a row of a table."""
    if len(fold) >= _SURE_CHARS:
        return True
    if len(fold) < LEAST_CHARS or fold.count(" ") < LEAST_WORDS - 1:
        return False
    different = set(fold.split(" ", _LOOKED_AT)[:_LOOKED_AT])
    if _FIGURE.search(fold):
        different = {word for word in different if not word.isdigit()}
    return len(different) >= LEAST_DIFFERENT


def line_hash(fold: str) -> int:
    """BLAKE2b digest of a folded line as a signed 64-bit integer."""
    return int.from_bytes(hashlib.blake2b(fold.encode(), digest_size=8).digest(), "little", signed=True)


def restore_learned_lines(text: str, removed: Iterable[tuple[int, str, str]]) -> list[str]:
    """The lines of an article as they would be stored without learning.

    removed: (position, text, rule) of its removed lines, in order. Only learned lines are restored.
    """
    before: dict[int, list[str]] = {}
    for position, line, rule in removed:
        if rule.startswith(LEARNED_RULE):
            before.setdefault(position, []).append(line)
    kept = text.split("\n")
    if not before:
        return kept
    found: list[str] = []
    for position, line in enumerate(kept):
        found += (*before.pop(position, ()), line)
    for position in sorted(before):
        found += before[position]
    return found


@dataclass(frozen=True, slots=True)
class LearnedLines:
    """The learned lines of one site. site: as `Article.site`. lines: (`line_hash`, number of stories)."""

    site: str
    lines: tuple[tuple[int, int], ...]
    version: str = field(init=False, compare=False)
    _stories: dict[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_stories", dict(self.lines))
        # The numbers of stories are left out: they grow, and they do not change which lines are removed.
        data = f"{LEARNED_REVISION} {sorted(self._stories)}"
        object.__setattr__(self, "version", hashlib.sha256(data.encode()).hexdigest()[:8])

    def stories(self, hash: int) -> int | None:
        """The number of stories with the line; None if it is not a learned line."""
        return self._stories.get(hash)


def remove_learned_lines(
    blocks: Sequence[tuple[int, Block]],
    learned: LearnedLines,
    is_kept: Callable[[str], bool] | None = None,
) -> tuple[tuple[tuple[int, Block], ...], tuple[Removed, ...]]:
    """Returns the blocks, each with its position, without learned lines, and the removed lines.

    is_kept: whether a line, as `words_key` gives it, must not be removed. Nothing is removed if more than
    `MOST_TAKEN` of the words would be.
    """
    kept: list[tuple[int, Block]] = []
    removed: list[Removed] = []
    words, taken = 0, 0
    for position, block in blocks:
        fold = words_key(block.text)
        count = fold.count(" ") + 1
        words += count
        stories = learned.stories(line_hash(fold)) if is_learnable(fold) else None
        if stories is None or (is_kept is not None and is_kept(fold)):
            kept.append((position, block))
        else:
            taken += count
            removed.append(Removed(position, block.text, f"{LEARNED_RULE} seen in {stories} stories"))
    if taken > MOST_TAKEN * words:
        return tuple(blocks), ()
    return tuple(kept), tuple(removed)
