"""The headline of copied text, and where the masthead ends and the story begins."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.document import BlockKind
from pipeline.extract.plain_text.byline import is_masthead_line
from pipeline.extract.plain_text.paragraphs import Paragraph
from pipeline.text import FULL_STOPS, UNSPACED, ends_sentence, sentences, words, words_key

# The headline is looked for in this many lines, down to the first paragraph of the story.
HEAD_LINES = 12
# A line of this many words, or of fewer where it ends as a sentence, belongs to the story.
BODY_WORDS = 30
BODY_SENTENCE_WORDS = 9
# A line with a lower score is not the headline.
TITLE_SCORE = 1.5
# A headline made of the first sentence is cut at this length.
MADE_TITLE_CHARS = 100
_UNSPACED = re.compile(rf"[{UNSPACED}]")


def stated_headline(paragraphs: Sequence[Paragraph], title: str) -> tuple[int, str]:
    """The index of the line that repeats a headline which the source states, else 0; and the headline."""
    key = words_key(title)
    for index, paragraph in enumerate(paragraphs[:HEAD_LINES]):
        if key and words_key(paragraph.text) == key:
            return index, title
        if _is_body(paragraph):
            break
    return 0, title


def find_headline(paragraphs: Sequence[Paragraph]) -> tuple[int, str]:
    """The index of the headline's line, and the headline; (0, "") where no line looks like one."""
    head: list[Paragraph] = []
    for paragraph in paragraphs[:HEAD_LINES]:
        if _is_body(paragraph) or paragraph.kind is BlockKind.LIST_ITEM:
            break
        head.append(paragraph)
    rest = Counter(word for paragraph in paragraphs[len(head) :] for word in words(paragraph.text))
    keys = Counter(words_key(paragraph.text) for paragraph in head)
    scored = [(_title_score(p, keys, rest) - 0.1 * index, -index) for index, p in enumerate(head)]
    best, place = max(scored, default=(0.0, 0))
    if best < TITLE_SCORE:
        return 0, ""
    return -place, _without_site(head[-place].text, head)


def _is_body(paragraph: Paragraph) -> bool:
    """Whether the paragraph belongs to the story and not to the masthead, by its length."""
    count = len(words(paragraph.text))
    return count >= BODY_WORDS or (
        count >= BODY_SENTENCE_WORDS and _ends_with_full_stop(paragraph.text) and paragraph.level == 0
    )


def _title_score(paragraph: Paragraph, keys: Counter[str], rest: Counter[str]) -> float:
    """How much a line above the story looks like the headline.

    Unlike a site's name and slogan it is repeated, has a headline's length, and the story uses its words.
    keys: how often each line stands above the story. rest: how often each word stands in the story.
    """
    text = paragraph.text
    if is_masthead_line(text):
        return -9.0
    found = words(text)
    characters = sum(map(_is_unspaced, found))
    length = len(found) - characters * 0.7
    score = 2.0 if 4 <= length <= 25 else 0.0 if length >= 3 else -2.0
    content = [word for word in found if len(word) >= 4 or _is_unspaced(word)]
    if content:
        score += 3.0 * sum(word in rest for word in content) / len(content)
    if keys[" ".join(found)] > 1:
        score += 4.0
    if paragraph.level == 1:
        score += 4.0
    if _ends_with_full_stop(text):
        score -= 1.5
    return score


def _ends_with_full_stop(text: str) -> bool:
    """A headline may ask or exclaim, but seldom ends with a full stop."""
    return ends_sentence(text, FULL_STOPS, ellipsis=False)


def _is_unspaced(word: str) -> bool:
    return _UNSPACED.match(word) is not None


def _without_site(title: str, head: Iterable[Paragraph]) -> str:
    """The headline without " - Site", where the masthead or a second copy of the headline shows the site."""
    others = {words_key(paragraph.text) for paragraph in head}
    for match in re.finditer(r"\s+[-–—|]\s+", title):
        if words_key(title[match.end() :]) in others or words_key(title[: match.start()]) in others:
            return title[: match.start()].strip()
    return title


def make_headline(story: Sequence[Paragraph]) -> str:
    """A headline for a text without one: its first sentence, cut to a headline's length."""
    first = story[0].text if story else ""
    sentence = next(iter(sentences(first)), "")
    if len(sentence) <= MADE_TITLE_CHARS:
        return sentence
    return sentence[:MADE_TITLE_CHARS].rsplit(" ", 1)[0].rstrip(" ,;:-–—") + "…"
