"""Watchlists: saved searches that tell of news.

`watchlists` keeps them, `matcher` says which of them an article matches, and `matching` works out from the
changes what they tell. `outbox` keeps what they have to tell until it is delivered; it knows nothing of the
ways on which that happens (`crawler.notifications`).
"""

from storage.watching.faults import find_watch_faults, mend_watch_faults
from storage.watching.listing import MatchedStory, matched_stories, would_match
from storage.watching.matching import FEED, Matched, match_after_run, match_news
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
    "FEED",
    "LEASE",
    "Delivery",
    "Due",
    "Matched",
    "MatchedStory",
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
    "find_watch_faults",
    "match_after_run",
    "match_news",
    "matched_stories",
    "mend_watch_faults",
    "outbox_counts",
    "put_off",
    "remove_watchlist",
    "retry",
    "watchlist_named",
    "watchlists",
    "would_match",
]
