"""Reads what a site says about its own news: feeds, sitemaps, section pages and its front page; and OPML.

Functions from bytes to records, without Scrapy. What reads a stranger's bytes runs in a worker process.
"""

from crawler.discovery.entries import SourceEntry
from crawler.discovery.front_page import (
    MAX_LINK_ELEMENTS,
    FrontPage,
    SourceCandidate,
    language_tag,
    read_front_page,
    valid_address,
)
from crawler.discovery.hosts import are_related_hosts, site_key
from crawler.discovery.opml import MAX_OPML_BYTES, FeedSite, Opml, read_opml, sites_of_feeds
from crawler.discovery.sitemaps import Sitemap, sitemaps_in_robots
from crawler.discovery.sources import Download, Listing, SourceKind, read_source, recognise_source

__all__ = [
    "MAX_LINK_ELEMENTS",
    "MAX_OPML_BYTES",
    "Download",
    "FeedSite",
    "FrontPage",
    "Listing",
    "Opml",
    "Sitemap",
    "SourceCandidate",
    "SourceEntry",
    "SourceKind",
    "are_related_hosts",
    "language_tag",
    "read_front_page",
    "read_opml",
    "read_source",
    "recognise_source",
    "site_key",
    "sitemaps_in_robots",
    "sites_of_feeds",
    "valid_address",
]
