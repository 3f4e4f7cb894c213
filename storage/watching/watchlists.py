"""Watchlists: made, changed, listed and removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, delete, insert, select, update

from pipeline.errors import OperatorError
from storage import schema
from storage.base import counter_value, last_change_number, set_counter, storable_name, storable_text
from storage.database import in_transaction
from storage.search import parse_query
from storage.watching.outbox import State

# Who reads the feed asks for it; nothing is delivered.
FEED = "feed"
# The counter of the last change that watchlists were matched with.
WATCHED = "watched"

_LONGEST_NAME = 200
_MOST_SITES = 1_000_000
_LONGEST_WAY = 1000


class Tell(StrEnum):
    """What a watchlist tells: a story that it matches for the first time, and what is asked for beside it.

    COPIES: each further copy that matches. OUTLETS: the story has reached so many sites. CORRECTIONS: a later
    fetch brought a matched article a different text. REMOVALS: a matched article is gone from its site, or
    from the database.
    """

    STORY = "story"
    COPIES = "copies"
    OUTLETS = "outlets"
    CORRECTIONS = "corrections"
    REMOVALS = "removals"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a person decides of a watchlist.

    query: as `storage.search.parse_query` takes it; None for articles of any words. site: a host as the
    column `site` of articles has it, or a key of the sites file. language, agency: as in their columns.
    min_sites: a story is told when so many sites carry it. outlets: the number of Tell.OUTLETS. ways: where
    news goes, each as it was given (`crawler.notifications`).
    """

    name: str
    query: str | None = None
    site: str | None = None
    language: str | None = None
    agency: str | None = None
    min_sites: int | None = None
    tells: tuple[str, ...] = (Tell.STORY.value,)
    outlets: int | None = None
    ways: tuple[str, ...] = ()
    is_paused: bool = False


_RULE = tuple(field.name for field in fields(Rule))


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A watchlist as it is stored. since: number of the last change that is no news for it."""

    id: int
    rule: Rule
    created_at: datetime
    since: int

    @property
    def name(self) -> str:
        return self.rule.name


def add_watchlist(engine: Engine, rule: Rule, now: datetime) -> Watchlist:
    """Makes a watchlist, which looks at what is stored from now on. Raises OperatorError for a mistake."""
    wanted = checked(rule)

    def add(connection: Connection) -> Watchlist:
        _require_free(connection, wanted.name)
        id, last = _next_id(connection), last_change_number(connection)
        if connection.scalar(select(schema.watchlist.c.id).limit(1)) is None:
            set_counter(connection, WATCHED, last)  # nobody looked at what came before
        made = Watchlist(id, wanted, schema.to_second(now), last)
        connection.execute(
            insert(schema.watchlist).values(id=id, created_at=now, since=made.since, **_values(wanted))
        )
        return made

    return in_transaction(engine, add)


def edit_watchlist(engine: Engine, name: str, rule: Rule, *, expected: Rule | None = None) -> Watchlist:
    """Gives the watchlist of that name a different rule; what it has told stays told.

    One that was paused looks at what is stored from now on. What was not delivered on ways that it has no
    longer, goes to those that came instead, or nowhere. expected: the rule that the new one was made of.
    Raises OperatorError for a mistake, if there is none of that name, or if its rule is not the expected one.
    """
    wanted = checked(rule)

    def edit(connection: Connection) -> Watchlist:
        before = _named(connection, name)
        if expected is not None and before.rule != expected:
            raise OperatorError(
                f"watchlist {before.name!r} was changed at the same time; look at it, try again"
            )
        if wanted.name != before.name:
            _require_free(connection, wanted.name)
        since = last_change_number(connection) if before.rule.is_paused else before.since
        table, match = schema.watchlist, schema.watch_match
        if _conditions(wanted) != _conditions(before.rule):  # what waits for more sites waits no longer
            waits = (match.c.watchlist_id == before.id, ~match.c.is_told)
            connection.execute(delete(match).where(*waits))
        connection.execute(
            update(table).where(table.c.id == before.id).values(since=since, **_values(wanted))
        )
        _readdress(connection, before.id, before.rule.ways, wanted.ways)
        return replace(before, rule=wanted, since=since)

    return in_transaction(engine, edit)


def _readdress(connection: Connection, id: int, before: Sequence[str], ways: Sequence[str]) -> None:
    """Moves what was not delivered on ways that are gone to the new ones; what was given up stays that."""
    table, made = schema.delivery, schema.notification
    own = table.c.notification_id.in_(select(made.c.id).where(made.c.watchlist_id == id))
    gone, new = set(before) - set(ways), set(ways) - set(before) - {FEED}
    left = and_(own, table.c.way.in_(gone), table.c.state != State.DELIVERED.value)
    rows = connection.execute(select(table).where(left)).all() if gone else []
    if not rows:
        return
    connection.execute(delete(table).where(left))
    had = connection.execute(select(table.c.notification_id, table.c.way).where(own, table.c.way.in_(new)))
    there = {(row.notification_id, row.way) for row in had}
    moved = {}
    for row in sorted(rows, key=lambda row: row.state == State.WAITING.value):  # waiting on one is waiting
        is_waiting = row.state == State.WAITING.value
        for way in new:
            if (row.notification_id, way) not in there:
                moved[row.notification_id, way] = {
                    "notification_id": row.notification_id,
                    "way": way,
                    "state": (State.WAITING if is_waiting else State.DEAD).value,
                    "attempts": 0,
                    "due_at": row.due_at,
                    "last_error": row.last_error,
                }
    if moved:
        connection.execute(insert(table), list(moved.values()))


def remove_watchlist(engine: Engine, name: str) -> Watchlist:
    """Deletes a watchlist with what it matched and has not told yet; returns what it was.

    Raises OperatorError if there is none of that name.
    """

    def remove(connection: Connection) -> Watchlist:
        found = _named(connection, name)
        connection.execute(delete(schema.watchlist).where(schema.watchlist.c.id == found.id))
        return found

    return in_transaction(engine, remove)


def watchlists(engine: Engine) -> list[Watchlist]:
    """All watchlists, by name."""
    with engine.connect() as connection:
        return sorted(stored_watchlists(connection), key=lambda one: one.name.casefold())


def watchlist_named(engine: Engine, name: str) -> Watchlist:
    """The watchlist of that name; OperatorError with the names that there are if there is none."""
    with engine.connect() as connection:
        return _named(connection, name)


def stored_watchlists(connection: Connection) -> list[Watchlist]:
    """All watchlists, by id."""
    found = connection.execute(select(schema.watchlist).order_by(schema.watchlist.c.id))
    return [_watchlist(row) for row in found]


def checked(rule: Rule) -> Rule:
    """The rule as it is stored. Raises OperatorError for what cannot be meant, QueryError for the query."""
    name = " ".join(storable_text(rule.name).split())
    if not name:
        raise OperatorError("a watchlist needs a name, such as ferries")
    if len(name) > _LONGEST_NAME:
        raise OperatorError(f"the name of a watchlist has at most {_LONGEST_NAME} characters: {name[:40]!r}…")
    query = storable_text(rule.query).strip() if rule.query else None
    if query:
        parse_query(query)
    for what, number in (("min_sites", rule.min_sites), ("outlets", rule.outlets)):
        if number is not None and not 1 <= number <= _MOST_SITES:
            raise OperatorError(f"{what} is a number of sites, 1 to {_MOST_SITES:,}, and not {number}")
    made = replace(
        rule,
        name=name,
        query=query or None,
        site=_stored_name(rule.site),
        language=_stored_name(rule.language and rule.language.lower()),
        agency=_stored_name(rule.agency),
        tells=_tells(rule),
        ways=_ways(rule.ways),
    )
    if not any((made.query, made.site, made.language, made.agency, made.min_sites)):
        raise OperatorError(
            f"watchlist {name!r} would tell of every story: give a query, a site, a language, an agency or"
            " min_sites"
        )
    return made


def _stored_name(name: str | None) -> str | None:
    return storable_name(name.strip()) or None if name else None


def _tells(rule: Rule) -> tuple[str, ...]:
    unknown = sorted(set(rule.tells) - set(Tell))
    if unknown:
        raise OperatorError(f"a watchlist cannot tell {unknown[0]!r}: write one of {', '.join(Tell)}")
    told = {Tell.STORY.value, *rule.tells}
    if rule.outlets is not None:
        told.add(Tell.OUTLETS.value)
    elif Tell.OUTLETS in told:
        raise OperatorError("how many outlets a story has to reach is missing: give outlets, such as 5")
    return tuple(tell.value for tell in Tell if tell in told)


def _ways(given: Iterable[str]) -> tuple[str, ...]:
    ways = tuple(dict.fromkeys(storable_text(way).strip() for way in given))
    for way in ways:
        if not way or len(way) > _LONGEST_WAY:
            raise OperatorError(f"a way out has 1 to {_LONGEST_WAY} characters: {way[:40]!r}")
    return ways


def _conditions(rule: Rule) -> tuple[str | None, ...]:
    return rule.query, rule.site, rule.language, rule.agency


def _values(rule: Rule) -> dict[str, Any]:
    return {**asdict(rule), "tells": list(rule.tells), "ways": list(rule.ways)}


def _watchlist(row: Row[Any]) -> Watchlist:
    values = {name: getattr(row, name) for name in _RULE}
    rule = Rule(**{**values, "tells": tuple(row.tells), "ways": tuple(row.ways)})
    return Watchlist(row.id, rule, row.created_at, row.since)


def _named(connection: Connection, name: str) -> Watchlist:
    table = schema.watchlist
    wanted = " ".join(storable_text(name).split())
    row = connection.execute(select(table).where(table.c.name == wanted)).one_or_none()
    if row is None:
        names = sorted(connection.execute(select(table.c.name).limit(20)).scalars())
        there = f"there are {', '.join(names)}" if names else "there is none (copydesk watch add makes one)"
        raise OperatorError(f"no watchlist {wanted[:80]!r}: {there}")
    return _watchlist(row)


def _require_free(connection: Connection, name: str) -> None:
    table = schema.watchlist
    if connection.scalar(select(table.c.id).where(table.c.name == name)) is not None:
        raise OperatorError(
            f"there is a watchlist {name!r} already: copydesk watch edit changes it, or take another name"
        )


def _next_id(connection: Connection) -> int:
    """An id that no watchlist had before: a message that is still on its way names none that is another's."""
    id = counter_value(connection, "watchlist") + 1
    set_counter(connection, "watchlist", id)
    return id
