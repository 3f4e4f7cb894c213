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
        ([{"name": "Ida Brandt"}, {"@type": "Organization", "name": "Malmö Shipping"}], ("Ida Brandt",)),
        ([{"name": "Ida Brandt"}, {"@type": "Organization", "name": "AFP"}], ("Ida Brandt", "AFP")),
        ([{"name": "Ida Brandt"}, {"name": "Malmö Tribune"}, {"name": "Sea Desk"}], ("Ida Brandt",)),
        ([{"name": "Ida Brandt"}, {"name": "Malmö"}], ("Ida Brandt",)),
        ([{"name": "Image: Getty Images"}, {"name": "Ida Brandt"}], ("Ida Brandt",)),
        ({"name": "Image: Getty Images"}, ()),
    ],
)
def test_authors_of_json_ld(author: object, names: tuple[str, ...]) -> None:
    site = '<meta property="og:site_name" content="Linden Post">'
    assert read(site + ld(**{"@type": "NewsArticle", "headline": "x", "author": author})).authors == names


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


def test_authors_survive_damage() -> None:
    text = '{"@type":"NewsArticle","author":[{"@type":"Person","name":"Ida Brandt"}],"image":}'
    assert read(f'<script type="application/ld+json">{text}</script>').authors == ("Ida Brandt",)


TWO = ld(**{"@type": "NewsArticle", "author": [{"name": "Ida Brandt"}, {"name": "Per Holm"}]})


def test_the_byline_says_who_of_the_stated_people_wrote() -> None:
    shown = '<h1>x</h1><p class="byline">By Ida Brandt</p><p>Photos by Per Holm</p>'
    assert read(TWO, shown).authors == ("Ida Brandt",)
    assert read(TWO, lines=("Harbour closed", "By Ida Brandt")).authors == ("Ida Brandt",)
    assert read(TWO).authors == ("Ida Brandt", "Per Holm")
    # Who the script does not name may be anybody.
    assert read(TWO, '<h1>x</h1><p class="byline">By Una Vik</p>').authors == ("Ida Brandt", "Per Holm")


def test_the_name_of_an_account_gives_way_to_the_byline() -> None:
    head = ld(**{"@type": "NewsArticle", "author": {"name": "IdaB"}})
    assert read(head, '<h1>x</h1><p class="byline">By Ida Brandt</p>').authors == ("Ida Brandt",)
    assert read(head).authors == ("IdaB",)
    agency = ld(**{"@type": "NewsArticle", "author": {"name": "dpa"}})
    assert read(agency, '<h1>x</h1><p class="byline">By Ida Brandt</p>').authors == ("dpa",)


def test_agencies_stay_beside_the_people_of_the_byline() -> None:
    stated = [{"name": "Ida Brandt"}, {"name": "Per Holm"}, {"name": "dpa"}]
    head = ld(**{"@type": "NewsArticle", "author": stated})
    assert read(head, '<h1>x</h1><p class="byline">By Ida Brandt</p>').authors == ("Ida Brandt", "dpa")


def test_an_unknown_agency_stays_where_the_byline_joins_it_to_a_person() -> None:
    stated = [{"name": "Ida Brandt"}, {"name": "Northwire"}]
    head = ld(**{"@type": "NewsArticle", "author": stated})
    assert read(head, lines=("x", "By Ida Brandt and Northwire")).authors == ("Ida Brandt", "Northwire")
    assert read(head, lines=("x", "By Ida Brandt, Northwire")).authors == ("Ida Brandt",)


def test_by_directly_below_the_headline_comes_before_marks() -> None:
    body = '<h1>Harbour closed</h1><div class="author">Per Holm</div>'
    assert read(body=body, lines=("Harbour closed", "By Ida Brandt", "It rained.")).authors == ("Ida Brandt",)
    # Not where the line says the marked name and more, or is further down.
    assert read(body=body, lines=("Harbour closed", "By Per Holm Boatman")).authors == ("Per Holm",)
    assert read(body=body, lines=(*["It rained."] * 6, "By Ida Brandt")).authors == ("Per Holm",)
