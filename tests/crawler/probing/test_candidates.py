"""Candidates for feeds and sitemaps, and their order."""

from __future__ import annotations

import pytest

from crawler.discovery import SourceCandidate
from crawler.probing.candidates import USUAL_PLACE, ranked, usual_places


@pytest.mark.parametrize(
    ("homepage", "folders"),
    [
        ("https://gazette.example/", ["https://gazette.example/"]),
        ("https://gazette.example", ["https://gazette.example/"]),
        ("https://gazette.example/en/", ["https://gazette.example/en/", "https://gazette.example/"]),
        ("https://gazette.example/en?a=1#top", ["https://gazette.example/en/", "https://gazette.example/"]),
    ],
)
def test_feeds_are_looked_for_in_the_front_pages_folder_before_the_root(
    homepage: str, folders: list[str]
) -> None:
    found = usual_places(homepage, "feed", ("feed", "rss.xml"))
    assert [candidate.url for candidate in found] == [
        f + name for name in ("feed", "rss.xml") for f in folders
    ]
    assert {(candidate.kind, candidate.found) for candidate in found} == {("feed", USUAL_PLACE)}


def test_sitemaps_are_looked_for_at_the_root_only() -> None:
    (found,) = usual_places("https://gazette.example/en/", "sitemap", ("sitemap.xml",))
    assert found == SourceCandidate("https://gazette.example/sitemap.xml", "sitemap", USUAL_PLACE)


def test_news_sitemaps_and_short_paths_come_first_and_the_sites_order_decides_between_equals() -> None:
    candidates = [
        SourceCandidate("https://gazette.example/sport/cup/feed", "feed", "link"),
        SourceCandidate("https://gazette.example/comments", "feed", "link"),
        SourceCandidate("https://gazette.example/feed", "feed", "link"),
        SourceCandidate("https://gazette.example/maps/News-1.xml", "sitemap", "link"),
        SourceCandidate("https://gazette.example/sitemap.xml", "sitemap", "link"),
    ]
    assert [candidates.index(candidate) for candidate in ranked(candidates)] == [3, 1, 2, 4, 0]


def test_a_feed_is_not_preferred_for_news_in_its_path() -> None:
    urls = ["https://gazette.example/feed", "https://gazette.example/news"]
    assert [c.url for c in ranked([SourceCandidate(url, "feed", "link") for url in urls])] == urls
