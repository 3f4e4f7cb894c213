"""Evidence of a page's passages: the story's own container, its first and last paragraph, and keys."""

from __future__ import annotations

from pipeline.extract.structure.evidence import Evidence, gather, passage_key
from pipeline.page import Passage
from tests.pipeline.extract.pages import PAGE, STORY, about_of, page_of


def evidence_of(html: str) -> Evidence:
    page = page_of(html)
    passages = [Passage(index, block.text, float(index)) for index, block in enumerate(page.blocks)]
    return gather(page, passages, about_of(html))


def test_the_story_is_from_its_first_to_its_last_paragraph() -> None:
    found = evidence_of(PAGE)
    long = [text for text in STORY if len(text) >= 120]
    assert found.passages[found.first_paragraph].text == long[0]
    assert found.passages[found.last_paragraph].text == long[-1]
    assert found.passages[found.first_h1].text == "Board votes to dredge eastern channel"


def test_a_container_has_the_characters_of_those_inside_it() -> None:
    found = evidence_of(PAGE)
    assert found.chars == sum(len(passage.text) for passage in found.passages)
    assert found.chars_inside[0] == found.chars
    parent = found.page.containers.parent
    own = [block.container for block in found.blocks if block is not None and block.text in STORY]
    assert [found.chars_inside[container] for container in own] == [len(text) for text in STORY]
    (body,) = {parent[container] for container in own}
    assert found.chars_inside[body] == sum(map(len, STORY))
    assert found.chars_inside[parent[body]] > found.chars_inside[body]


def test_titles_are_known_by_their_words() -> None:
    found = evidence_of(
        "<html><head><title>Board: votes!</title></head><body><p>BOARD VOTES</p></body></html>"
    )
    assert found.keys[0] in found.titles


def test_a_part_of_a_block_has_a_key_of_its_own() -> None:
    page = page_of("<p>Divers, on the Quay</p>")
    whole, part = Passage(0, page.blocks[0].text, 0.0), Passage(0, "on the Quay!", 0.0)
    assert passage_key(page, whole) == "divers on the quay"
    assert passage_key(page, part) == passage_key(page, Passage(None, "On the quay", 1.0)) == "on the quay"


def test_a_page_without_long_paragraphs_has_no_outside() -> None:
    found = evidence_of("<main><p>Short.</p><p>Also short.</p></main>")
    assert (found.first_paragraph, found.last_paragraph, found.first_h1) == (0, 2, -1)


def test_passages_that_are_not_in_the_page_count_in_no_container() -> None:
    page = page_of(PAGE)
    found = gather(page, [Passage(None, "From nowhere.", 0.5)], about_of(PAGE))
    assert found.blocks == [None]
    assert found.chars == len("From nowhere.")
    assert set(found.chars_inside) == {0}
