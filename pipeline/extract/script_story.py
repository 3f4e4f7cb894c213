"""Finds the story in a page's scripts where the page shows only its beginning, or nothing of it.

Some pages show their text only after their scripts have run; others show the first paragraphs to everybody.
The whole story is then in JSON-LD (articleBody), or in the data of a script. It takes the place of the page
if it is clearly longer than what the page shows, and if what the page shows is a part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape, unescape
from typing import Any

from pipeline.extract.parse import parse
from pipeline.extract.script_data import element_lists_in, markup_in, paragraph_lists_in, pushed_rows
from pipeline.metadata import Metadata
from pipeline.page import Page
from pipeline.text import STOPS, runs, sentences, without_invisible

# A shorter story is none. A page that shows less text shows none.
BARE_CHARS = 300
# Words that are looked up together, as a sign that a text is on the page.
_WINDOW = 6
# So many places of a story are looked up first, which is enough for nearly all pages.
_PROBES = 16
# docs/tuning.md: Stories in scripts
# A story is clearly longer than what the page shows of it if at least this share of its words, and so many
# words, are not shown.
_HIDDEN_SHARE, _HIDDEN_WORDS = 0.25, 60
# A block of the page belongs to a story that has this share of its words.
_SAME = 0.5
# What is not shown is in one piece if this share of it is.
_ONE_GAP = 0.6
# A longer text is all the data of a site.
_MOST_WORDS = 30_000
# Lists of paragraphs are looked for in pages that show fewer words of prose.
_FEW_WORDS = 500
# Where a script says that it pushes data of Next.js.
_HEAD_CHARS = 200
# A text with paragraphs is preferred to one without if it has this share of its length.
_NEARLY_ALL = 0.8
# A paragraph that is cut out of a longer text has about so many characters.
_PARAGRAPH_CHARS = 350

_MARKUP = re.compile(r"</(?:p|div|h[1-6]|li|ul|blockquote|strong|em|a|b|i|span)>|<br ?/?>|<p[ >]", re.I)
_BLOCK_MARKUP = re.compile(r"</(?:p|div|h[1-6]|li|blockquote)>|<br ?/?>", re.I)
_TAG = re.compile(r"<[^<>]*>")
# A sentence that begins right after the last one: their paragraphs were joined without a space.
_JOINT = re.compile(
    rf"(?:(?<=[^\W\d_A-Z]{{2}}[{STOPS}])|(?<=[{STOPS}][\"”’»)]))(?=[\"“„«‘(]?[A-ZÀ-ÖØ-ÞА-ЯЁЄІЇҐ])"
)
_GAP = re.compile(r"[ \u00a0]{2,}|\t+")


@dataclass(frozen=True)
class _Story:
    """A story that a script holds. text: markup or plain. is_stated: as the articleBody of JSON-LD."""

    text: str
    is_stated: bool = False

    @cached_property
    def words(self) -> tuple[str, ...]:
        return runs(unescape(_TAG.sub(" ", self.text)))

    @cached_property
    def key(self) -> str:
        return f" {' '.join(self.words)} "

    @property
    def has_paragraphs(self) -> bool:
        return not self.is_stated or _BLOCK_MARKUP.search(self.text) is not None or len(_lines(self.text)) > 1

    @property
    def markup(self) -> str:
        """The markup of a page with this story alone."""
        return _paragraphs(self.text) if self.is_stated else self.text


def story_from_scripts(root: Any, page: Page, about: Metadata) -> Any | None:
    """The story as the tree of a page of its own, or None where the page shows it, or no script holds it.

    about: what the page states, with its JSON-LD articleBody.
    """
    shown = _Shown(page, about.title)
    found: list[_Story] = []
    for story in _stories(root, about, shown):
        if _is_shown_in_part(story, shown):
            found.append(story)
        elif story.is_stated and not shown.is_bare and _share_shown(story, shown, _PROBES) > _NEARLY_ALL:
            return None
    if not found:
        return None
    best = _best(found)
    return parse(f"<html><body><article>{best.markup}</article></body></html>")


def _best(stories: Sequence[_Story]) -> _Story:
    """The longest story, or one with paragraphs that is nearly as long.

    What JSON-LD states is the measure: a longer text has more than the story.
    """
    length = next((len(story.words) for story in stories if story.is_stated), 0)
    longest = length or max(len(story.words) for story in stories)
    return max(
        (story for story in stories if _NEARLY_ALL * longest <= len(story.words) <= longest / _NEARLY_ALL),
        key=lambda story: (story.has_paragraphs, len(story.words)),
    )


class _Shown:
    """The text that a page shows. prose: its blocks of prose, from the headline on."""

    def __init__(self, page: Page, title: str) -> None:
        self.page = page
        first = _headline(page, title)
        self.prose = [block.words for block in page.blocks[first:] if block.is_prose]
        self.words = sum(map(len, self.prose))

    @cached_property
    def key(self) -> str:
        return " ".join(["", *(" ".join(block.words) for block in self.page.blocks), ""])

    @property
    def is_bare(self) -> bool:
        return sum(len(block.text) for block in self.page.blocks) < BARE_CHARS


def _headline(page: Page, title: str) -> int:
    """The index of the block that is the headline; 0 where there is none."""
    words = runs(title)
    same = (n for n, block in enumerate(page.blocks) if words and block.words == words)
    first = (n for n, block in enumerate(page.blocks) if block.tag == "h1")
    return next(same, next(first, 0))


def _stories(root: Any, about: Metadata, shown: _Shown) -> Iterator[_Story]:
    """The texts in the page's scripts that are long enough for a story."""
    stated = without_invisible(about.article_body)
    if len(stated) >= BARE_CHARS:
        if "&" in stated:
            stated = unescape(unescape(stated))
        yield _Story(stated, is_stated=True)
    # A story that is shorter than half of the page's prose cannot take its place.
    least = max(BARE_CHARS, 2 * shown.words)
    pushes: list[str] = []
    for script in root.iter("script"):
        text = script.text
        if text and "__next_f" in text[:_HEAD_CHARS]:
            pushes.append(text)
        elif text and len(text) >= least:
            yield from _long_enough(markup_in(text), least)
            if shown.words < _FEW_WORDS and "ld+json" not in (script.get("type") or ""):
                yield from _long_enough(paragraph_lists_in(text), least)
    for row in pushed_rows(pushes):
        if len(row) >= least:
            yield from _long_enough(markup_in(row), least)
            if shown.words < _FEW_WORDS:
                yield from _long_enough(element_lists_in(row), least)


def _long_enough(found: Iterable[str], least: int) -> Iterator[_Story]:
    return (_Story(markup) for markup in found if len(markup) >= least)


def _is_shown_in_part(story: _Story, shown: _Shown) -> bool:
    """Whether the page shows a part of the story and not the rest, or nothing at all."""
    total = len(story.words)
    if len(story.key) < BARE_CHARS or total > _MOST_WORDS:
        return False
    if shown.is_bare:
        return True
    if _share_shown(story, shown, _PROBES) > 1 - _HIDDEN_SHARE / 2:
        return False
    places = _places(story, shown, total)
    hidden = total * places.count(False) / max(1, len(places))
    if hidden < _HIDDEN_WORDS or hidden < _HIDDEN_SHARE * total:
        return False
    belongs = [_is_in(words, story.key) for words in shown.prose]
    other = sum(len(words) for words, is_in in zip(shown.prose, belongs, strict=True) if not is_in)
    if not any(belongs):
        # Nothing of it is shown. JSON-LD says that it is the story of this page.
        return story.is_stated and total >= 2 * other
    if not _is_one_gap(places) or total < other:
        return False
    # The story of another page may be in the scripts as well, and its teaser on this page.
    return story.is_stated or belongs[0] or shown.words - other >= other


def _is_one_gap(places: Sequence[bool]) -> bool:
    """Whether the story begins on the page, and what is not shown of it is in one piece, as behind a paywall.

    Where the page shows everything, its text differs from that of the script in many places.
    """
    start, end = _gap(places)
    hidden_inside = places[start:end].count(False)
    around = [*places[:start], *places[end:]]
    return start > 0 and hidden_inside >= _ONE_GAP * places.count(False) and 2 * sum(around) >= len(around)


def _gap(places: Sequence[bool]) -> tuple[int, int]:
    """Beginning and end of the longest part that is not shown, a caption or a quotation in it aside."""
    best, gap, worth, start = 0, (0, 0), 0, 0
    for at, is_shown in enumerate(places):
        worth += -2 if is_shown else 1
        if worth <= 0:
            worth, start = 0, at + 1
        elif worth > best:
            best, gap = worth, (start, at + 1)
    return gap


def _share_shown(story: _Story, shown: _Shown, number: int) -> float:
    """The share of the story that the page shows, from so many places of it."""
    places = _places(story, shown, number)
    return sum(places) / max(1, len(places))


def _places(story: _Story, shown: _Shown, number: int) -> list[bool]:
    """Whether the page shows the story, at so many places of it in order."""
    words = story.words
    step = max(_WINDOW, len(words) // number)
    windows = (words[at : at + _WINDOW] for at in range(0, len(words) - _WINDOW + 1, step))
    return [f" {' '.join(window)} " in shown.key for window in windows]


def _is_in(words: Sequence[str], key: str) -> bool:
    """Whether most of a block's text is in the text with that key."""
    windows = [words[at : at + _WINDOW] for at in range(0, len(words) - _WINDOW + 1, _WINDOW)]
    found = sum(f" {' '.join(window)} " in key for window in windows)
    return found >= _SAME * max(1, len(windows))


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _paragraphs(text: str) -> str:
    """The markup of an articleBody, which may be plain or markup, with paragraphs or without."""
    if _BLOCK_MARKUP.search(text):
        return text
    lines = _lines(text)
    is_markup = _MARKUP.search(text) is not None
    if len(lines) == 1 and not is_markup:
        lines = list(_cut(text))
    return "".join(f"<p>{line if is_markup else escape(line)}</p>" for line in lines)


def _cut(text: str) -> Iterator[str]:
    """Cuts a text without paragraphs: where spaces between sentences are missing or doubled, or by length."""
    for gap in (_JOINT, _GAP):
        pieces = [piece for piece in gap.split(text) if piece.strip()]
        if len(pieces) > 2:
            for piece in pieces:
                yield from _grouped(sentences(piece)) if len(piece) > 3 * _PARAGRAPH_CHARS else (piece,)
            return
    yield from _grouped(sentences(text))


def _grouped(parts: Iterable[str]) -> Iterator[str]:
    open_parts: list[str] = []
    for part in parts:
        open_parts.append(part)
        if sum(map(len, open_parts)) >= _PARAGRAPH_CHARS:
            yield " ".join(open_parts)
            open_parts = []
    if open_parts:
        yield " ".join(open_parts)
