"""Rules on links: teasers, lines and lists that lead to other stories."""

from __future__ import annotations

from pipeline.extract.structure.evidence import Evidence, gather
from pipeline.extract.structure.links import (
    link_lists,
    linked_lines,
    menu_lines,
    teasers_among,
    teasers_at_the_end,
)
from pipeline.page import Passage
from tests.pipeline.extract.pages import STORY, about_of, page_of

CARD = (
    "<div><h3><a href=/{0}>Bridge number {0} is closed again</a></h3><p>Drivers go around lake {0}.</p></div>"
)
STORY_HTML = "".join(f"<p>{text}</p>" for text in STORY)


def evidence(html: str) -> Evidence:
    """Of all blocks of a page."""
    page = page_of(html)
    passages = [Passage(index, block.text, float(index)) for index, block in enumerate(page.blocks)]
    return gather(page, passages, about_of(html))


def texts(found: Evidence, numbers: set[int]) -> list[str]:
    return [found.passages[number].text for number in sorted(numbers)]


def teasers(html: str) -> list[str]:
    page = page_of(html)
    return [page.blocks[index].text for index in sorted(teasers_among(page, range(len(page.blocks))))]


def test_links_with_bars_between_them_are_a_menu() -> None:
    links = "<a href=/>Home</a> | <a href=/n>News</a> | <a href=/g>Guest book</a>"
    found = evidence(f"<main><p>FREE PRESS {links}</p>{STORY_HTML}</main>")
    assert texts(found, menu_lines(found)) == ["FREE PRESS Home | News | Guest book"]


def test_sentences_with_links_are_no_menu() -> None:
    few = "<p><a href=/1>The harbour board</a> | <a href=/2>the mayor</a></p>"
    prose = "<p>See <a href=/1>Monday</a>, <a href=/2>Tuesday</a> and <a href=/3>Wednesday</a>.</p>"
    long = "".join(f'<a href="/{n}">paragraph number {n} of the report</a> | ' for n in range(9))
    found = evidence(f"<main>{few}{prose}<p>{long}</p>{STORY_HTML}</main>")
    assert menu_lines(found) == set()


def test_a_teaser_is_a_short_text_in_a_box_with_a_linked_headline() -> None:
    found = teasers(f"<main>{STORY_HTML}{CARD.format(1)}</main>")
    assert found == ["Bridge number 1 is closed again", "Drivers go around lake 1."]


def test_a_box_of_much_text_or_without_a_linked_headline_holds_no_teaser() -> None:
    beside = teasers(f"<main><h3><a href=/1>Bridge number 1 is closed</a></h3>{STORY_HTML}</main>")
    assert set(STORY).isdisjoint(beside)
    assert teasers("<div><h3>Bridge number 1 is closed again</h3><p>Drivers go around.</p></div>") == []
    long = "word " * 61
    assert long.strip() not in teasers(
        f"<div><h3><a href=/1>Bridge number 1 is closed</a></h3><p>{long}</p></div>"
    )


def test_teasers_go_after_the_last_paragraph_of_the_story_only() -> None:
    cards = "".join(CARD.format(n) for n in range(3))
    found = evidence(f"<main>{STORY_HTML * 2}{cards}</main>")
    assert len(teasers_at_the_end(found)) == 6
    assert teasers_at_the_end(evidence(f"<main>{cards}{STORY_HTML * 2}</main>")) == set()
    assert teasers_at_the_end(evidence(f"<main><p>{STORY[0]}</p>{cards}</main>")) == set()  # half of the page


def test_a_line_that_is_one_link_goes_and_a_sentence_stays() -> None:
    line = "Why the ferry line lost three of its five ships"
    found = evidence(f"<p>{STORY[0]}</p><p><a href=/7>{line}</a></p><p>{STORY[1]}</p>")
    assert texts(found, linked_lines(found)) == [line]
    found = evidence(f"<p>{STORY[0]}</p><p><a href=/7>{line}.</a></p><p>{STORY[1]}</p>")
    assert linked_lines(found) == set()


def test_a_list_of_linked_headlines_goes_and_one_of_links_in_text_stays() -> None:
    items = ["Second chain in a week found in the fairway", "Ferry line buys soup for six hundred people"]
    linked = "".join(f"<li><a href=/1>{item}</a></li>" for item in items)
    found = evidence(f"<article><p>{STORY[0]}</p><ul>{linked}</ul><p>{STORY[1]}</p></article>")
    assert texts(found, link_lists(found)) == items
    partly = "".join(f"<li><a href=/1>{item[:6]}</a>{item[6:]}</li>" for item in items)
    assert link_lists(evidence(f"<p>{STORY[0]}</p><ul>{partly}</ul>")) == set()
