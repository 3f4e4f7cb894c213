"""Chooses the canonical copy of each group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    literal,
    select,
    union_all,
    update,
)

from pipeline import copies
from pipeline.copies import ArticleCopy
from pipeline.text import is_agency_site
from storage import schema
from storage.base import chunks


def choose_canonical(connection: Connection, groups: Collection[int], joined: Collection[int]) -> None:
    """Sets the canonical copy of each group.

    joined: those of the groups that only gained members. The canonical copy of such a group is one of three
    kinds: a canonical copy of a group that was joined, a new article (all of these are flagged), or a copy on
    a site that belongs to an agency which another copy credits. So only the credited agencies are read,
    whatever the size of the group. If there are any, its sites are read too. The index has both.
    """
    table = schema.article
    agencies: dict[int, set[str]] = defaultdict(set)
    sites: dict[int, set[str]] = defaultdict(set)
    for part in chunks(groups):
        for group_id, agency in connection.execute(_CREDITED, {"groups": part}):
            agencies[group_id].add(agency)
    for part in chunks(agencies.keys() & set(joined)):
        for group_id, site in connection.execute(
            select(table.c.group_id, table.c.site).where(table.c.group_id.in_(part)).distinct()
        ):
            sites[group_id].add(site)
    first: dict[int, tuple[copies.CanonicalKey, int]] = {}
    flagged: set[int] = set()

    def look_at(condition: ColumnElement[bool]) -> None:
        query = select(
            table.c.id,
            table.c.url,
            table.c.site,
            table.c.published_at,
            table.c.first_seen_at,
            table.c.group_id,
            table.c.is_canonical,
            func.length(table.c.text).label("length"),
        )
        for row in connection.execute(query.where(condition)):
            story = ArticleCopy(row.id, row.url, "", "", row.first_seen_at, row.published_at, site=row.site)
            place = copies.canonical_key(story, row.length, agencies[row.group_id]), row.id
            first[row.group_id] = min(first.get(row.group_id, place), place)
            if row.is_canonical:
                flagged.add(row.id)

    for part in chunks(set(groups).difference(joined)):
        look_at(table.c.group_id.in_(part))
    for part in chunks(joined):
        look_at(and_(table.c.group_id.in_(part), table.c.is_canonical))
    for group_id in joined:
        own = [site for site in sites[group_id] if is_agency_site(site, agencies[group_id])]
        for some in chunks(own):
            look_at(and_(table.c.group_id == group_id, table.c.site.in_(some)))
    chosen = {id for _, id in first.values()}
    for part in chunks(flagged - chosen):
        connection.execute(update(table).where(table.c.id.in_(part)).values(is_canonical=False))
    set_canonical(connection, chosen - flagged)


def _credited() -> Select[Any]:
    """Each of the `groups` with each agency that its articles credit; reads one index entry for each."""
    head, member = schema.article.alias(), schema.article.alias()

    def following(group_id: ColumnElement[int], flag: ColumnElement[bool], last: ColumnElement[str]) -> Any:
        return (
            select(func.min(member.c.agency))
            .where(member.c.group_id == group_id, member.c.is_canonical == flag, member.c.agency > last)
            .scalar_subquery()
            .label("agency")
        )

    # A group's id is the id of one of its articles.
    flags = union_all(select(literal(False).label("flag")), select(literal(True))).subquery("flags")
    found = (
        select(head.c.id.label("group_id"), flags.c.flag, following(head.c.id, flags.c.flag, literal("")))
        .where(head.c.id.in_(bindparam("groups", expanding=True)))
        .join_from(head, flags, literal(True))
        .cte("credited", recursive=True)
    )
    found = found.union_all(
        select(found.c.group_id, found.c.flag, following(*found.c)).where(found.c.agency.is_not(None))
    )
    return select(found.c.group_id, found.c.agency).where(found.c.agency.is_not(None)).distinct()


# Built once, because building the statement takes as long as running it.
_CREDITED = _credited()


def set_canonical(connection: Connection, ids: Iterable[int]) -> None:
    table = schema.article
    for part in chunks(ids):
        connection.execute(
            update(table)
            .where(and_(table.c.id.in_(part), table.c.is_canonical.is_(False)))
            .values(is_canonical=True)
        )
