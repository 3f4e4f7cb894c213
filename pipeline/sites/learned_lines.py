"""Removes lines that a site prints under every story, whatever the story is about.

`pipeline.sites.evidence` and `storage.writing.learning` find these lines in stored articles. A worker only
knows their digests, and removes them from a text.

They are removed last, from the lines that would be stored otherwise, and each removed line stays in
`removed_text` with its position. So the text without learning can be restored from what is stored
(`restore_learned_lines`), whichever lines were known when the page was processed. Evidence is counted over
that text. Removing a line therefore does not weaken the evidence for removing it, and whether a line is
learned does not depend on what was learned before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.document import Block, Removed
from pipeline.text import words_key

# Raised by hand when code changes what the same learned lines make of a text.
LEARNED_REVISION = 1

# How `removed_text` names it: `site.learned seen in 14 stories`.
LEARNED_RULE = "site.learned"

# Shorter lines are labels and cross-heads, of which newsrooms have a common stock ("What we know"), and what
# has fewer different words beside its figures is a row of a table.
LEAST_WORDS = 4
LEAST_DIFFERENT = 3
LEAST_CHARS = 12
# A text of which more would go is left whole: it is a notice, a list, a story told from set phrases.
MOST_TAKEN = 0.5

# Words of a line that are counted to tell a row of a table, and from what length on a line is none.
_LOOKED_AT = 12
_SURE_CHARS = 150
_FIGURE = re.compile(r"\d")


def is_learnable(fold: str) -> bool:
    """Whether a line, as `words_key` gives it, is long enough to be told from a label."""
    if len(fold) >= _SURE_CHARS:
        return True
    if len(fold) < LEAST_CHARS or fold.count(" ") < LEAST_WORDS - 1:
        return False
    different = set(fold.split(" ", _LOOKED_AT)[:_LOOKED_AT])
    if _FIGURE.search(fold):
        different = {word for word in different if not word.isdigit()}
    return len(different) >= LEAST_DIFFERENT


def line_hash(fold: str) -> int:
    """Signed 64 bits."""
    return int.from_bytes(hashlib.blake2b(fold.encode(), digest_size=8).digest(), "little", signed=True)


def restore_learned_lines(text: str, removed: Iterable[tuple[int, str, str]]) -> list[str]:
    """The lines of an article as they would be stored had none of them been learned.

    removed: (position, text, rule) of its removed lines, in order; others than learned ones are passed over.
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
    """The lines of one site. site: as `Article.site`. lines: (`line_hash`, number of stories with it)."""

    site: str
    lines: tuple[tuple[int, int], ...]
    version: str = field(init=False, compare=False)
    _stories: dict[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_stories", dict(self.lines))
        # Without the numbers of stories, which grow: they change what is said of a line and not what goes.
        said = f"{LEARNED_REVISION} {sorted(self._stories)}"
        object.__setattr__(self, "version", hashlib.sha256(said.encode()).hexdigest()[:8])

    def stories(self, hash: int) -> int | None:
        """In how many stories the line was seen; None for one that is no learned line."""
        return self._stories.get(hash)


def remove_learned_lines(
    blocks: Sequence[tuple[int, Block]],
    learned: LearnedLines,
    is_kept: Callable[[str], bool] | None = None,
) -> tuple[tuple[tuple[int, Block], ...], tuple[Removed, ...]]:
    """The blocks, each with its position, without learned lines; and those.

    is_kept: whether a line, as `words_key` gives it, is to stay all the same. Nothing is taken where more
    than `MOST_TAKEN` of the words would go.
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
