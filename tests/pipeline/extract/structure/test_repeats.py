"""Rules on what stands twice in a page."""

from __future__ import annotations

from pipeline.extract.structure.repeats import repeats
from tests.pipeline.extract.pages import STORY
from tests.pipeline.extract.structure.test_links import evidence, texts

STORY_HTML = "".join(f"<p>{text}</p>" for text in STORY)


def repeated(html: str) -> list[str]:
    found = evidence(html)
    return texts(found, repeats(found))


def test_text_that_is_shown_twice_goes_once() -> None:
    assert repeated(f"<main>{STORY_HTML}{STORY_HTML}</main>") == STORY


def test_short_lines_may_stand_twice() -> None:
    assert repeated("<main><p>No, she said.</p><p>Why?</p><p>No, she said.</p></main>") == []


def test_a_pull_quote_that_repeats_a_part_of_a_paragraph_goes() -> None:
    quote = STORY[2][: STORY[2].index(", could")]
    assert repeated(f"<main>{STORY_HTML}<aside><p>{quote}</p></aside></main>") == [quote]
    assert repeated(f"<main>{STORY_HTML}<p class=pull-quote>{quote}</p></main>") == [quote]


def test_a_quote_of_its_own_stays() -> None:
    quote = "Nobody told us anything at all about the plan, and we came to the quay at six in the morning."
    assert repeated(f"<main>{STORY_HTML}<blockquote>{quote}</blockquote></main>") == []
