"""Watchlists: saved searches that tell of news.

`watchlists` keeps them. `outbox` keeps what they have to tell until it is delivered; it knows nothing of the
ways on which that happens (`crawler.notifications`).
"""

from storage.watching.outbox import (
    LEASE,
    Delivery,
    Due,
    OutboxCounts,
    State,
    claim,
    dead_letters,
    delivered,
    deliveries,
    failed,
    outbox_counts,
    put_off,
    retry,
)
from storage.watching.watchlists import (
    Rule,
    Tell,
    Watchlist,
    add_watchlist,
    edit_watchlist,
    remove_watchlist,
    watchlist_named,
    watchlists,
)

__all__ = [
    "LEASE",
    "Delivery",
    "Due",
    "OutboxCounts",
    "Rule",
    "State",
    "Tell",
    "Watchlist",
    "add_watchlist",
    "claim",
    "dead_letters",
    "delivered",
    "deliveries",
    "edit_watchlist",
    "failed",
    "outbox_counts",
    "put_off",
    "remove_watchlist",
    "retry",
    "watchlist_named",
    "watchlists",
]
