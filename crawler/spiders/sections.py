"""`scrapy crawl sections -a site=NAME[,NAME…]`: from a site's front and section pages to its articles."""

from __future__ import annotations

from crawler.discovery import SourceKind
from crawler.sites import Site
from crawler.spiders.news import NewsSpider


class SectionsSpider(NewsSpider):
    """The news spider with section pages for sources, for outlets with incomplete feeds.

    Reads a site's `sections` (its homepage where it has none), follows links to further sections as
    deep as its `section_depth` says, and fetches what looks like an article by address and link text.
    """

    name = "sections"

    def sources(self, site: Site) -> list[tuple[str, SourceKind]]:
        return [(url, "section") for url in site.sections or (site.homepage,)]
