"""The contact address in the user agent: whoever runs a site can find out who crawls it, and write to them.

Settings: COPYDESK_CONTACT, USER_AGENT.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from crawler.sites import Site, is_loopback_host
from pipeline.errors import OperatorError

_ADDRESS = re.compile(r"[^\s@<>()+]+@[^\s@<>()]+\.[^\s@<>()]+|https?://[^\s<>()]+\.[^\s<>()]+")
_REMEDY = "set COPYDESK_CONTACT to your e-mail address or web page"


def has_contact(settings: BaseSettings) -> bool:
    """True if the user agent names an e-mail address or web page, or COPYDESK_CONTACT will add one.

    Raises OperatorError for a COPYDESK_CONTACT that is neither.
    """
    contact = settings.get("COPYDESK_CONTACT")
    if contact and not _ADDRESS.fullmatch(contact):
        raise OperatorError(f"COPYDESK_CONTACT: {contact!r} is no contact address; {_REMEDY}")
    return bool(contact) or names_contact(settings)


def names_contact(settings: BaseSettings) -> bool:
    """True if USER_AGENT itself names an e-mail address or web page."""
    # Scrapy's default user agent names Scrapy's own web page.
    is_default = (settings.getpriority("USER_AGENT") or 0) <= SETTINGS_PRIORITIES["default"]
    return not is_default and _ADDRESS.search(str(settings["USER_AGENT"])) is not None


def require_contact(settings: BaseSettings, sites: Iterable[Site]) -> None:
    """Raise OperatorError if a site other than loopback would be crawled without a contact address."""
    if has_contact(settings):
        return
    for site in sites:
        if any(not is_loopback_host(host) for host in site.hosts | site.source_hosts):
            raise OperatorError(
                f"site {site.key}: not crawled without a contact address in the user agent; {_REMEDY}"
            )


def anonymous_message(host: str) -> str:
    """The message of a request that is refused because the user agent names no contact."""
    return f"{host} is not requested without a contact address in the user agent; {_REMEDY}"
