"""What a feed is asked for, and the stories that it has.

The id of an entry is a UUID of the database and of the story's number, which is the smallest number of its
articles. So it stays the same when copies are added and when the story takes in another one. It changes only
if the story's first article is forgotten or separated from it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

from copydesk.filters import filter_meant
from pipeline.errors import OperatorError

if TYPE_CHECKING:
    from storage.database import Engine
    from storage.reader import StoryDetails

DEFAULT_LIMIT, MOST_ENTRIES = 50, 500
# Of a feed without entries in an empty database.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """The stories that a feed has: those of which a copy meets all of this.

    query: as in `copydesk search`. site: a host in any spelling, or a key of the sites file. language: of the
    canonical copy. min_sites: on at least so many sites. since, until: of the story's time, as people write
    them. watchlist: its name in the title.
    """

    query: str | None = None
    site: str | None = None
    language: str | None = None
    agency: str | None = None
    min_sites: int = 1
    since: str | None = None
    until: str | None = None
    watchlist: str | None = None

    @property
    def title(self) -> str:
        """What the feed is of, in words."""
        if self.watchlist is not None:
            return f"Copydesk: watchlist {self.watchlist}"
        said = [
            self.query,
            f"on {self.site}" if self.site else None,
            f"by {self.agency}" if self.agency else None,
            f"in {self.language}" if self.language else None,
            f"on {self.min_sites} sites" if self.min_sites > 1 else None,
            f"since {self.since}" if self.since else None,
            f"until {self.until}" if self.until else None,
        ]
        return f"Copydesk: {', '.join(part for part in said if part) or 'all stories'}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a feed is. desk: address of the desk, with a slash at its end, for links to its pages. page: the
    page that shows the same stories. address: of the feed itself, without a token; None for one in a file.
    """

    desk: str
    page: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed before it is written. id, and the ids of entries: URNs. updated_at: of its latest entry."""

    id: str
    title: str
    place: Place
    entries: tuple[StoryDetails, ...]
    ids: tuple[str, ...]
    updated_at: datetime
    has_full_text: bool


def make_feed(
    engine: Engine,
    question: Question,
    place: Place,
    *,
    limit: int = DEFAULT_LIMIT,
    full_text: bool = False,
) -> Feed:
    """The newest stories that are asked for, at most `limit`.

    Raises OperatorError for a site, a time, a query or a watchlist that is none.
    """
    from storage import reader

    asked = _of_watchlist(engine, question)
    if not 1 <= limit <= MOST_ENTRIES:
        raise OperatorError(f"a feed has 1 to {MOST_ENTRIES} entries, not {limit}")
    where = filter_meant(asked.site, asked.agency, asked.language, asked.since, asked.until)
    found = reader.stories(engine, where, min_sites=asked.min_sites, query=asked.query, limit=limit)
    entries = tuple(reader.story_details(engine, found))
    database = uuid5(NAMESPACE_URL, f"urn:copydesk:{reader.database_id(engine)}")
    latest = max((entry.updated_at for entry in entries), default=None)
    return Feed(
        _feed_id(database, question),
        question.title,
        place,
        entries,
        tuple(uuid5(database, f"story/{entry.story.id}").urn for entry in entries),
        latest or reader.last_changed_at(engine) or _NEVER,
        full_text,
    )


def _of_watchlist(engine: Engine, question: Question) -> Question:
    """What a watchlist asks for, if one is named. Raises OperatorError if there is none of that name."""
    from storage.watching import watchlist_named

    if question.watchlist is None:
        return question
    rule = watchlist_named(engine, question.watchlist).rule
    return Question(rule.query, rule.site, rule.language, rule.agency, rule.min_sites or 1)


def _feed_id(database: UUID, question: Question) -> str:
    asked = {name: getattr(question, name) for name in Question.__slots__}
    return uuid5(database, f"feed/{json.dumps(asked, sort_keys=True)}").urn
