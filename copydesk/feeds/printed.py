"""A feed for a file: what `copydesk feed` prints and `copydesk.open(db).feed()` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from copydesk.feeds.question import Place, Question, make_feed
from copydesk.feeds.written import Format, written
from copydesk.named_sites import hosts_named
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from storage.database import Engine


def printed(
    engine: Engine,
    question: Question,
    format: str,
    *,
    desk: str,
    limit: int,
    full_text: bool,
) -> bytes:
    """The feed in UTF-8. desk: address of the desk, for links to its pages. limit: stories at most.

    Raises OperatorError for a format, a query, a time or a watchlist that is none, for a site that nothing is
    known of, and for a watchlist with further conditions.
    """
    if format not in tuple(Format):
        raise OperatorError(f"format {format}: write one of {', '.join(Format)}")
    if question.watchlist is not None and question != Question(watchlist=question.watchlist):
        raise OperatorError("a watchlist says itself what it looks for: give it alone")
    if question.site:
        hosts_named(engine, question.site)  # the nearest name is said for one that nothing is known of
    base = f"{desk.rstrip('/')}/"
    feed = make_feed(engine, question, Place(base, base), limit=limit, full_text=full_text)
    return written(feed, Format(format))
