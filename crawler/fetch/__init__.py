"""How requests are made: where a crawl may go, how often, with which contact address, and how it resumes.

Each module or inner package holds one Scrapy component; crawler/settings.py puts them in order.
"""

from crawler.fetch.conditional import condition, validators
from crawler.fetch.contact import has_contact, names_contact, require_contact
from crawler.fetch.errors import PutOff, RequestNotNeeded
from crawler.fetch.guard import LOOPBACK_SETTING
from crawler.fetch.politeness import Politeness, account_of
from crawler.fetch.request_meta import (
    ARTICLE,
    SESSION,
    SITE,
    TDMREP,
    hosts_meta,
    is_robots_request,
    politeness_meta,
    requested_url,
)
from crawler.fetch.rights import SiteRights, product_name
from crawler.fetch.site_lock import SiteLock

__all__ = [
    "ARTICLE",
    "LOOPBACK_SETTING",
    "SESSION",
    "SITE",
    "TDMREP",
    "Politeness",
    "PutOff",
    "RequestNotNeeded",
    "SiteLock",
    "SiteRights",
    "account_of",
    "condition",
    "has_contact",
    "hosts_meta",
    "is_robots_request",
    "names_contact",
    "politeness_meta",
    "product_name",
    "requested_url",
    "require_contact",
    "validators",
]
