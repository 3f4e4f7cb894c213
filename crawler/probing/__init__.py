"""Requests to sites outside of a crawl: checks whether sites work, and finds the sources of a new one."""

from crawler.probing.discover import Discovery, discover
from crawler.probing.limits import Limits
from crawler.probing.page_check import PageCheck
from crawler.probing.site_check import SiteCheck, SiteState, check_sites

__all__ = [
    "Discovery",
    "Limits",
    "PageCheck",
    "SiteCheck",
    "SiteState",
    "check_sites",
    "discover",
]
