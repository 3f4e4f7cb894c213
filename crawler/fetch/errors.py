"""The reasons for which a request is not made, as exceptions that Scrapy passes to the request's errback.

All are an IgnoreRequest, which Scrapy neither retries nor logs as an error.
"""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest


class PutOff(IgnoreRequest):
    """The crawl does not make this request any more: its host or site has had enough requests.

    Raised by the politeness components and the site lock. Nothing is known about the page, so spiders store
    no rejection, and the next crawl requests it.
    """


class RequestRefused(IgnoreRequest):
    """The request must not be made by any crawl: its scheme, host or address is not allowed.

    Raised by the components of `crawler.fetch.guard`. Spiders store it as a rejection (`forbidden`).
    """


class RequestNotNeeded(IgnoreRequest):
    """A request from a JOBDIR is not needed any more.

    Raised by `crawler.fetch.resume`. Spiders ignore it.
    """
