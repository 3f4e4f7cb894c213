"""Watchlists: saved searches that tell of news; and the tokens with which feeds are read.

`watchlists` keeps them, `matcher` says which of them an article matches, and `matching` works out from the
changes what they tell. `outbox` keeps what they have to tell until it is delivered; it knows nothing of the
ways on which that happens (`crawler.notifications`).
"""

from storage.watching.faults import find_watch_faults, mend_watch_faults
from storage.watching.feed_tokens import (
    FeedToken,
    add_feed_token,
    feed_tokens,
    find_feed_token,
    note_use,
    revoke_feed_token,
)
from storage.watching.listing import MatchedStory, matched_stories, would_match
from storage.watching.matching import Matched, match_after_run, match_news
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
    undelivered,
    ways_gone,
)
from storage.watching.watchlists import (
    FEED,
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
    "FeedToken",
    "Matched",
    "MatchedStory",
    "OutboxCounts",
    "Rule",
    "State",
    "Tell",
    "Watchlist",
    "add_feed_token",
    "add_watchlist",
    "claim",
    "dead_letters",
    "delivered",
    "deliveries",
    "edit_watchlist",
    "failed",
    "feed_tokens",
    "find_feed_token",
    "find_watch_faults",
    "match_after_run",
    "match_news",
    "matched_stories",
    "mend_watch_faults",
    "note_use",
    "outbox_counts",
    "put_off",
    "remove_watchlist",
    "retry",
    "revoke_feed_token",
    "undelivered",
    "watchlist_named",
    "watchlists",
    "ways_gone",
    "would_match",
]
