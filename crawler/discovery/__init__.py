"""What a site says about its own news: feeds, sitemaps, section pages, its front page."""

from crawler.discovery import feeds, sections
from crawler.discovery.feeds import Entry
from crawler.discovery.front_page import (
    MAX_LINKS,
    Candidate,
    Front,
    Kind,
    key_of,
    language_tag,
    read_front,
    related,
    sound_address,
)

__all__ = [
    "MAX_LINKS",
    "Candidate",
    "Entry",
    "Front",
    "Kind",
    "feeds",
    "key_of",
    "language_tag",
    "read_front",
    "related",
    "sections",
    "sound_address",
]
