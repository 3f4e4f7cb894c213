"""Watchlists for programs: made, changed, tried and removed; sites and ways are as people write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from pipeline.errors import OperatorError
from storage import watching
from storage.watching import MatchedStory, Rule, Watchlist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.database import Engine


class RuleChanges(TypedDict, total=False):
    """Fields of a watchlist that are to change. None, or no text, takes a condition away."""

    rename: str
    query: str | None
    site: str | None
    language: str | None
    agency: str | None
    min_sites: int | None
    tells: Sequence[str]
    outlets: int | None
    ways: Sequence[str]
    is_paused: bool


class Watchlists:
    """The watchlists of a database. Every method raises DatabaseError if it cannot be read or written."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def list(self) -> list[Watchlist]:
        """All watchlists, by name."""
        return watching.watchlists(self.engine)

    def get(self, name: str) -> Watchlist:
        """The watchlist of that name. Raises OperatorError if there is none."""
        return watching.watchlist_named(self.engine, name)

    def add(
        self,
        name: str,
        query: str | None = None,
        *,
        site: str | None = None,
        language: str | None = None,
        agency: str | None = None,
        min_sites: int | None = None,
        tells: Sequence[str] = ("story",),
        outlets: int | None = None,
        ways: Sequence[str] = (),
        is_paused: bool = False,
    ) -> Watchlist:
        """Makes a watchlist, which looks at what is stored from now on.

        query: as in `Database.search`; None for articles of any words. site, language, agency: as in
        `Database.search`. min_sites: a story is told when so many sites carry it. tells: what is told beside
        the first match of a story: "copies", "corrections", "removals". outlets: also tell when a story has
        reached so many sites. ways: where it goes (docs/how-to/watchlists.md).
        Raises OperatorError for a query that cannot be parsed and any other mistake; nothing is stored then.
        """
        rule = Rule(
            name, query, site, language, agency, min_sites, tuple(tells), outlets, tuple(ways), is_paused
        )
        return watching.add_watchlist(self.engine, self._meant(rule), datetime.now(UTC))

    def edit(self, name: str, **changes: Unpack[RuleChanges]) -> Watchlist:
        """Changes fields of a watchlist, as `add` takes them; what it has told stays told.

        rename: its new name. One that was paused looks at what is stored from now on. Raises OperatorError as
        `add` does, and if another process changed it at the same time.
        """
        before = self.get(name).rule
        rule = replace(before, **_fields(changes))
        if "outlets" in changes and rule.outlets is None:
            rule = replace(rule, tells=tuple(tell for tell in rule.tells if tell != "outlets"))
        return watching.edit_watchlist(self.engine, name, self._meant(rule, before), expected=before)

    def remove(self, name: str) -> Watchlist:
        """Deletes a watchlist, and what it has not told yet; returns what it was."""
        return watching.remove_watchlist(self.engine, name)

    def test(self, name: str, *, days: float = 7, limit: int | None = None) -> Sequence[MatchedStory]:
        """The stories that it would have matched in the last days, the latest first. Tells nothing.

        Raises OperatorError for days that are no number, or before the year 1.
        """
        try:
            since = datetime.now(UTC) - timedelta(days=days)
        except (OverflowError, ValueError) as error:
            raise OperatorError(f"days: {days:g} is no number of days to look back, such as 7") from error
        return watching.would_match(self.engine, self.get(name).rule, since, limit)

    def matched(self, name: str, *, limit: int = 20) -> Sequence[MatchedStory]:
        """The stories that a watchlist matched, the latest first."""
        return watching.matched_stories(self.engine, self.get(name).id, limit)

    def _meant(self, rule: Rule, before: Rule | None = None) -> Rule:
        """The rule with its site as it is stored. Raises OperatorError for an unknown site, and for a way."""
        from copydesk.named_sites import hosts_named
        from crawler.notifications import parse_way
        from crawler.sites import read_sites

        for way in rule.ways:
            parse_way(way)
        site = (rule.site or "").strip()
        if site and (before is None or site != before.site) and site not in read_sites():
            (site,) = hosts_named(self.engine, site)
        return replace(rule, site=site or None)


def _fields(changes: RuleChanges) -> dict[str, Any]:
    """The changes by the fields of Rule."""
    given: dict[str, Any] = dict(changes)
    if "rename" in given:
        given["name"] = given.pop("rename")
    return {key: tuple(value) if key in ("tells", "ways") else value for key, value in given.items()}
