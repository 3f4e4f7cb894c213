"""Chooses the canonical copy of a group: the one to read.

It is the agency's own unless that is a stub; else the fullest of those published within hours of the first.
A page that holds more than the story (a live blog, a page of briefs) is longer and not fuller: most of a
canonical text is the story, which the verified pairs say. docs/explanation/grouping.md: The canonical copy
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Copies published later than this after the first may tell of what happened since.
# docs/tuning.md: The canonical copy, for all of these.
FIRST_HOURS = 12

# Of a canonical text at least this share is in another copy. Less is enough if that one is its beginning, as
# wire copy is cut from the bottom, and any share if the headlines have half of their words in common as well.
MOSTLY = 0.6
CUT_TO = 0.3
SAME_HEADLINE = 0.5
# A passage begins a text if at most so many of its words are before it, as in a lead of the outlet's own.
BEFORE = 50

# Two copies with this Jaccard similarity have the same extent, and confirm it if they are of two sites.
SAME_EXTENT = 0.9
# A text with more words than this many times the longest that is confirmed, of which a copy is the beginning,
# is no copy with paragraphs of its own: the others are cut.
ADDED = 1.25
# A copy with this share of the words of the longest is as full.
AS_FULL = 0.9

# An agency's own text with less than this share of the words of the fullest copy is a stub.
STUB = 0.5

# So many copies of a group are looked at, the earliest ones, and as many without a date.
LOOKED_AT = 64


@dataclass(frozen=True, slots=True)
class Contender:
    """A copy that may stand for its group.

    title: the headline. words: of the text. is_own: whether it is on the site of an agency that a copy
    credits. holds_more: whether it holds a further story, whose copies are another group.
    """

    id: int
    url: str
    site: str
    title: str
    words: int
    published_at: datetime | None = None
    is_own: bool = False
    holds_more: bool = False


@dataclass(frozen=True, slots=True)
class Shared:
    """What a contender shares with one other copy of its group, by their verified pair.

    other_site, other_title, other_words: of the other copy. start: words before the shared passage in the
    contender.
    """

    other_site: str
    other_title: str
    other_words: int
    jaccard: float
    containment: float
    start: int = 0


def choose_canonical(contenders: Sequence[Contender], shared: Mapping[int, Sequence[Shared]]) -> int:
    """Id of the copy that stands for the group.

    shared: by contender, its pairs with any copies of the group that join it. The choice depends on nothing
    but the copies: neither on ids nor on their order.
    """
    whole = [one for one in contenders if _is_mostly_the_story(one, shared.get(one.id, ()))] or contenders
    best = _fullest(_early(whole), shared)
    own = [one for one in whole if one.is_own]
    if own:
        theirs = _fullest(own, shared)
        if theirs.words >= STUB * best.words:
            return theirs.id
    return best.id


def _is_mostly_the_story(one: Contender, shared: Iterable[Shared]) -> bool:
    if one.holds_more:
        return False
    return any(
        (share := _share(one.words, pair)) >= MOSTLY
        or (pair.start <= BEFORE and (share >= CUT_TO or _have_one_headline(one.title, pair.other_title)))
        for pair in shared
    )


def _have_one_headline(title: str, other_title: str) -> bool:
    words, others = set(title.casefold().split()), set(other_title.casefold().split())
    return len(words & others) >= SAME_HEADLINE * max(1, min(len(words), len(others)))


def _share(words: int, pair: Shared) -> float:
    """Share of a text's shingles that the other copy has.

    With s shared shingles, containment c is s / |shorter| and Jaccard j is s / (|one| + |other| - s). So
    |longer| / s is 1 / j + 1 - 1 / c.
    """
    if words <= pair.other_words or not pair.jaccard:
        return pair.containment
    return 1 / (1 / pair.jaccard + 1 - 1 / pair.containment)


def _early(contenders: Sequence[Contender]) -> Sequence[Contender]:
    """Those published within hours of the first, and those without a date."""
    first = min(map(published_by, contenders))
    last = first + timedelta(hours=FIRST_HOURS) if first < _NEVER else first
    return [one for one in contenders if one.published_at is None or one.published_at <= last]


def _fullest(contenders: Sequence[Contender], shared: Mapping[int, Sequence[Shared]]) -> Contender:
    """The first of the fullest. URLs decide between equal times."""
    confirmed = [one for one in contenders if _is_confirmed(one, shared.get(one.id, ()))]
    if confirmed:
        beyond = ADDED * max(one.words for one in confirmed)
        contenders = [
            one for one in contenders if one.words > beyond and _is_begun_by_a_copy(shared.get(one.id, ()))
        ] or confirmed
    longest = max(one.words for one in contenders)
    full = [one for one in contenders if one.words >= AS_FULL * longest]
    return min(full, key=lambda one: (published_by(one), -one.words, one.url))


def _is_confirmed(one: Contender, shared: Iterable[Shared]) -> bool:
    return any(pair.jaccard >= SAME_EXTENT and pair.other_site != one.site for pair in shared)


def _is_begun_by_a_copy(shared: Iterable[Shared]) -> bool:
    return any(pair.start <= BEFORE for pair in shared)


_NEVER = datetime.max.replace(tzinfo=UTC)


def published_by(one: Contender) -> datetime:
    """The latest time at which it may have been published.

    Midnight is read as the end of the day: a page that gives a day without a time would otherwise come before
    every copy that gives one.
    """
    at = one.published_at
    if at is None:
        return _NEVER
    is_day_only = (at.hour, at.minute, at.second) == (0, 0, 0)
    return at + timedelta(days=1, seconds=-1) if is_day_only else at
