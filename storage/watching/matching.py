"""Works out from `change` what watchlists have to tell, in steps of one transaction each.

A step looks at the changes after the last one that was looked at (the counter `watched`). It writes matches,
notifications and that counter together, under the lock of writers. So each is told once, whatever is killed
and however many processes do this at a time. What a step costs follows the new texts, not the database.

Only news is matched: a current text that a fetch brought and that was not seen at its URL before
(`change.news`). Which story an article is of is said by its group at the time of the step. A story was told
if any of its members was, so that groups which merge or split are not told again.
"""

from __future__ import annotations

import logging
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from pipeline.errors import OperatorError
from storage import schema
from storage.base import chunks, counter_value, last_change_number, set_counter
from storage.database import DatabaseError, in_transaction
from storage.watching.matcher import Matcher, WatchedText
from storage.watching.outbox import State
from storage.watching.watchlists import (
    FEED,
    WATCHED,
    Tell,
    Watchlist,
    checked,
    stored_watchlists,
)

logger = logging.getLogger(__name__)

# Changes and texts that a step looks at: it takes about a second, and other writers wait for no longer.
_AT_ONCE = 1000
# How long notifications are kept that were delivered on every way, and those that were given up on one.
_KEPT = timedelta(days=30)
_DEAD_KEPT = timedelta(days=90)
_UNMATCHED = "Watchlists were not matched; the next run or copydesk watch run does it"
_SUMMARY = 300
# Outlets that a notification names.
_OUTLETS = 20


@dataclass(frozen=True, slots=True)
class Matched:
    """What a pass did. news: new texts that were looked at. told: notifications that were made."""

    news: int = 0
    told: int = 0

    def __add__(self, other: Matched) -> Matched:
        return Matched(self.news + other.news, self.told + other.told)


def match_news(engine: Engine, now: datetime | None = None) -> Matched:
    """Matches what is new since the last call, and writes what is to be told to the outbox.

    One query where there are no watchlists. If it is interrupted, what was committed stays, and the next call
    goes on. Raises DatabaseError.
    """
    with engine.connect() as connection:
        if connection.scalar(select(schema.watchlist.c.id).limit(1)) is None:
            return Matched()
    done = Matched()
    watched = _Watched()
    is_more = True
    while is_more:
        step = in_transaction(engine, lambda c: _step(c, watched, now or datetime.now(UTC)))
        done += step.matched
        is_more = step.is_more
    return done


def match_after_run(engine: Engine) -> None:
    """`match_news` at the end of a run, which it never fails: the next pass does what was not done."""
    try:
        match_news(engine)
    except DatabaseError as error:
        logger.error("%s", f"{_UNMATCHED}: {error}")
    except Exception:
        logger.exception("%s", _UNMATCHED)


@dataclass(slots=True)
class _Watched:
    """The watchlists of a pass, and their matcher, made again if they were changed meanwhile.

    stored: also those that cannot be meant, as after a change of the language of queries. They tell nothing,
    and keep no other from telling.
    """

    stored: list[Watchlist] = field(default_factory=list)
    lists: list[Watchlist] = field(default_factory=list)
    matcher: Matcher = field(default_factory=lambda: Matcher(()))

    def renew(self, stored: list[Watchlist]) -> None:
        if stored != self.stored:
            self.stored = stored
            self.lists = [one for one in stored if _can_be_meant(one)]
            self.matcher = Matcher((number, one.rule) for number, one in enumerate(self.lists))


def _can_be_meant(one: Watchlist) -> bool:
    try:
        checked(one.rule)
    except OperatorError as error:
        logger.error("Watchlist %s tells nothing until copydesk watch edit changes it: %s", one.name, error)
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Step:
    matched: Matched
    is_more: bool


def _step(connection: Connection, watched: _Watched, now: datetime) -> _Step:
    watched.renew([one for one in stored_watchlists(connection) if not one.rule.is_paused])
    last = last_change_number(connection)
    start = counter_value(connection, WATCHED)
    if start >= last:
        return _Step(Matched(), False)
    end = _end_of_step(connection, start, last)
    telling = _Telling(connection, watched, now)
    news = _news(connection, start, end)
    telling.look_at(news)
    telling.look_at_removals(start, end)
    telling.write()
    set_counter(connection, WATCHED, end)
    if end == last:
        _drop_old(connection, now)
    return _Step(Matched(len(news), len(telling.notifications)), end < last)


def _end_of_step(connection: Connection, start: int, last: int) -> int:
    """The last number of a step that looks at no more than _AT_ONCE changes, and texts."""
    table = schema.change
    ends = [last]
    for column in (table.c.number, table.c.news):
        query = select(column).where(column > start).order_by(column).offset(_AT_ONCE - 1).limit(1)
        ends += connection.execute(query).scalars()
    return min(ends)


_FACTS = tuple(
    schema.article.c[name]
    for name in (
        "id",
        "group_id",
        "url",
        "title",
        "text",
        "site",
        "site_key",
        "publisher",
        "language",
        "agency",
        "published_at",
        "description",
        "rights",
    )
)


def _news(connection: Connection, start: int, end: int) -> Sequence[Row[Any]]:
    table, article = schema.change, schema.article
    query = select(table.c.news, *_FACTS).join(article, article.c.id == table.c.article_id)
    return connection.execute(
        query.where(table.c.news > start, table.c.news <= end).order_by(table.c.news)
    ).all()


def _drop_old(connection: Connection, now: datetime) -> None:
    """Deletes notifications that were delivered or given up some time ago; what waits is kept."""
    made, sent = schema.notification, schema.delivery
    of_it = sent.c.notification_id == made.c.id
    for kept, states in (
        (_KEPT, [State.DELIVERED.value]),
        (_DEAD_KEPT, [state.value for state in State if state is not State.WAITING]),
    ):
        is_open = exists().where(of_it, sent.c.state.not_in(states))
        lists = select(schema.watchlist.c.id)  # the index has them first
        connection.execute(
            delete(made).where(made.c.watchlist_id.in_(lists), made.c.created_at < now - kept, ~is_open)
        )


@dataclass(slots=True)
class _Match:
    """A row of `watch_match`, as it is to be. was: as it is stored, None if it is not."""

    watchlist_id: int
    article_id: int
    is_told: bool = False
    is_told_of_outlets: bool = False
    was: tuple[bool, bool] | None = None

    @property
    def state(self) -> tuple[bool, bool]:
        return self.is_told, self.is_told_of_outlets


@dataclass(frozen=True, slots=True)
class _Spread:
    """How many copies a story has, and on how many sites. outlets: the first of them by name."""

    articles: int
    sites: int
    outlets: tuple[str, ...]


class _Telling:
    """Decides what a step tells, and writes it."""

    def __init__(self, connection: Connection, watched: _Watched, now: datetime) -> None:
        self.notifications: list[dict[str, Any]] = []
        self._deliveries: list[dict[str, Any]] = []
        self._connection = connection
        self._lists = watched.lists
        self._matcher = watched.matcher
        self._now = now
        # By watchlist and group: the members that it matched.
        self._matches: defaultdict[tuple[int, int], list[_Match]] = defaultdict(list)
        self._dropped: list[_Match] = []

    def look_at(self, news: Sequence[Row[Any]]) -> None:
        """Decides what these texts give to tell, in the order in which they came."""
        matching = [self._matching(item) for item in news]
        numbers = {one.id: number for number, one in enumerate(self._lists)}
        groups = sorted({item.group_id for item in news})
        concerned: defaultdict[int, set[int]] = defaultdict(set)
        for match, group_id in self._stored_matches(groups):
            self._matches[match.watchlist_id, group_id].append(match)
            if match.watchlist_id in numbers:
                concerned[group_id].add(numbers[match.watchlist_id])
        for item, found in zip(news, matching, strict=True):
            concerned[item.group_id].update(found)
        spread = self._spread([group_id for group_id in groups if concerned[group_id]])
        for item, found in zip(news, matching, strict=True):
            for number in sorted(concerned[item.group_id]):
                one = self._lists[number]
                if item.news > one.since:
                    self._consider(one, item, number in found, spread[item.group_id])

    def _matching(self, item: Row[Any]) -> set[int]:
        text = WatchedText.of(item.title, item.text, item.site, item.site_key, item.language, item.agency)
        return {number for number in self._matcher.matches(text) if item.news > self._lists[number].since}

    def _stored_matches(self, groups: Sequence[int]) -> Iterable[tuple[_Match, int]]:
        table, article = schema.watch_match, schema.article
        query = select(table, article.c.group_id).join(article, article.c.id == table.c.article_id)
        for part in chunks(groups):
            # Sorted here: for an order of its own the database would rather walk through all matches.
            rows = self._connection.execute(query.where(article.c.group_id.in_(part))).all()
            for row in sorted(rows, key=lambda row: (row.watchlist_id, row.article_id)):
                state = (row.is_told, row.is_told_of_outlets)
                yield _Match(row.watchlist_id, row.article_id, *state, was=state), row.group_id

    def _spread(self, groups: Sequence[int]) -> dict[int, _Spread]:
        table = schema.article
        query = select(table.c.group_id, table.c.site, func.count())
        copies: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for part in chunks(groups):
            of = query.where(table.c.group_id.in_(part)).group_by(table.c.group_id, table.c.site)
            for group_id, site, count in self._connection.execute(of):
                copies[group_id][site] = count
        return {
            group_id: _Spread(sum(on.values()), len(on), tuple(sorted(filter(None, on))[:_OUTLETS]))
            for group_id, on in copies.items()
        }

    def _consider(self, one: Watchlist, item: Row[Any], is_match: bool, spread: _Spread) -> None:
        """What a new text is for one watchlist: a first match, a further copy, a correction, or nothing."""
        members = self._matches[one.id, item.group_id]
        own = next((match for match in members if match.article_id == item.id), None)
        was_told = any(match.is_told for match in members)
        if own is not None and own.is_told:
            self._tell(one, Tell.CORRECTIONS, item, spread)
        elif own is not None and not is_match:
            members.remove(own)
            self._dropped.append(own)
        elif own is None and is_match:
            own = _Match(one.id, item.id, is_told=was_told)
            members.append(own)
            if was_told:
                self._tell(one, Tell.COPIES, item, spread)
        if not members:
            return
        if not was_told and spread.sites >= (one.rule.min_sites or 1):
            shown = item if is_match else self._facts(members[-1].article_id)
            self._tell(one, Tell.STORY, shown, spread)
            for match in members:
                match.is_told = was_told = True
        has_reached = one.rule.outlets is not None and spread.sites >= one.rule.outlets
        if was_told and has_reached:
            if not any(match.is_told_of_outlets for match in members):
                self._tell(one, Tell.OUTLETS, item, spread)
            for match in members:
                match.is_told_of_outlets = True

    def _facts(self, id: int) -> Row[Any]:
        return self._connection.execute(select(*_FACTS).where(schema.article.c.id == id)).one()

    def _tell(self, one: Watchlist, what: Tell, item: Row[Any], spread: _Spread) -> None:
        if what.value in one.rule.tells:
            body = {
                "watchlist": one.name,
                "story": {"id": item.group_id, "articles": spread.articles, "sites": spread.sites},
                "article": _article(item),
                "outlets": list(spread.outlets),
            }
            self._add(one, _KINDS[what], body, group_id=item.group_id, article_id=item.id)

    def _add(
        self,
        one: Watchlist,
        kind: str,
        body: dict[str, Any],
        *,
        group_id: int | None = None,
        article_id: int | None = None,
    ) -> None:
        id = f"msg_{secrets.token_hex(16)}"
        self.notifications.append(
            {
                "id": id,
                "watchlist_id": one.id,
                "kind": kind,
                "group_id": group_id,
                "article_id": article_id,
                "created_at": self._now,
                "body": body,
            }
        )
        self._deliveries += (
            {
                "notification_id": id,
                "way": way,
                "state": State.WAITING.value,
                "attempts": 0,
                "due_at": self._now,
            }
            for way in one.rule.ways
            if way != FEED
        )

    def look_at_removals(self, start: int, end: int) -> None:
        """Tells of matched articles that are gone; of those that are deleted nothing is left."""
        by_id = {one.id: one for one in self._lists}
        deleted: set[int] = set()
        for row in self._connection.execute(_removals(start, end)).all():
            one = by_id.get(row.watchlist_id)
            is_gone = row.is_deleted or row.gone_at is not None
            if row.is_deleted:
                deleted.add(row.article_id)
            is_asked = one is not None and Tell.REMOVALS.value in one.rule.tells and row.number > one.since
            if one is not None and is_asked and is_gone and row.is_told and not row.is_told_of_removal:
                self._add(one, _KINDS[Tell.REMOVALS], {"watchlist": one.name, "article": {"url": row.url}})
            if not row.is_deleted and (is_asked or not is_gone):
                table = schema.watch_match
                self._connection.execute(
                    update(table)
                    .where(table.c.watchlist_id == row.watchlist_id, table.c.article_id == row.article_id)
                    .values(is_told_of_removal=is_gone and row.is_told)
                )
        for part in chunks(sorted(deleted)):
            self._connection.execute(
                delete(schema.watch_match).where(schema.watch_match.c.article_id.in_(part))
            )

    def write(self) -> None:
        """Writes matches, notifications and deliveries."""
        table = schema.watch_match
        matches = [match for members in self._matches.values() for match in members]
        new = [
            {
                "watchlist_id": match.watchlist_id,
                "article_id": match.article_id,
                "matched_at": self._now,
                "is_told": match.is_told,
                "is_told_of_outlets": match.is_told_of_outlets,
                "is_told_of_removal": False,
            }
            for match in matches
            if match.was is None
        ]
        changed = [
            {
                "of": match.watchlist_id,
                "at": match.article_id,
                "told": match.is_told,
                "outlets": match.is_told_of_outlets,
            }
            for match in matches
            if match.was is not None and match.was != match.state
        ]
        is_this = and_(table.c.watchlist_id == bindparam("of"), table.c.article_id == bindparam("at"))
        if self._dropped:
            gone = [{"of": match.watchlist_id, "at": match.article_id} for match in self._dropped]
            self._connection.execute(delete(table).where(is_this), gone)
        if changed:
            told = update(table).where(is_this)
            told = told.values(is_told=bindparam("told"), is_told_of_outlets=bindparam("outlets"))
            self._connection.execute(told, changed)
        for rows, into in (
            (new, table),
            (self.notifications, schema.notification),
            (self._deliveries, schema.delivery),
        ):
            if rows:
                self._connection.execute(insert(into), rows)


# How a notification names what it tells.
_KINDS = {
    Tell.STORY: "story",
    Tell.COPIES: "copy",
    Tell.OUTLETS: "outlets",
    Tell.CORRECTIONS: "correction",
    Tell.REMOVALS: "removal",
}


def _removals(start: int, end: int) -> Any:
    """Matches whose article changed and is gone, or was told to be gone and is there again."""
    change, match, article = schema.change, schema.watch_match, schema.article
    return (
        select(
            change.c.number,
            change.c.article_id,
            change.c.gone.label("is_deleted"),
            func.coalesce(change.c.url, article.c.url).label("url"),
            article.c.gone_at,
            match.c.watchlist_id,
            match.c.is_told,
            match.c.is_told_of_removal,
        )
        .join(match, match.c.article_id == change.c.article_id)
        .outerjoin(article, article.c.id == change.c.article_id)
        .where(change.c.number > start, change.c.number <= end)
        .where(or_(change.c.gone, article.c.gone_at.is_not(None), match.c.is_told_of_removal))
        .order_by(change.c.number, match.c.watchlist_id)
    )


def _article(item: Row[Any]) -> dict[str, Any]:
    """What a notification says of an article; nothing of its text if rights reserve it."""
    is_reserved = any(statement.get("reserved") is True for statement in item.rights or ())
    published_at = None if item.published_at is None else schema.utc_text(item.published_at)
    return {
        "id": item.id,
        "url": item.url,
        "title": item.title,
        "site": item.site,
        "publisher": item.publisher,
        "agency": item.agency,
        "language": item.language,
        "published_at": published_at,
        "description": None if is_reserved else item.description or " ".join(item.text[:_SUMMARY].split()),
    }
