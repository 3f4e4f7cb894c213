"""Lines that go for what they are, whatever they say: captions, links, the headline again, repetition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from itertools import pairwise

from pipeline.clean.lines import LINKED, Line
from pipeline.clean.spelling import folded
from pipeline.clean.wire_patterns import names_agency
from pipeline.document import BlockKind, Extraction
from pipeline.text import agency_of_name, words_key

# A paragraph that is all link, of this many words and no sentence, is a teaser. docs/tuning.md: LINK_WORDS
ALL_LINK = 0.95
LINK_WORDS = 4
# The headline is looked for in this many lines from the top.
TITLE_LINES = 4
# The labels of a story stand in so many lines above its first paragraph, and have so many words
# (docs/tuning.md: LABEL_WORDS).
HEAD_LINES = 8
LABEL_WORDS = 4
# A section of the site is linked to in fewer words, and so is its author.
LINKED_LABEL_WORDS = 3
# A role or a date behind an author's name.
ROLE_WORDS = 6
# Fewer words repeat for many reasons: table cells, labels of a list of products.
DOUBLED_WORDS = 5
REPEATED_WORDS = 8
# A line that occurs this often on a page, not in a row, is a promotion and no refrain.
REPEATS = 3

# A note on the author is among so many last lines, and names the author within so many characters.
NOTE_LINES = 3
_NAME_WITHIN = 50
# What follows the name in such a note: "is a professor", "'s new book".
_IS = re.compile(
    r"\A,? (?:is|ist|est|es|è|é|jest|är|er|on|este)\b"
    r"|\A's? (?:most recent |latest |new |next |first )?(?:book|novel)\b"
)

# What stands between the names of several authors.
_BETWEEN_NAMES = frozenset(("and", "und", "et", "y", "e", "i", "og", "och", "en", "ja", "и", "та"))
# What parts a name from the role or the date behind it.
_BEHIND_NAME = re.compile(r"\w(?: ?[,|(/·•] ?| [–—-] )\w")
# Names of an element with a word or two over the headline.
_KICKER = re.compile(
    r"(?:^|[-_])(?:kickers?|eyebrow|overline|topline|top-?title|super-?title|sur-?titre|dachzeile|spitzmarke|"
    r"rubrik|rubric|ressort|ante-?titulo|volanta|cintillo|occhiello|vinjett|vignette|chapeu|section-?name|"
    r"section-?label|article-?section)(?:$|[-_])"
)

# How a caption begins, and a label or an address does not.
_CAPTION_BEGIN = re.compile(r"[\"'“„«‘‚]?(?![\d_])\w(?<![a-zß-öø-ÿа-яёєіїґ])")


def remove_captions(lines: Iterable[Line]) -> None:
    """Captions of pictures. A table's caption is its heading, and as much of the story as the table."""
    for line in lines:
        if line.block.kind is BlockKind.CAPTION and "caption" not in line.block.tags:
            line.rule = "structure.caption"


def remove_link_lines(lines: Iterable[Line]) -> None:
    """Teasers between paragraphs: nothing but a link, or a link and the same words again as its title.

    Lines without any word go as well.
    """
    for line in lines:
        if not line.words:
            line.remove("structure.no-words")
        if line.rule is None and line.block.link_density >= LINKED - 0.1 and _is_teaser(line):
            line.rule = "structure.link-line"


def _is_teaser(line: Line) -> bool:
    if line.words < LINK_WORDS:
        return False
    half, odd = divmod(line.words, 2)
    found = line.key.split()
    if not odd and half >= LINK_WORDS and found[:half] == found[half:]:
        return True
    is_all_link = line.block.kind is BlockKind.PARAGRAPH and line.block.link_density >= ALL_LINK
    return is_all_link and not line.stops


def remove_title(lines: Sequence[Line], title: str) -> None:
    """The headline again, on top of its own story."""
    key = words_key(title)
    for line in lines[:TITLE_LINES]:
        if key and line.key == key and not line.stops:
            line.rule = "structure.title"
        elif line.is_story:
            break


def remove_head_lines(lines: Sequence[Line], extraction: Extraction) -> None:
    """The authors' names and the kicker above the story, each on a line of its own.

    A kicker is a few words that the page states as its section or as a keyword, that are linked, or whose
    element has such a name. An agency's name stays, because the conventions of the wire read it.
    """
    names = [words_key(name) for name in extraction.authors if agency_of_name(name) is None]
    section, keywords = words_key(extraction.section or ""), {*map(words_key, extraction.keywords or ())}
    for line in lines[:HEAD_LINES]:
        if line.is_story:
            break
        if line.stops or not line.words or names_agency(line.text):
            continue
        if _is_names(line, [name for name in names if name]):
            line.remove("structure.author")
        elif line.words <= LABEL_WORDS and _is_kicker(line, section, keywords):
            line.remove("structure.kicker")


def _is_names(line: Line, names: Sequence[str]) -> bool:
    """Whether a line is names of the authors and nothing else, or a full name with a role or a date."""
    left = f" {line.key} "
    for name in names:
        left = left.replace(f" {name} ", "  ")
    others = left.split()
    if len(others) < line.words and _BETWEEN_NAMES.issuperset(others):
        return True
    full = next((name for name in names if " " in name and line.key.startswith(f"{name} ")), None)
    if full is None or line.words - len(full.split()) > ROLE_WORDS:
        return False
    return _BEHIND_NAME.search(line.text) is not None


def _is_kicker(line: Line, section: str, keywords: Container[str]) -> bool:
    kind = line.block.kind
    if kind is BlockKind.TABLE_ROW:
        return False
    if line.key == section or (kind is BlockKind.PARAGRAPH and line.key in keywords):
        return True
    is_linked = line.block.link_density >= ALL_LINK and line.words <= LINKED_LABEL_WORDS
    return is_linked or any(map(_KICKER.search, line.block.tokens))


def remove_author_notes(lines: Sequence[Line], authors: Iterable[str]) -> None:
    """The note under an opinion that says who its author is. authors: as the page states them."""
    names = [folded(name).lower() for name in authors if " " in name]
    kept = [line for line in lines if line.rule is None]
    for line in reversed(kept[1:][-NOTE_LINES:]):
        if any(_is_note(line.small, name) for name in names):
            line.rule = "structure.author"


def _is_note(text: str, name: str) -> bool:
    before, _, after = text.partition(name)
    is_named = len(before) < min(len(text), _NAME_WITHIN) and '"' not in before
    return is_named and _IS.match(after) is not None


def remove_repetitions(lines: Sequence[Line]) -> None:
    """Lines that come twice in a row, as alternative text and caption do, and promotions strewn in."""
    kept = [line for line in lines if line.rule is None]
    counts = Counter(line.key for line in kept)
    for first, second in pairwise(kept):
        if first.key == second.key and counts[first.key] == 2 and _may_be_doubled(first):
            # Without a full stop it is a caption and both go; a sentence is kept once.
            first.rule = None if second.stops else "structure.doubled-caption"
            second.rule = first.rule or "structure.doubled"
    for line in kept:
        if line.rule is None and counts[line.key] >= REPEATS and _may_be_promotion(line):
            line.rule = "structure.repeated"


def _may_be_doubled(line: Line) -> bool:
    return (
        line.words >= DOUBLED_WORDS
        and line.block.kind is BlockKind.PARAGRAPH
        and _CAPTION_BEGIN.match(line.text) is not None
    )


def _may_be_promotion(line: Line) -> bool:
    return (
        line.words >= REPEATED_WORDS
        and not line.text.endswith(":")
        and not line.key.replace(" ", "").isdigit()
        and line.block.kind is BlockKind.PARAGRAPH
    )
