"""Description, section, keywords and image of an article, as pages state them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.metadata.read import Metadata
from pipeline.metadata.summary import (
    MAX_DESCRIPTION,
    MAX_IMAGE_URL,
    MAX_KEYWORD,
    MAX_KEYWORDS,
    MAX_SECTION,
    clean_description,
    clean_image_url,
    clean_keywords,
    clean_section,
)
from tests.pipeline.metadata.pages import URL, ld, read

SITE = '<meta property="og:site_name" content="The Linden Post">'
HEADLINE = "Chain across the harbour found"


def news(**values: object) -> str:
    return ld(**{"@type": "NewsArticle", "headline": HEADLINE, **values})


def meta(name: str, content: str) -> str:
    return f'<meta name="{name}" content="{content}">'


def crumbs(*steps: tuple[str, str]) -> str:
    items = [
        {"@type": "ListItem", "position": n, "name": name, **({"item": url} if url else {})}
        for n, (name, url) in enumerate(steps, 1)
    ]
    return ld(**{"@type": "BreadcrumbList", "itemListElement": items})


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (news(description="Divers found  a\n chain."), "Divers found a chain."),
        ('<meta property="og:description" content="Found by divers">', "Found by divers"),
        (meta("description", "Found &amp;amp; lifted"), "Found & lifted"),
        (meta("description", "&lt;p&gt;Found.&lt;/p&gt;&lt;p&gt;Lifted.&lt;/p&gt;"), "Found. Lifted."),
        # The article's own object comes first, then what is shared, then what search engines are told.
        (
            meta("description", "c") + '<meta property="og:description" content="b">' + news(description="a"),
            "a",
        ),
        # A statement that was cut off is completed by one that has the whole.
        (
            news(description="Divers found...") + meta("description", "Divers found a chain."),
            "Divers found a chain.",
        ),
        (news(), None),
        (meta("description", "  "), None),
        (meta("description", "null"), None),
        (meta("description", "{{ summary }}"), None),
        (meta("description", "…"), None),
    ],
)
def test_description(head: str, found: str | None) -> None:
    assert read(head).description == found


@pytest.mark.parametrize("boilerplate", ["The Linden Post", HEADLINE, "News from the Linden valley"])
def test_a_description_that_is_the_outlets_or_the_headline_is_none(boilerplate: str) -> None:
    site = ld(**{"@type": "WebSite", "name": "The Linden Post", "description": "News from the Linden valley"})
    head = SITE + site + news() + meta("description", boilerplate)
    assert read(head).description is None
    assert read(head + meta("twitter:description", "Divers found it.")).description == "Divers found it."


@pytest.mark.parametrize(
    ("head", "section"),
    [
        (news(articleSection="Harbour"), "Harbour"),
        (news(articleSection=["Harbour", "Local"]), "Harbour"),
        (news(articleSection="Harbour,Local"), "Harbour"),
        (news(articleSection="Food, Drink & Travel"), "Food, Drink & Travel"),
        ('<meta property="article:section" content="Harbour">', "Harbour"),
        ('<meta property="article:section" content="https://www.facebook.com/lindenpost">', None),
        (news(articleSection="Uncategorized"), None),
        (news(articleSection="12"), None),
        (news(articleSection="The Linden Post"), None),
        (news(articleSection=HEADLINE), None),
        (news(articleSection={"name": ["x"]}), None),
        # Breadcrumbs: without the home page and the page itself, the last step.
        (crumbs(("Home", "/"), ("News", "/news"), ("Harbour", "/news/port"), ("Chain found", "")), "Harbour"),
        (
            crumbs(("Linden", "https://www.lindenpost.example"), ("Harbour", "/port"), (HEADLINE, URL)),
            "Harbour",
        ),
        (crumbs(("Startseite", "/start"), (HEADLINE, URL)), None),
        (crumbs(("Home", ""), ("Harbour", ""), ("Chain found", "")), "Harbour"),
        (crumbs(("Home", "https://[broken"), ("Harbour", "/port")), "Harbour"),
        (ld(**{"@type": "BreadcrumbList", "itemListElement": "x"}), None),
        ("", None),
    ],
)
def test_section(head: str, section: str | None) -> None:
    assert read(SITE + head).section == section


def test_breadcrumbs_that_are_marked_up_in_the_text() -> None:
    body = """<ol itemscope itemtype="https://schema.org/BreadcrumbList">
      <li itemprop="itemListElement"><a href="/"><span itemprop="name">Home</span></a></li>
      <li itemprop="itemListElement"><a href="/news/port"><span itemprop="name">Harbour</span></a></li>
    </ol><ul itemscope itemtype="https://schema.org/ItemList">
      <li itemprop="itemListElement"><a href="/other"><span itemprop="name">Other story</span></a></li>
    </ul>"""
    assert read(news(), body).section == "Harbour"


@pytest.mark.parametrize(
    ("head", "keywords"),
    [
        (news(keywords=["ferry", "Norhaven"]), ("ferry", "Norhaven")),
        (news(keywords="ferry, Norhaven,ferry , FERRY"), ("ferry", "Norhaven")),
        (news(keywords=["ferry, Norhaven"]), ("ferry", "Norhaven")),
        # Of several values each is a keyword, also one with a comma in it.
        (news(keywords=["Lind, Ada", "ferry"]), ("Lind, Ada", "ferry")),
        (news(keywords=[{"@type": "DefinedTerm", "name": "ferry"}, 7, None]), ("ferry",)),
        (
            meta("keywords", "ferry; Norhaven") + meta("news_keywords", "divers"),
            ("divers", "ferry", "Norhaven"),
        ),
        (
            '<meta property="article:tag" content="ferry"><meta property="article:tag" content="divers">',
            ("ferry", "divers"),
        ),
        (SITE + meta("keywords", "The Linden Post, ferry"), ("ferry",)),
        (meta("keywords", "渡輪、港口，渡輪"), ("渡輪", "港口")),
        (meta("keywords", "#ferry, &quot;Norhaven&quot;"), ("ferry", "Norhaven")),
        (meta("keywords", "contentId: 4711, locale:en, 471147114711, https://x.example/, 2026"), ("2026",)),
        (
            meta("keywords", "ferry divers port chain, ferry, divers, port, chain"),
            ("ferry", "divers", "port", "chain"),
        ),
        (meta("keywords", ", ,"), None),
        (news(keywords={"a": 1}), None),
        ("", None),
    ],
)
def test_keywords(head: str, keywords: tuple[str, ...] | None) -> None:
    assert read(head).keywords == keywords


@pytest.mark.parametrize(
    ("head", "address"),
    [
        (news(image="https://i.example/a.jpg"), "https://i.example/a.jpg"),
        (news(image=["https://i.example/a.jpg", "https://i.example/b.jpg"]), "https://i.example/a.jpg"),
        (news(image={"@type": "ImageObject", "url": "/a.jpg"}), "https://www.lindenpost.example/a.jpg"),
        (news(image={"@type": "ImageObject", "contentUrl": "//i.example/a.jpg"}), "https://i.example/a.jpg"),
        (
            news(image={"@id": "#main"})
            + ld(**{"@type": "WebPage", "@graph": [{"@id": "#main", "url": "https://i.example/a.jpg"}]}),
            "https://i.example/a.jpg",
        ),
        # A reference to an object that the page does not have is no address.
        (news(image={"@id": "https://www.lindenpost.example/news/harbour#main"}), None),
        (
            '<meta property="og:image" content="https://i.example/a b.jpg?x=1&amp;amp;y=2">',
            "https://i.example/a%20b.jpg?x=1&y=2",
        ),
        (meta("twitter:image", "https://i.example/a.jpg"), "https://i.example/a.jpg"),
        (
            news(
                image="https://i.example/logo.svg", publisher={"logo": {"url": "https://i.example/logo.svg"}}
            ),
            None,
        ),
        (news(image="data:image/png;base64,AAAA"), None),
        (news(image={"url": 5}), None),
        (news(image=[[[["https://i.example/a.jpg"]]]]), None),
        ("", None),
    ],
)
def test_image_url(head: str, address: str | None) -> None:
    assert read(head).image_url == address


@pytest.mark.parametrize(
    "value",
    [
        "",
        "/relative.jpg",
        "http:///a.jpg",
        "http://-/a.jpg",
        "http://localhost/a.jpg",
        "https://i.example",
        "https://i.example:port/a.jpg",
        "https://[::1/a.jpg",
        "https://i.example/a\nb.jpg",
        "https://i.example/\ud800.jpg",
        'https://i.example/"><script>.jpg',
        "javascript:alert(1)",
        "ftp://i.example/a.jpg",
        "https://i.example/" + "a" * MAX_IMAGE_URL,
        7,
        ["https://i.example/a.jpg"],
        None,
    ],
)
def test_what_is_no_address_of_an_image(value: object) -> None:
    assert clean_image_url(value) is None


def test_a_long_description_is_cut_between_words() -> None:
    found = clean_description("ferry harbour " * 200) or ""
    assert len(found) <= MAX_DESCRIPTION
    assert found.endswith(("ferry…", "harbour…"))
    assert len(clean_description("渡" * 5000) or "") == MAX_DESCRIPTION


def test_keywords_are_few_and_short() -> None:
    found = clean_keywords([f"word {n}" for n in range(500)]) or ()
    assert len(found) == MAX_KEYWORDS
    assert clean_keywords(["x" * (MAX_KEYWORD + 1), "short", 5, None, ["short"]]) == ("short",)
    assert clean_keywords("a text") is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "url", "@id", "@value", "item", "itemListElement", "logo"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(
    values=st.dictionaries(
        st.sampled_from(["description", "articleSection", "keywords", "image", "publisher", "thumbnailUrl"]),
        VALUES,
    ),
    crumb=VALUES,
    content=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters='"<>&'), max_size=300),
)
def test_whatever_a_page_says_is_bounded(values: dict[str, object], crumb: object, content: str) -> None:
    head = ld(**{"@type": "NewsArticle", "headline": "x", **values})
    head += ld(**{"@type": "BreadcrumbList", "itemListElement": crumb})
    head += "".join(
        meta(name, content) for name in ("description", "keywords", "article:section", "og:image")
    )
    found: Metadata = read(head)
    assert len(found.description or "") <= MAX_DESCRIPTION
    assert len(found.section or "") <= MAX_SECTION
    assert len(found.keywords or ()) <= MAX_KEYWORDS
    assert all(0 < len(keyword) <= MAX_KEYWORD for keyword in found.keywords or ())
    assert len(found.image_url or "") <= MAX_IMAGE_URL
    assert (found.image_url or "http").startswith("http")
    for text in (found.description or "x", found.section or "x", *(found.keywords or ())):
        assert text == " ".join(text.split())
    # Cleaned once is clean: records of an export are read as they are.
    assert clean_description(found.description) == found.description
    assert clean_section(found.section) == found.section
    assert clean_keywords(found.keywords) == found.keywords
    assert clean_image_url(found.image_url) == found.image_url
