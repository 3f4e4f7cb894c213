"""Bylines that a page shows."""

from __future__ import annotations

import pytest

from tests.pipeline.metadata.pages import read


@pytest.mark.parametrize(
    "body",
    [
        '<h1>x</h1><a rel="author" href="/a/7">Ida Brandt</a>',
        # more names than any template gives an element
        f'<h1>x</h1><span class="{"wide " * 200}Author-Name">Ida Brandt</span>',
        '<h1>x</h1><span class="article__author">By Ida Brandt</span>',
        '<h1>x</h1><a href="/author/ida">Ida Brandt</a>',
        '<h1>x</h1><div itemprop="author"><span itemprop="name">Ida Brandt</span></div>',
    ],
)
def test_authors_shown_on_the_page(body: str) -> None:
    assert read(body=body).authors == ("Ida Brandt",)


def test_an_agency_of_one_word_needs_an_element_that_is_made_for_authors() -> None:
    assert read(body='<h1>x</h1><a rel="author" href="/author/dpa">dpa</a>').authors == ("dpa",)
    both = '<h1>x</h1><a rel="author" href="/a/1">Ida Brandt</a> and <a rel="author" href="/a/2">dpa</a>'
    assert read(body=both).authors == ("Ida Brandt", "dpa")
    assert read(body='<h1>x</h1><span class="author">Sports</span>').authors == ()


def test_who_comments_is_no_author() -> None:
    body = '<h1>x</h1><div class="comment"><b class="x"><span class="author-name">Ida Brandt</span></b></div>'
    assert read(body=body).authors == ()


def test_authors_of_other_stories_below_are_not_taken() -> None:
    text = "<p>" + "The harbour stayed closed on Tuesday while divers looked for the chain. " * 3 + "</p>"
    body = f'<h1>x</h1><p class="byline">Ida Brandt</p>{text * 4}<p class="byline">Per Holm</p>'
    assert read(body=body).authors == ("Ida Brandt",)


def test_a_line_that_says_by_names_the_author() -> None:
    assert read(lines=("Harbour closed", "By Mabel Rusk", "It rained.")).authors == ("Mabel Rusk",)
    assert read(lines=("By noon the rain had stopped and nobody was left.",)).authors == ()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("By Ida Brandt March 3, 2026", ("Ida Brandt",)),
        ("March 3, 2026 By Ida Brandt", ("Ida Brandt",)),
        ("March 3, 2026\nBy Ida Brandt", ("Ida Brandt",)),
        ("By Reuters March 3, 2026", ("Reuters",)),
        ("By Ida Brandt and Baltic Press 3 March 2026", ("Ida Brandt", "Baltic Press")),
        ("By Ida Brandt in Malmö | Updated 10:15", ("Ida Brandt",)),
        ("Von Ida Brandt und dpa 3. März 2026", ("Ida Brandt", "dpa")),
        ("Par AFP 3 mars 2026", ("AFP",)),
        ("Por Ida Brandt y EFE 3 de marzo de 2026", ("Ida Brandt", "EFE")),
        ("Di Ida Brandt e Per Holm", ("Ida Brandt", "Per Holm")),
        ("Автор: Ида Брандт 3 марта 2026", ("Ида Брандт",)),
        ("Автор: Укрінформ 3 березня 2026", ("Укрінформ",)),
        ("Author Ida Brandt", ("Ida Brandt",)),
        ("By Linden Post 3 March 2026", ()),
        ("Von der Stadt verlassen", ()),
        ("By Monday evening", ()),
        ("Text messages and calls", ()),
        ("By Staff Writer", ()),
    ],
)
def test_bylines(line: str, names: tuple[str, ...]) -> None:
    site = '<meta property="og:site_name" content="Linden Post">'
    assert read(site, lines=("Harbour closed", line, "It rained.")).authors == names


def test_a_label_in_a_line_of_its_own_names_what_follows() -> None:
    assert read(lines=("Written by", "Ida Brandt", "It rained.")).authors == ("Ida Brandt",)
    assert read(lines=("Von", "Ida Brandt")).authors == ("Ida Brandt",)


def test_one_word_after_by_counts_near_the_headline_only() -> None:
    assert read(lines=(*["It rained."] * 8, "By Reuters")).authors == ()
