"""Feeds of stories: Atom 1.0, RSS 2.0 and JSON Feed 1.1, one entry a story with its outlets.

`question` finds the stories of a search, a watchlist, a site, or all; `texts` makes what an entry says;
`written` gives it as bytes; `printed` does all of it for the command and for programs. The desk
(`copydesk.web.feeds`) gives the same feeds.
"""

from copydesk.feeds.printed import printed
from copydesk.feeds.question import DEFAULT_LIMIT, MOST_ENTRIES, Feed, Place, Question, make_feed
from copydesk.feeds.written import MEDIA_TYPES, Format, written

__all__ = [
    "DEFAULT_LIMIT",
    "MEDIA_TYPES",
    "MOST_ENTRIES",
    "Feed",
    "Format",
    "Place",
    "Question",
    "make_feed",
    "printed",
    "written",
]
