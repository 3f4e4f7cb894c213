"""The rules of structure in order: titles, captions, containers, and what stays."""

from __future__ import annotations

import pytest

from pipeline.extract.structure import Judged, judge_passages
from pipeline.page import Passage
from tests.pipeline.extract.pages import PAGE, STORY, about_of, page_of


def rules(html: str, exempt: frozenset[int] = frozenset()) -> dict[str, str | None]:
    """The rule of every block of a page."""
    page = page_of(html)
    passages = [Passage(index, block.text, float(index)) for index, block in enumerate(page.blocks)]
    judged = judge_passages(page, passages, about_of(html), exempt)
    assert [passage for passage, _ in judged] == passages
    return {passage.text: rule for passage, rule in judged}


def page(part: str) -> str:
    story = "".join(f"<p>{text}</p>" for text in STORY)
    return f"<main><h1>Board votes to dredge</h1>{story}{part}</main>"


def test_the_story_stays_and_what_surrounds_it_goes() -> None:
    found = rules(PAGE)
    assert [found[text] for text in STORY] == [None] * len(STORY)
    assert found["Board votes to dredge eastern channel"] == "structure.title"
    assert found["Sign up for our newsletter and never miss a tide."] == "structure.newsletter"
    assert found["© The Channel Courier. All rights reserved."] == "structure.footer"
    assert found["More stories"] == "structure.related"


@pytest.mark.parametrize(
    ("part", "text", "rule"),
    [
        ("<figure><figcaption>The quay on Tuesday.</figcaption></figure>", "The quay on Tuesday.", "caption"),
        ("<img src=a alt='Divers on the quay'><p>Divers on the quay</p>", "Divers on the quay", "caption"),
        ("<form><p>Your name and town</p></form>", "Your name and town", "form"),
        ("<div class=share-bar><p>Pass it on</p></div>", "Pass it on", "share"),
        ("<div class=share-bar><div><p>Pass it on</p></div></div>", "Pass it on", "share"),
        ("<p><span class=author>Per Holm</span></p>", "Per Holm", "author"),
        ("<p class=date>3 March 2026</p>", "3 March 2026", "dateline"),
    ],
)
def test_a_passage_goes_for_what_stands_around_it(part: str, text: str, rule: str) -> None:
    assert rules(page(part))[text] == f"structure.{rule}"


def test_a_container_with_much_of_the_story_is_a_part_of_it_whatever_its_name() -> None:
    story = "".join(f"<p>{text}</p>" for text in STORY)
    found = rules(f"<main><p>{STORY[0]} Once.</p><div class=social>{story}</div></main>")
    assert set(found.values()) == {None}


def test_a_date_within_the_story_stays() -> None:
    html = page("").replace(f"<p>{STORY[2]}", f"<p class=date>On 3 March 2026</p><p>{STORY[2]}")
    assert rules(html)["On 3 March 2026"] is None


def test_exempt_blocks_stay() -> None:
    exempt = frozenset(
        index for index, block in enumerate(page_of(PAGE).blocks) if "newsletter" in block.text
    )
    assert rules(PAGE, exempt)["Sign up for our newsletter and never miss a tide."] is None


def test_text_that_is_not_in_the_page_stays() -> None:
    nowhere = Passage(None, "A line from nowhere.", 0.5)
    assert judge_passages(page_of(PAGE), [nowhere], about_of(PAGE)) == [Judged(nowhere, None)]
