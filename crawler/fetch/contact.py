"""Who is asking: the contact address in the user agent.

Whoever runs a site must be able to find out who asks it for pages, and to write to them.
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
    """True where the user agent names an e-mail address or web page, or COPYDESK_CONTACT will put one there.

    Raises OperatorError for a COPYDESK_CONTACT that is neither.
    """
    contact = settings.get("COPYDESK_CONTACT")
    if contact and not _ADDRESS.fullmatch(contact):
        raise OperatorError(f"COPYDESK_CONTACT: {contact!r} is no contact address; {_REMEDY}")
    return bool(contact) or names_contact(settings)


def names_contact(settings: BaseSettings) -> bool:
    """True where USER_AGENT itself names an e-mail address or web page."""
    # Scrapy's default names Scrapy's own site.
    is_own = (settings.getpriority("USER_AGENT") or 0) > SETTINGS_PRIORITIES["default"]
    return is_own and _ADDRESS.search(str(settings["USER_AGENT"])) is not None


def require_contact(settings: BaseSettings, sites: Iterable[Site]) -> None:
    """Raise OperatorError where a site other than loopback would be crawled anonymously."""
    if has_contact(settings):
        return
    for site in sites:
        if any(not is_loopback_host(host) for host in site.hosts | site.source_hosts):
            raise OperatorError(
                f"site {site.key}: not crawled without a contact address in the user agent; {_REMEDY}"
            )


def anonymous(host: str) -> str:
    """Why a host is not asked for anything, where nobody would know by whom."""
    return f"{host} is not asked without a contact address in the user agent; {_REMEDY}"
