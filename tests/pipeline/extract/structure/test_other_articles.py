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
