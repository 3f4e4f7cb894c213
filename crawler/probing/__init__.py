"""Requests outside of a crawl: checks whether sites work, finds the sources of a new one, asks what sites
reserve, fetches pages.
"""

from crawler.probing.discover import Discovery, Wanted, discover
from crawler.probing.limits import Limits
from crawler.probing.page_check import PageCheck
from crawler.probing.pages import fetch_pages
from crawler.probing.reserved import Reserved, ask_reserved
from crawler.probing.site_check import SiteCheck, SiteState, check_sites

__all__ = [
    "Discovery",
    "Limits",
    "PageCheck",
    "Reserved",
    "SiteCheck",
    "SiteState",
    "Wanted",
    "ask_reserved",
    "check_sites",
    "discover",
    "fetch_pages",
]
