"""Single looks at a site outside of a crawl: checking sites, and finding what a new one offers."""

from crawler.probing.discover import Discovery, discover
from crawler.probing.site_check import PageCheck, SiteCheck, SiteState, Terms, check_sites

__all__ = [
    "Discovery",
    "PageCheck",
    "SiteCheck",
    "SiteState",
    "Terms",
    "check_sites",
    "discover",
]
