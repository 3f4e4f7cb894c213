"""Adds Copydesk to any Scrapy project: `ADDONS = {"crawler.addon.CopydeskAddon": 500}`."""

from __future__ import annotations

import re
from typing import Any

from scrapy.settings import BaseSettings

from crawler import settings as own
from crawler.fetch import names_contact

# Settings that describe a project, not Copydesk.
_PROJECT_SETTINGS = frozenset({"ADDONS", "BOT_NAME", "SPIDER_MODULES", "NEWSPIDER_MODULE"})
_PRODUCT = re.compile(r"[^\s/()]+")


class CopydeskAddon:
    """Add-on that gives a project those settings of `crawler.settings` that it does not set itself.

    So the politeness and the guard of Copydesk hold for its spiders, and their items go into the same
    pipeline. It also adds COPYDESK_CONTACT to the user agent, unless that names a contact already.
    """

    @classmethod
    def update_pre_crawler_settings(cls, settings: BaseSettings) -> None:
        """Set what Scrapy reads for the process, before there is a crawler."""
        settings.set("TWISTED_DNS_RESOLVER", own.TWISTED_DNS_RESOLVER, "addon")

    def update_settings(self, settings: BaseSettings) -> None:
        for name in filter(str.isupper, dir(own)):
            if name not in _PROJECT_SETTINGS:
                _set(settings, name, getattr(own, name))
        agent, contact = str(settings["USER_AGENT"]), settings.get("COPYDESK_CONTACT")
        if contact and not names_contact(settings):
            priority = settings.getpriority("USER_AGENT") or 0
            settings.set("USER_AGENT", f"{agent} (+{contact})", priority)
        # Rules of a robots.txt name a product; they must not match a part of the contact address.
        if not settings.get("ROBOTSTXT_USER_AGENT") and (product := _PRODUCT.match(agent)):
            settings.set("ROBOTSTXT_USER_AGENT", product[0], "addon")


def _set(settings: BaseSettings, name: str, value: Any) -> None:
    there = settings.get(name)
    if isinstance(value, dict) and isinstance(there, BaseSettings):
        for key, entry in value.items():
            there.set(key, entry, "addon")
    else:
        settings.set(name, value, "addon")
