"""Who wrote a story."""

from __future__ import annotations

import pytest

from tests.pipeline.metadata.pages import ld, read


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ({"@type": "Person", "name": "Ida Brandt"}, ("Ida Brandt",)),
        ([{"name": "Ida Brandt"}, {"name": "Per Holm"}], ("Ida Brandt", "Per Holm")),
        ("By Ida Brandt and Per Holm", ("Ida Brandt", "Per Holm")),
        ({"name": "Ida Brandt, Chief Reporter"}, ("Ida Brandt",)),
        ({"name": "ida.brandt@lindenpost.example Ida Brandt"}, ("Ida Brandt",)),
        ({"@type": "Organization", "name": "Baltic Press"}, ("Baltic Press",)),
        ({"name": ["Ida Brandt", "Per Holm"]}, ("Ida Brandt", "Per Holm")),
        ("https://www.lindenpost.example/authors/7", ()),
        ("Ida Brandt und dpa", ("Ida Brandt", "dpa")),
        ("Reuters", ("Reuters",)),
        ("Ida Brandt, AFP", ("Ida Brandt", "AFP")),
        ("Ida Brandt, Malmö", ("Ida Brandt",)),
        ("Ida Brandt, MD, PhD", ("Ida Brandt",)),
        ("Ida Brandt, MD, RD, FAND", ("Ida Brandt",)),
        ([{"name": "Ida Brandt"}, {"name": "Updated by Per Holm"}], ("Ida Brandt",)),
        ("Linden Post et AFP", ("AFP",)),
        ("Centre for Food and Health", ("Centre for Food and Health",)),
        ("Brandt & Holm", ("Brandt & Holm",)),
        ({"name": "Ida Brandt Senior Sports Reporter"}, ("Ida Brandt",)),
        ({"name": "View all posts by Ida Brandt"}, ("Ida Brandt",)),
        ([{"name": "I. Brandt"}, {"name": "Ida Brandt"}, {"name": "IDA BRANDT"}], ("Ida Brandt",)),
        ([{"name": "José Ruiz"}, {"name": "Jose Ruiz"}], ("José Ruiz",)),
        ([{"@type": "Organization", "name": "Linden Post"}, {"name": "Per Holm"}], ("Per Holm",)),
        ({"name": "admin"}, ()),
    ],
)
def test_authors_of_json_ld(author: object, names: tuple[str, ...]) -> None:
    site = '<meta property="og:site_name" content="Linden Post">'
    assert read(site + ld(**{"@type": "NewsArticle", "headline": "x", "author": author})).authors == names


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


def test_papers_file_their_authors_by_surname() -> None:
    head = (
        '<meta name="citation_author" content="Brandt, Ida"><meta name="citation_author" content="Holm, Per">'
    )
    assert read(head).authors == ("Ida Brandt", "Per Holm")


def test_a_name_of_one_word_does_not_displace_the_outlet() -> None:
    head = '<meta property="og:site_name" content="Linden Post">' + ld(
        **{"@type": "NewsArticle", "author": {"name": "Redaktion Linden Post"}}
    )
    assert read(head + '<meta name="dc.creator" content="Malmö">').authors == ("Redaktion Linden Post",)


def test_the_sites_own_name_gives_way_to_a_visible_person() -> None:
    head = '<meta property="og:site_name" content="Linden Post">' + ld(
        **{"@type": "NewsArticle", "author": {"name": "Linden Post"}}
    )
    assert read(head, '<h1>x</h1><p class="byline">By Ida Brandt</p>').authors == ("Ida Brandt",)
    assert read(head).authors == ("Linden Post",)


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


def test_authors_survive_damage() -> None:
    text = '{"@type":"NewsArticle","author":[{"@type":"Person","name":"Ida Brandt"}],"image":}'
    assert read(f'<script type="application/ld+json">{text}</script>').authors == ("Ida Brandt",)
