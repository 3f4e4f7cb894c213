"""Retries failed requests, and tells `Politeness` about failures without a response."""

from __future__ import annotations

from scrapy import Request
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.http import Response

from crawler.fetch.politeness.hosts import Politeness


class PoliteRetryMiddleware(RetryMiddleware):
    """Scrapy's RetryMiddleware, which does not retry requests to suspended hosts.

    While a request waits for its retry, `Politeness` pauses the whole host. Settings: RETRY_ENABLED,
    RETRY_TIMES, RETRY_HTTP_CODES, RETRY_EXCEPTIONS, RETRY_PRIORITY_ADJUST, RETRY_GIVE_UP_LOG_LEVEL.
    """

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        politeness = self.crawler.get_extension(Politeness)
        if politeness is not None and request.meta.get("download_slot") in politeness.suspended:
            return response
        return super().process_response(request, response)

    def process_exception(  # type: ignore[override]
        self, request: Request, exception: Exception
    ) -> Request | Response | None:
        politeness = self.crawler.get_extension(Politeness)
        host = str(request.meta.get("download_slot", ""))
        if politeness is not None and host and isinstance(exception, self.exceptions_to_retry):
            politeness.record_failure(host, None)
            if host in politeness.suspended:
                return None
        return super().process_exception(request, exception)
