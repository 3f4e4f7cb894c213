"""The questions that pages and the API take: filters of articles and stories in an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request

from copydesk.filters import filter_meant
from copydesk.web.cursors import read_cursor, read_time, write_cursor
from copydesk.web.problems import BadQuestion, NotHere
from pipeline.errors import OperatorError
from storage import reader
from storage.base import microseconds
from storage.database import Engine
from storage.reader import ArticleFilter, StoredArticle, Story, StoryKey, StoryOrder

# A parameter that is longer asks for nothing that is stored.
LONGEST = 300
Text = Annotated[str, Query(max_length=LONGEST)]
Cursor = Annotated[str, Query(max_length=LONGEST, description="`next` of the page before.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they were written; an empty one filters nothing."""

    site: str = ""
    agency: str = ""
    language: str = ""
    since: str = ""
    until: str = ""

    @property
    def where(self) -> ArticleFilter:
        """The filter that is meant. Raises BadQuestion for a time or a site that is none."""
        try:
            return filter_meant(self.site, self.agency, self.language, self.since, self.until)
        except OperatorError as error:
            raise BadQuestion(str(error)) from error

    @property
    def parameters(self) -> dict[str, str]:
        """Those that are given, as they stand in an address."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}


def asked(
    site: Annotated[str, Query(max_length=LONGEST, description="The site of a copy: a host or a key.")] = "",
    agency: Annotated[str, Query(max_length=LONGEST, description="The agency that a copy credits.")] = "",
    language: Annotated[str, Query(max_length=LONGEST, description="A language, e.g. en.")] = "",
    since: Annotated[
        str, Query(max_length=LONGEST, description="Published from then on: 2h, yesterday, 2026-03-01.")
    ] = "",
    until: Annotated[
        str, Query(max_length=LONGEST, description="Published before then; a day is included.")
    ] = "",
) -> Asked:
    values = (one.strip() for one in (site, agency, language, since, until))
    return Asked(*values)


def database(request: Request) -> Engine:
    """The database that the desk shows, read-only, each query within the time limit."""
    engine: Engine = request.app.state.engine
    return engine


Filters = Annotated[Asked, Depends(asked)]
Desk = Annotated[Engine, Depends(database)]


def get_article(engine: Desk, id: int) -> StoredArticle:
    """The article of this id; raises NotHere."""
    found = reader.article(engine, id) if abs(id) < 1 << 63 else None
    if found is None:
        raise NotHere(f"There is no article {id}.")
    return found


def story_cursor(story: Story, order: StoryOrder) -> str:
    key = story.key(order)
    return write_cursor(order.value, key.count, microseconds(key.time), key.id)


def story_key(cursor: str, order: StoryOrder) -> StoryKey | None:
    """Where a list of stories goes on; None at its beginning. Raises BadQuestion."""
    if not cursor:
        return None
    of, count, time, id = read_cursor(cursor, (str, int, int, int))
    if of != order:
        raise BadQuestion("cursor: of a list in another order")
    return StoryKey(int(count), read_time(time), int(id))
