"""What feed readers fetch from the desk: the feeds of the sites file as OPML, at /sites.opml."""

from copydesk.web.feeds.opml import router

__all__ = ["router"]
