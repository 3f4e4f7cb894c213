"""Paragraphs of copied text: joins wrapped lines, and reads headings, quotes, lists and links of Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from pipeline.document import BlockKind
from pipeline.text import HANGUL, UNSPACED, ends_sentence

# Longest line that a text wrapped by hand or by a terminal has.
MAX_WRAP = 120
# Shorter lines are verse, a list or an address.
MIN_WRAP = 30
# A text is wrapped if at least this share of line breaks inside sentences is followed by a small letter
# (docs/tuning.md: WRAPPED_SHARE).
WRAPPED_SHARE = 0.3
# A wrapped line fills at least this share of the width, except the last of its paragraph.
FILLED = 0.75

# A line may break after any of these, without a hyphen.
_BREAKABLE = re.compile(rf"[{UNSPACED}{HANGUL}]")
_BULLET = re.compile(r"\s*(?:[•◦▪‣∙·●○■□➤►*]|-(?=\s+[^\W\d_]))\s+(?=\S)")
_MD_HEADING = re.compile(r"(#{1,6})\s+(\S.*?)\s*#*$")
_MD_QUOTE = re.compile(r"\s*>+\s+(?=\S)")
_MD_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_MD_LINK = re.compile(r"\[([^\]]+)\]\((?:https?://|/|#|mailto:)[^)\s]*(?:\s+\"[^\"]*\")?\)")
_MD_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_MD_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+)(?<=\S)\*(?![\w*])")
_RULE = re.compile(r"\s*(?:[-=_*~#]\s*){3,}$")
_DIVIDED = re.compile(r"[^\W\d_]-$")
_COLUMNS = re.compile(r"\S {3,}(?=\S)")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, list item or heading of the text, unwrapped. level: of a Markdown heading, else 0."""

    kind: BlockKind
    text: str
    link_density: float = 0.0
    level: int = 0


class _Line(NamedTuple):
    """A line without blanks at its end. bare: without its indentation too. indent: width of that."""

    text: str
    bare: str
    indent: int


def paragraphs_of(text: str) -> list[Paragraph]:
    """The paragraphs of a text. Lines that a terminal or a mail program wrapped are joined."""
    lines = [_line(line.rstrip()) for line in text.expandtabs(4).splitlines()]
    chunks = _unwrapped(lines) if _is_wrapped(lines) else [line.text for line in lines if line.text]
    return [paragraph for chunk in chunks if (paragraph := _paragraph(chunk))]


def _line(text: str) -> _Line:
    bare = text.lstrip()
    return _Line(text, bare, len(text) - len(bare))


def _paragraph(line: str) -> Paragraph | None:
    """The line with its Markdown read; None for a rule, or an empty line."""
    kind, level = BlockKind.PARAGRAPH, 0
    if _RULE.match(line):
        return None
    if heading := _MD_HEADING.match(line.strip()):
        kind, level, line = BlockKind.HEADING, len(heading.group(1)), heading.group(2)
    elif quote := _MD_QUOTE.match(line):
        kind, line = BlockKind.QUOTE, line[quote.end() :]
    elif bullet := _BULLET.match(line):
        kind, line = BlockKind.LIST_ITEM, line[bullet.end() :]
    elif image := _MD_IMAGE.fullmatch(line.strip()):
        kind, line = BlockKind.CAPTION, image.group(1)
    linked = sum(len(match.group(1)) for match in _MD_LINK.finditer(line))
    line = _MD_LINK.sub(r"\1", _MD_IMAGE.sub("", line))
    line = _MD_EMPHASIS.sub(r"\1", _MD_STRONG.sub(r"\2", line))
    line = " ".join(line.split())
    if not line:
        return None
    return Paragraph(kind, line, min(1.0, linked / len(line)), level)


def _is_wrapped(lines: Sequence[_Line]) -> bool:
    """Whether lines break inside sentences, as terminals and mail programs do it."""
    breaks = [
        (a.text, b.bare)
        for a, b in pairwise(lines)
        if a.text and b.text and b.indent <= a.indent and not _BULLET.match(b.text)
    ]
    width = max((len(a) for a, _ in breaks), default=0)
    if not MIN_WRAP <= width <= MAX_WRAP:
        return False
    # After a finished sentence a break says nothing: it may end the paragraph or not.
    inside = [(a, b) for a, b in breaks if not ends_sentence(a, ellipsis=False)]
    filled = sum(_reaches(a, b, FILLED * width) for a, b in inside)
    small = sum([b[0].islower() for _, b in inside])
    if small and small >= WRAPPED_SHARE * len(inside) and 2 * filled >= len(inside):
        return True
    # Writing systems without small letters: lines filled to one width.
    if any(char.islower() for _, b in breaks for char in b):
        return False
    return len(breaks) >= 3 and filled >= 0.7 * len(breaks)


def _reaches(line: str, following: str, width: float) -> bool:
    """Whether the line would be wider than `width` with the first word of the following line."""
    return len(line) + 1 + len(_first_word(following)) > width


def _first_word(line: str) -> str:
    words = line.split(None, 1)
    word = words[0] if words else ""
    # Without spaces between words, a line can break after any character.
    return word[:1] if _begins_breakable(word) else word


def _begins_breakable(text: str) -> bool:
    return _BREAKABLE.match(text) is not None


def _unwrapped(lines: Sequence[_Line]) -> list[str]:
    """The paragraphs of wrapped lines, each as one line."""
    width = max((len(line.text) for line in lines), default=0)
    chunks: list[str] = []
    last: _Line | None = None  # the last line of the open paragraph
    for line in lines:
        if not line.text:
            last = None
            continue
        if last is not None and _continues(last, line, chunks[-1], width):
            chunks[-1] = _joined(chunks[-1], line.bare)
        else:
            chunks.append(line.text)
        last = line
    return chunks


def _continues(last: _Line, line: _Line, paragraph: str, width: int) -> bool:
    """Whether the line belongs to the paragraph that ends with the line `last`."""
    text, bare = line.text, line.bare
    if _BULLET.match(text) or _MD_HEADING.match(text) or _RULE.match(text):
        return False
    if _is_row(bare) or _is_row(last.bare):
        return False
    if _BULLET.match(paragraph):
        return True
    if line.indent > last.indent:
        return False
    if bare[0].islower() or not ends_sentence(last.text, ellipsis=False):
        return True
    had_room = len(last.text) + 1 + len(_first_word(bare)) < 0.7 * width
    return not had_room


def _is_row(bare: str) -> bool:
    """Whether the line is a row of a table, with columns separated by blanks."""
    return _COLUMNS.search(bare) is not None


def _joined(chunk: str, line: str) -> str:
    """The paragraph with the next line: with a space, unless a word is divided or the script has none."""
    if _begins_breakable(chunk[-1:]) and _begins_breakable(line):
        return chunk + line
    if chunk.endswith("-") and _DIVIDED.search(chunk) and line[0].islower():
        return chunk + line
    return f"{chunk} {line}"
