"""The API under /api/v1: what is in the database, as JSON, and exports of any size.

Each answer has the columns of the public views: `models` makes its form of `storage.schema`, so that there is
no second list of columns. A list is {"items": [...], "next": cursor or null}, with a Link to the next page.
Errors are problem details (RFC 9457). `metrics` is beside it, at /metrics.
"""

from fastapi import APIRouter

from copydesk.web.api import articles, database, exporting, metrics, stories, watchlists
from copydesk.web.api.exporting import MOST_AT_ONCE
from copydesk.web.api.models import PROBLEMS

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)
for part in (stories, articles, database, watchlists, exporting):
    router.include_router(part.router)

metrics_router = metrics.router

__all__ = ["MOST_AT_ONCE", "metrics_router", "router"]
