"""How requests are made: where a crawl may go, how often, in whose name, and how it goes on after a stop.

Scrapy components, one task each; crawler/settings.py puts them in order.
"""

from crawler.fetch.conditional import condition, validators
from crawler.fetch.contact import has_contact, names_contact, require_contact
from crawler.fetch.guard import LOOPBACK_SETTING, hosts_meta
from crawler.fetch.politeness import SITE, Politeness, PutOff, politeness_meta
from crawler.fetch.resume import ARTICLE, SESSION, AskedBefore
from crawler.fetch.site_lock import SiteLock

__all__ = [
    "ARTICLE",
    "LOOPBACK_SETTING",
    "SESSION",
    "SITE",
    "AskedBefore",
    "Politeness",
    "PutOff",
    "SiteLock",
    "condition",
    "has_contact",
    "hosts_meta",
    "names_contact",
    "politeness_meta",
    "require_contact",
    "validators",
]
