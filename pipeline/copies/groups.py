"""Groups of copies: the connected components of verified pairs, and the canonical copy of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from pipeline.copies.article_copy import ArticleCopy
from pipeline.text import is_agency_site

CanonicalKey = tuple[bool, datetime, int, str]


def components(ids: Iterable[int], pairs: Iterable[tuple[int, int]]) -> list[frozenset[int]]:
    """Connected components of the pairs over `ids`, each id in exactly one; ordered by smallest id."""
    root = {i: i for i in ids}

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for a, b in pairs:
        x, y = find(a), find(b)
        if x != y:
            root[max(x, y)] = min(x, y)
    members: dict[int, list[int]] = {}
    for i in root:
        members.setdefault(find(i), []).append(i)
    return [frozenset(members[i]) for i in sorted(members)]


def canonical(members: Sequence[ArticleCopy]) -> int:
    """Id of the copy that stands for a group: the one with the least `canonical_key`."""
    agencies = {m.agency for m in members if m.agency}
    return min(members, key=lambda m: canonical_key(m, len(m.text), agencies)).id


def canonical_key(member: ArticleCopy, length: int, agencies: Collection[str]) -> CanonicalKey:
    """Sorts the copies of a group: the agency's own first, else the earliest published, else the longest.

    length: of the text, in characters. agencies: all that the group's copies credit. The URL decides what is
    left, so the choice depends neither on ids nor on the order of members.
    """
    return not is_agency_site(member.site, agencies), _published_by(member), -length, member.url


def _published_by(article: ArticleCopy) -> datetime:
    """The latest time at which it may have been published.

    Midnight is read as the end of the day: a page that gives a day without a time would otherwise come before
    every copy that gives one.
    """
    at = article.published_at
    if at is None:
        return datetime.max.replace(tzinfo=UTC)
    is_day_only = (at.hour, at.minute, at.second) == (0, 0, 0)
    return at + timedelta(days=1, seconds=-1) if is_day_only else at
