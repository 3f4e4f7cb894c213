"""Reading what pages say of their articles."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import lxml.html
import pytest

from pipeline.document import Access
from pipeline.metadata.dates import date_in_line, parse_date
from pipeline.metadata.read import Metadata, read_metadata
from pipeline.metadata.structured_data import read_json_ld

FETCHED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
URL = "https://www.lindenpost.example/news/harbour"


def read(head: str = "", body: str = "", url: str = URL, lines: tuple[str, ...] = ()) -> Metadata:
    root = lxml.html.document_fromstring(f"<html><head>{head}</head><body>{body}</body></html>")
    return read_metadata(root, url, FETCHED, lines)


def ld(**values: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(values)}</script>'


NEWS = ld(**{"@type": "NewsArticle", "headline": "Chain found", "datePublished": "2026-03-01T23:30:00-05:00"})


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Harbour closed - The Linden Post</title>", "<h1>Harbour closed</h1>", "Harbour closed"),
        ("<title>Harbour closed again | Linden Post</title>", "", "Harbour closed again"),
        ("<title>Harbour closed again | Local | Linden Post</title>", "", "Harbour closed again | Local"),
        (
            "<title>Linden Post</title>",
            "<h1>The Linden Post</h1><h1>Two ferries wait</h1>",
            "Two ferries wait",
        ),
        ('<meta property="og:title" content="Chains &amp;amp; anchors">', "", "Chains & anchors"),
        (
            ld(**{"@type": "NewsArticle", "headline": "A - B talks fail again"}),
            "<h1>Menu</h1>",
            "A - B talks fail again",
        ),
        (
            ld(**{"@type": "NewsArticle", "headline": "Sea Trials: Two ferries wait outside"})
            + '<meta property="og:title" content="Two ferries wait outside">',
            "<h1>Sea Trials: Two ferries wait outside</h1>",
            "Two ferries wait outside",
        ),
        (
            '<meta property="article:section" content="Sea Trade">',
            "<h1>Two ferries wait outside | Sea Trade</h1>",
            "Two ferries wait outside",
        ),
        ("", "<h1>Two ferries wait outside | Opinion</h1>", "Two ferries wait outside"),
        ("", "<h1>Two ferries wait | Harbour opens</h1>", "Two ferries wait | Harbour opens"),
        (
            "<title>Two ferries wait outside</title>",
            "<h1>Two f<b>erries</b> wait outside</h1>",
            "Two ferries wait outside",
        ),
        (
            "<title>Two ferries wait outside - Linden Post</title>"
            '<meta property="og:title" content="Two ferries wait outside">',
            "<h1>Two ferries wait outside <small>Posted on March 3, 2026 by ida</small></h1>",
            "Two ferries wait outside",
        ),
        (
            '<meta property="og:title" content="Two ferries wait outside">',
            "<h1><time>3 March 2026</time> Two ferries wait outside</h1>",
            "Two ferries wait outside",
        ),
        (
            '<meta property="og:title" content="Two ferries wait outside">',
            "<h1>Two ferries wait outside until the chain is found</h1>",
            "Two ferries wait outside until the chain is found",
        ),
        ("<title>石狮重新上岗 今天_云河网</title>", "<h1>石狮重新上岗 今天</h1>", "石狮重新上岗 今天"),
    ],
)
def test_title(head: str, body: str, title: str) -> None:
    site = '<meta property="og:site_name" content="The Linden Post">'
    assert read(site + head, body).title == title


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


@pytest.mark.parametrize(
    ("head", "body", "stamp", "source"),
    [
        (
            ld(**{"@type": "NewsArticle", "datePublished": "2026-03-01T23:30:00-05:00"}),
            "",
            "2026-03-02T04:30",
            "json-ld",
        ),
        (
            '<meta property="article:published_time" content="2026-03-01T08:00:00Z">',
            "",
            "2026-03-01T08:00",
            "meta",
        ),
        (
            "",
            '<time itemprop="datePublished" datetime="2026-03-01T09:00+02:00">x</time>',
            "2026-03-01T07:00",
            "time",
        ),
        ("", "", "2026-02-27T00:00", "url"),
    ],
)
def test_date(head: str, body: str, stamp: str, source: str) -> None:
    found = read(head, body, "https://lindenpost.example/2026/02/27/harbour")
    assert found.published_at == datetime.fromisoformat(f"{stamp}:00+00:00")
    assert found.published_source == source


@pytest.mark.parametrize(
    ("stated", "stamp", "offset"),
    [
        ("2026-03-01T23:30:00-05:00", "2026-03-02T04:30", -300),
        ("2026-03-01T10:00:00+0530", "2026-03-01T04:30", 330),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00", 0),
        ("2026-03-01T10:00:00", "2026-03-01T10:00", None),
        ("2026-03-01", "2026-03-01T00:00", None),
        ("Sun, 01 Mar 2026 10:00:00 EST", "2026-03-01T15:00", -300),
        ("Sun Mar 01 2026 10:00:00 GMT+0100 (Central European Standard Time)", "2026-03-01T09:00", 60),
        ("March 1, 2026 10:15 p.m. JST", "2026-03-01T13:15", 540),
        ("2026-03-01T10:00:00+99:00", "2026-03-01T10:00", None),
    ],
)
def test_the_zone_that_a_page_states_is_kept(stated: str, stamp: str, offset: int | None) -> None:
    found = read(f'<meta property="article:published_time" content="{stated}">')
    assert found.published_at == datetime.fromisoformat(f"{stamp}:00+00:00")
    assert found.published_offset == offset


@pytest.mark.parametrize(
    ("stated", "other", "stamp", "offset"),
    [
        ("2026-03-01T09:00:00Z", "2026-03-01T10:00:00+01:00", "2026-03-01T09:00", 60),
        ("2026-03-01T10:00:00", "2026-03-01T10:00:00+01:00", "2026-03-01T09:00", 60),
        ("2026-03-01", "2026-03-01T10:00:00+01:00", "2026-03-01T09:00", 60),
        ("2026-03-01T09:00:00Z", "2026-03-01T11:00:00+01:00", "2026-03-01T09:00", 0),
        ("2026-03-01", "2026-03-02T10:00:00+01:00", "2026-03-01T00:00", None),
    ],
)
def test_statements_of_one_time_complete_each_other(
    stated: str, other: str, stamp: str, offset: int | None
) -> None:
    head = ld(**{"@type": "NewsArticle", "datePublished": stated})
    found = read(f'{head}<meta property="article:published_time" content="{other}">')
    assert found.published_at == datetime.fromisoformat(f"{stamp}:00+00:00")
    assert found.published_offset == offset
    assert found.published_source == "json-ld"


def test_a_time_without_a_zone_may_be_ahead_of_utc() -> None:
    """Ten in the evening in Tokyo is the afternoon in UTC, and the page is fetched a minute later."""
    head = ld(**{"@type": "NewsArticle", "datePublished": "2026-03-04T21:00:00"})
    assert read(head).published_at == FETCHED
    assert read(head.replace("T21:00:00", "T21:00:00Z")).published_at is None


@pytest.mark.parametrize(
    ("body", "day"),
    [
        ("<ul><li><strong>Datum</strong> 01.03.2026</li></ul>", "2026-03-01"),
        ("<div><span>Published</span><span>March 1, 2026</span></div><p>March 3, 2026</p>", "2026-03-01"),
        ("<div>So 01.03.26 | 14:07 Uhr | Von <b>Ida Brandt</b></div>", "2026-03-01"),
        ("<p>It rained.</p><p class='post-date'>1 mars 2026</p>", "2026-03-01"),
        ("<p>It rained.</p><p>Mar 1, 2026</p>", "2026-03-01"),
        ('<script>var page = {"publishedAt": "2026-03-01T10:00:00"}</script>', "2026-03-01"),
        ("<p>© 2026 Linden Post</p>", None),
        ("<script>var a = '1 March 2026'</script>", None),
    ],
)
def test_dates_that_readers_see(body: str, day: str | None) -> None:
    found = read(body=f"<h1>Harbour chain found</h1>{body}").published_at
    assert (found.date().isoformat() if found else None) == day


def test_a_date_line_counts_before_a_caption() -> None:
    lines = ("The harbour as it was on Tuesday, the 24 February 2026",)
    head = "<title>Chain found | Linden Post | 01.03.2026</title>"
    assert read(head, lines=lines).published_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert read(head, lines=(*lines, "28 February 2026")).published_at == datetime(2026, 2, 28, tzinfo=UTC)
    assert read(lines=lines).published_at == datetime(2026, 2, 24, tzinfo=UTC)


def test_a_day_in_json_ld_written_for_readers_counts_after_the_line_by_the_headline() -> None:
    head = ld(**{"@type": "NewsArticle", "datePublished": "Mar 3, 2026"})
    assert read(head, lines=("March 1, 2026",)).published_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert read(head).published_at == datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "url", ["https://lindenpost.example/2026/mar/01/chain", "https://lindenpost.example/A2026030114320005196"]
)
def test_dates_in_addresses(url: str) -> None:
    found = read(url=url)
    assert (found.published_at, found.published_source) == (datetime(2026, 3, 1, tzinfo=UTC), "url")


def test_a_line_that_says_published_counts_before_one_that_says_updated() -> None:
    lines = ("Updated 3 March 2026", "1 March 2026")
    assert read(lines=lines).published_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert read(lines=lines[:1]).published_at == datetime(2026, 3, 3, tzinfo=UTC)


def test_nothing_is_published_after_it_was_fetched() -> None:
    head = ld(**{"@type": "NewsArticle", "datePublished": "2027-01-01T00:00:00Z"})
    found = read(head + '<meta name="date" content="2026-03-02">')
    assert found.published_at == datetime(2026, 3, 2, tzinfo=UTC)
    assert read(head).published_at is None


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("Published 3 March 2026, 10:15", "2026-03-03"),
        ("March 3, 2026", "2026-03-03"),
        ("3. März 2026", "2026-03-03"),
        ("3 de marzo de 2026", "2026-03-03"),
        ("3 марта 2026", "2026-03-03"),
        ("3 березня 2026", "2026-03-03"),
        ("2026年3月3日", "2026-03-03"),
        ("Stand: 03.03.2026 - 08:00 Uhr", "2026-03-03"),
        ("Version 3.3.2026.1 of 14 pages", "2026-03-03"),
        (
            "On 3 March 2026 "
            + "the harbour was closed for the third time this winter, and nobody knew why. " * 2,
            None,
        ),
        ("12 people 2026", None),
    ],
)
def test_dates_in_lines(line: str, day: str | None) -> None:
    assert date_in_line(line) == day


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01 10:00:00", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01T10:00:00+0530", "2026-03-01T04:30:00+00:00"),
        ("Sun, 01 Mar 2026 10:00:00 GMT", "2026-03-01T10:00:00+00:00"),
        ("1772359200", "2026-03-01T10:00:00+00:00"),
        ("2026-03-04T12:03:00Z", "2026-03-04T12:00:00+00:00"),
        ("2026-03-05", None),
        ("2026-13-45", None),
        ("soon", None),
        ("", None),
    ],
)
def test_parse_date(text: str, expected: str | None) -> None:
    found = parse_date(text, FETCHED)
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01",}',
        '{"@type": "Article", "headline": "Chain\nfound", "datePublished": "2026-03-01"}',
        '<!-- {"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01"} -->',
        '//<![CDATA[\n{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01"}//]]>',
        '{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01", "image": {{x}} }',
        '[{"@graph": [{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01"}]}]',
        '{"@type": "Article", "headline": "Chain found", "datePublished": "2026-03-01", "text": "a "b" c',
    ],
)
def test_damaged_json_ld_is_read_as_far_as_it_goes(text: str) -> None:
    node = next(n for n in read_json_ld(text) if "headline" in n)
    assert " ".join(str(node["headline"]).split()) == "Chain found"
    assert node["datePublished"] == "2026-03-01"


def test_authors_survive_damage() -> None:
    text = '{"@type":"NewsArticle","author":[{"@type":"Person","name":"Ida Brandt"}],"image":}'
    assert read(f'<script type="application/ld+json">{text}</script>').authors == ("Ida Brandt",)


@pytest.mark.parametrize(
    ("value", "access"),
    [(False, Access.PAYWALLED), ("False", Access.PAYWALLED), (True, Access.FREE), (None, Access.FREE)],
)
def test_access_is_what_the_page_says(value: object, access: Access) -> None:
    assert read(ld(**{"@type": "NewsArticle", "isAccessibleForFree": value})).access is access


@pytest.mark.parametrize(
    ("head", "url"),
    [
        (
            '<link rel="canonical" href="/news/harbour?id=1">',
            "https://www.lindenpost.example/news/harbour?id=1",
        ),
        ('<meta property="og:url" content="https://other.example/a">', "https://other.example/a"),
        ('<link rel="canonical" href="">', None),
        ('<link rel="canonical" href="http://[broken">', None),
        ("", None),
    ],
)
def test_canonical_url(head: str, url: str | None) -> None:
    assert read(head).canonical_url == url


def test_language_the_page_states() -> None:
    root = lxml.html.document_fromstring('<html lang="pt-BR"><body>x</body></html>')
    assert read_metadata(root, URL, FETCHED).html_language == "pt"
