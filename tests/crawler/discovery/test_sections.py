"""Links of a section page: articles, further sections, or neither."""

from __future__ import annotations

import pytest

from crawler.discovery.sections import Link, is_article_link, is_section_link, links
from crawler.sites.reader import parse_sites
from crawler.sites.urls import is_trap

B = "https://gazette.example"
SITE = parse_sites(f'[sites.g]\nhomepage = "{B}/"\nsections = ["{B}/politics"]'.encode(), "x")["g"]
RULED = parse_sites(
    f"[sites.g]\nhomepage = '{B}/'\nsections = ['{B}/politics']\narticle_urls = ['/a/']".encode(), "x"
)["g"]

PAGE = f"""<html><head><base href="{B}/news/"></head><body>
<nav><a href="/politics">Politics</a> <a href="#top">Top</a> <a href="javascript:void(0)">Menu</a></nav>
<a href="/2026/03/02/ferry"><img src="x.jpg"></a>
<h2><a href="/2026/03/02/ferry#comments">Ferry  runs
 <b>again</b></a></h2>
<a href="more">More</a><a href="http://[broken">x</a><a href="mailto:a@b.example">Mail</a>
<a href="/paid" rel="sponsored nofollow">A paid link that nobody should follow</a>
</body></html>"""


def test_links_are_absolute_and_have_their_longest_text() -> None:
    assert links(PAGE.encode(), "utf-8", f"{B}/") == (
        Link(f"{B}/politics", "Politics"),
        Link(f"{B}/2026/03/02/ferry", "Ferry runs again"),
        Link(f"{B}/news/more", "More"),
    )


@pytest.mark.parametrize(
    "body",
    [b"", b"\0\0", b"<a href='/x'", b"<a href='\xff\xfe'>x</a>", b"<base href='http://['><a href='/y'>y</a>"],
)
def test_damaged_pages_give_no_more_than_links(body: bytes) -> None:
    assert all(
        link.url.startswith(B) for link in links(body, "no-such-charset" if not body else None, f"{B}/")
    )


@pytest.mark.parametrize(
    ("path", "text", "is_article", "is_section"),
    [
        ("/2026/03/02/ferry", "Ferry runs again after three months", True, False),
        ("/politics/council-votes-for-new-bridge", "Council votes", True, False),
        ("/politics/council-votes-for-new-bridge", "", True, False),
        ("/politics/bridge-1234567", "Council votes for a new bridge", True, False),
        ("/?id=1234567", "Council votes for a new bridge", True, False),
        ("/politics/archive/council-votes-for-new-bridge.htm", "Council votes", True, False),
        ("/politics/archive", "Archive", False, False),
        ("/politics", "Politics", False, True),
        ("/politics/local/", "Local news", False, True),
        ("/news/world", "World", False, True),
        ("/", "Home", False, False),
        ("/about", "About us", False, False),
        ("/login", "Log in", False, False),
        ("/about/how-we-choose-our-stories", "How we choose our stories", False, False),
        ("/tag/bridge", "bridge", False, False),
        ("/politics?page=2", "Next", False, False),
        ("/2026/03", "March", False, False),
        ("/2026/03/02/ferry.jpg", "Ferry runs again after three months", False, False),
        ("/a/b/a/b/a/b/council-votes-for-new-bridge", "Council votes for a new bridge", False, False),
    ],
)
def test_kinds_of_links(path: str, text: str, is_article: bool, is_section: bool) -> None:
    link = Link(B + path, text)
    assert is_article_link(link, SITE) is is_article
    assert is_section_link(link, SITE) is is_section


def test_links_to_different_hosts_are_neither() -> None:
    link = Link("https://other.example/2026/03/02/ferry-runs-again-today", "Ferry runs again today, at last")
    assert not is_article_link(link, SITE)
    assert not is_section_link(Link("https://other.example/politics", "Politics"), SITE)


def test_the_patterns_of_a_site_decide() -> None:
    assert is_article_link(Link(f"{B}/a/1", "x"), RULED)
    assert not is_article_link(
        Link(f"{B}/2026/03/02/ferry-runs-again", "Ferry runs again at last today"), RULED
    )


@pytest.mark.parametrize(
    ("path", "trap"),
    [
        ("/a/b/c", False),
        ("/news/2026/news/ferry", False),
        ("/news/news/news/ferry", True),
        ("/" + "/".join("abcdefghijklm"), True),
    ],
)
def test_traps(path: str, trap: bool) -> None:
    assert is_trap(B + path) is trap
