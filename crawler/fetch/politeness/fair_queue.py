"""Gives each host a fair share of the downloader.

Requests that wait for a slow host count against CONCURRENT_REQUESTS. Without a limit, one site with a long
feed fills the downloader, and quick sites wait for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from scrapy.crawler import Crawler
from scrapy.pqueues import DownloaderAwarePriorityQueue, DownloaderInterface


class FairPriorityQueue(DownloaderAwarePriorityQueue):
    """Takes the next request for the host with the fewest active requests, and none for a host at its limit.

    Settings: SCHEDULER_PRIORITY_QUEUE names the class. The limit is that of the downloader slot, which
    `Politeness` sets from the site's entry; before a host's first request it is
    CONCURRENT_REQUESTS_PER_DOMAIN.
    """

    def __init__(self, crawler: Crawler, *arguments: Any, **keywords: Any) -> None:
        super().__init__(crawler, *arguments, **keywords)
        self._downloader_interface = _HostsBelowLimit(crawler)


class _HostsBelowLimit(DownloaderInterface):
    """The hosts that may be sent another request, each with its number of active requests.

    A request is active from the moment it is taken from the queue, also while it waits for robots.txt or for
    the host's delay. The downloader's own limit counts transfers only, and only as their tasks begin to run:
    requests that come at the same moment would all find the slot free.
    """

    def stats(self, possible_slots: Iterable[str]) -> list[tuple[int, str]]:
        active = Counter(self.get_slot_key(request) for request in self.downloader.active)
        return [(active[key], key) for key in possible_slots if active[key] < self._limit(key)]

    def _limit(self, key: str) -> int:
        slot = self.downloader.slots.get(key)
        return int(slot.concurrency if slot is not None else self.downloader.domain_concurrency)
