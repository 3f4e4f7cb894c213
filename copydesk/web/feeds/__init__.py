"""What feed readers fetch from the desk: feeds of stories under /feeds/, and the sites file as OPML.

Feeds can be read with a token of their own (`tokens`), which opens nothing else.
"""

from fastapi import APIRouter

from copydesk.web.feeds import opml, stories
from copydesk.web.feeds.tokens import PREFIX, FeedTokens

router = APIRouter()
for part in (stories, opml):
    router.include_router(part.router)

__all__ = ["PREFIX", "FeedTokens", "router"]
