"""Watchlists on the desk: read, and never changed. `copydesk.web.api` shows the same."""

from copydesk.web.watchlists.pages import kinds_of_ways, router, watchlist_of

__all__ = ["kinds_of_ways", "router", "watchlist_of"]
