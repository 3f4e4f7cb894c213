"""The rule on further articles of a page."""

from __future__ import annotations

from pipeline.extract.structure.other_articles import other_articles
from tests.pipeline.extract.pages import STORY
from tests.pipeline.extract.structure.test_links import evidence, texts

FIRST = "<article>" + "".join(f"<p>{text}</p>" for text in STORY) + "</article>"


def dropped(html: str) -> list[str]:
    found = evidence(html)
    return texts(found, other_articles(found))


def test_a_further_article_with_a_linked_headline_goes() -> None:
    below = "<article><h2><a href=/2>Tram runs all night</a></h2><p>The council has decided it.</p></article>"
    assert dropped(f"<main>{FIRST}{below}</main>") == ["Tram runs all night", "The council has decided it."]


def test_a_further_article_with_a_headline_of_first_rank_goes() -> None:
    below = "<article><h1>Tram runs all night</h1><p>The council has decided it.</p></article>"
    assert dropped(f"<main>{FIRST}{below}</main>") == ["Tram runs all night", "The council has decided it."]


def test_entries_of_a_live_blog_stay() -> None:
    entry = "<article><h2>10:15</h2><p>The council has decided it.</p></article>"
    assert dropped(f"<main>{FIRST}{entry}</main>") == []


def test_an_article_elsewhere_in_the_page_is_not_judged() -> None:
    below = "<article><h2><a href=/2>Tram runs all night</a></h2><p>The council has decided it.</p></article>"
    assert dropped(f"<main>{FIRST}</main><div><section>{below}</section></div>") == []
    assert dropped(f"<main>{FIRST}</main>") == []


def box(name: str, headline: str, *paragraphs: str, byline: str = "<p class=byline>Rob Lessing</p>") -> str:
    return f"<div class='{name}'>{headline}{byline}" + "".join(f"<p>{p}</p>" for p in paragraphs) + "</div>"


NEXT = ("The council has decided it.", "Residents had collected 380 signatures against it.")


def test_a_further_box_of_the_same_kind_goes() -> None:
    first = box("story", "<h1>Board votes to dredge</h1>", *STORY)
    for headline in ("<h1>Tram runs all night</h1>", "<h2><a href=/2>Tram runs all night</a></h2>"):
        html = f"<main>{first}{box('story', headline, *NEXT)}</main>"
        assert dropped(html) == ["Tram runs all night", "Rob Lessing", *NEXT]


def test_boxes_of_another_kind_or_without_a_headline_of_their_own_stay() -> None:
    first = box("story", "<h1>Board votes to dredge</h1>", *STORY)
    assert dropped(f"<main>{first}{box('part', '<h1>What comes next</h1>', *NEXT)}</main>") == []
    assert dropped(f"<main>{first}{box('story', '<h2>What comes next</h2>', *NEXT)}</main>") == []


def test_parts_of_a_story_that_are_not_signed_stay() -> None:
    first = box("part", "<h1>Board votes to dredge</h1>", *STORY)
    assert dropped(f"<main>{first}{box('part', '<h1>What comes next</h1>', *NEXT, byline='')}</main>") == []
