"""A site as a record."""

from __future__ import annotations

import pytest

from crawler.sites.reader import parse_sites, site_rulebook
from crawler.sites.site import Site, parse_hours
from pipeline.errors import OperatorError
from pipeline.sites.rules import Phrase, SiteRules

GAZETTE = """
[sites.gazette]
name = "The Example Gazette"
homepage = "https://www.gazette.example/"
feeds = ["https://feeds.example/gazette.xml"]
allowed_hosts = ["Archive.Gazette.example"]
language = "en"
schedule = "every 30 min"
article_urls = ['/\\d{4}/']

[sites.gazette.politeness]
delay = 2.5
page_budget = 10
"""


def gazette(text: str = GAZETTE) -> Site:
    return parse_sites(text.encode(), "sites.toml")["gazette"]


def test_a_site_is_read_into_a_record() -> None:
    site = gazette()
    assert (site.key, site.name, site.language) == ("gazette", "The Example Gazette", "en")
    assert site.feeds == ("https://feeds.example/gazette.xml",)
    assert site.hosts == {"gazette.example", "archive.gazette.example"}
    assert site.source_hosts == {"feeds.example"}
    assert (site.politeness.delay, site.politeness.page_budget) == (2.5, 10)
    assert site.politeness.concurrent_requests == 2


def test_the_rules_of_a_site_apply_to_its_hosts() -> None:
    rules = """
[sites.gazette.rules]
clutter = ["Read our newsletter*", { phrase = "Tap to hear*", scope = "tail" }]
drop = [".promo", "aside.related"]
take = ["div.article-body"]
"""
    assert gazette(GAZETTE + rules).site_rules == SiteRules(
        "gazette",
        ("archive.gazette.example", "gazette.example"),
        (Phrase("Read our newsletter*"), Phrase("Tap to hear*", "tail")),
        (".promo", "aside.related"),
        ("div.article-body",),
    )
    assert not site_rulebook([gazette()])


def test_records_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        gazette().name = "other"


def test_the_name_falls_back_to_the_key() -> None:
    site = parse_sites(b'[sites.a]\nhomepage="http://a.example"\nfeeds=["http://a.example/f"]', "x")["a"]
    assert site.name == "a"


def test_hours_of_revisits_are_read_from_the_setting_as_well() -> None:
    assert parse_hours(["1", " 3.5", 12]) == (1.0, 3.5, 12.0)
    assert parse_hours([""]) == parse_hours([]) == ()
    for wrong in (["1", "x"], ["3", "1"], ["0"], ["nan"], ["inf"], ["1", "1"]):
        with pytest.raises(OperatorError, match=r"^COPYDESK_REVISIT_HOURS: .* write hours in ascending"):
            parse_hours(wrong)
