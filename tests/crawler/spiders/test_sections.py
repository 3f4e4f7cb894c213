"""The sections spider starts from the section pages of a site."""

from __future__ import annotations

from crawler.sites import Site
from crawler.spiders.sections import SectionsSpider

HOME = "https://courier.example/"
FEEDS = (f"{HOME}rss.xml",)


def test_sources_are_the_sections_in_order_and_no_feed() -> None:
    sections = (f"{HOME}harbour", f"{HOME}sport")
    site = Site(key="courier", name="The Channel Courier", homepage=HOME, feeds=FEEDS, sections=sections)
    assert SectionsSpider().sources(site) == [(url, "section") for url in sections]


def test_a_site_without_sections_is_read_from_its_homepage() -> None:
    site = Site(key="courier", name="The Channel Courier", homepage=HOME, feeds=FEEDS)
    assert SectionsSpider().sources(site) == [(HOME, "section")]
