"""Entries of a source that are articles to fetch."""

from __future__ import annotations

from crawler.discovery import SourceEntry
from crawler.sites import Site
from crawler.spiders.selection import (
    by_canonical_url,
    new_articles,
    selection_rules,
    urls_to_look_up,
    without,
)
from pipeline.urls import canonical_url

BASE = "https://gazette.example/story"


def entries(*urls: str) -> dict[str, SourceEntry]:
    return by_canonical_url([SourceEntry(url) for url in urls])


def gazette(**changes: object) -> Site:
    fields = {"key": "gazette", "name": "Gazette", "homepage": "https://gazette.example/", **changes}
    return Site.model_validate(fields)


def test_the_first_of_entries_with_the_same_canonical_url_counts() -> None:
    urls = [f"{BASE}/1", f"{BASE}/2?utm_source=feed", f"{BASE}/2", f"{BASE}/1#top", f"{BASE}/3"]
    found = entries(*urls)
    assert [entry.url for entry in found.values()] == [urls[0], urls[1], urls[4]]
    assert list(found) == [canonical_url(f"{BASE}/{n}") for n in (1, 2, 3)]


def test_new_articles_are_those_of_the_site_that_were_not_seen() -> None:
    found = entries(f"{BASE}/1", f"{BASE}/2", "https://herald.example/story/3", f"{BASE}/skip/4")
    chosen = new_articles(found, gazette(skip_urls=("/skip/",)), {canonical_url(f"{BASE}/1")})
    assert list(chosen) == [canonical_url(f"{BASE}/2")]


def test_canonical_and_given_urls_are_looked_up_and_either_removes_an_entry() -> None:
    tracked = f"{BASE}/2?utm_source=feed"
    found = entries(f"{BASE}/1", tracked, f"{BASE}/3")
    assert urls_to_look_up(found) == sorted([f"{BASE}/1", f"{BASE}/2", tracked, f"{BASE}/3"])
    assert list(without(found, {tracked})) == [f"{BASE}/1", f"{BASE}/3"]
    assert list(without(found, {f"{BASE}/2"})) == [f"{BASE}/1", f"{BASE}/3"]
    assert without(found, set()) == found


def test_only_keys_that_select_articles_change_the_digest_of_the_rules() -> None:
    plain = selection_rules(gazette())
    assert selection_rules(gazette(name="The Gazette", schedule="every 30 min")) == plain
    changes: list[dict[str, object]] = [
        {"article_urls": ("/story/",)},
        {"skip_urls": ("/skip/",)},
        {"allowed_hosts": ("herald.example",)},
        {"max_age_days": 3},
        {"section_depth": 2},
    ]
    assert len({plain, *(selection_rules(gazette(**change)) for change in changes)}) == 6
