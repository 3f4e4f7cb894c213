"""Which articles are copies of one story: candidates, exact verification, groups, the canonical copy.

Pure functions; what the database keeps and looks up is `storage`'s affair. One article is added like this:

1. Its place in every band is `order_key(story)`: published (else fetched) time, then a hash of the URL, so it
   depends on the article alone and not on when it arrived. The index rows are (key, order, id).
2. A near band is local in time: `row_key` puts the time, in buckets of three days, above the band's hash. So
   what today's news looks up and writes lies together, whatever the base holds of other times. The
   `band_window` rows before and after an article that are `near_days` from it at most are its neighbours
   there; `reach` says which rows that may be. A far band is for reprints and wrong dates: its rows stand
   together whatever their time, and the `band_window` before and after are neighbours.
3. An article that is a neighbour in one far band, or in `bands_shared` near ones, is a candidate
   (`candidates`; `is_candidate` says it for one pair). A band that the whole base shares costs no more than
   any other. Copies stand next to each other in time, so a group of thousands is held together by its
   neighbours, while the weekly issues of one template are never compared beyond the window.
4. By standing between them the article parts some neighbours (`parted`, for each band): such a pair has one
   band less in common, and if it was verified it stays only while `is_candidate` still holds. Removing
   an article from a band joins the same pairs again, which may make them candidates. So the set of
   candidate pairs, and with it the evidence and the partition, is a function of the articles that are
   there: any order of arrival, with any batches, ends in the same place. All that stands between two
   neighbours is as near in time to both as they are to each other, so the limit in time changes nothing.
5. `verify` decides on every candidate pair; verified pairs are stored with their evidence, and groups are
   the `components` of what is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.copies.shingles import Hashes, Tokens, distinct, particulars, shingles, spelling, tokens
from pipeline.settings import BAND_BITS, FingerprintSettings, GroupSettings

T = TypeVar("T", bound=Hashable)

# A text of fewer shingles ("Read more", "Video") is no evidence of anything, however often it is printed.
LEAST_SHINGLES = 4

# An unshared passage of more words than these was added by the outlet. From 6 to 25 words the wire scores
# alike; without the distinction, a cut copy with two local paragraphs would fail on their names.
OWN_PASSAGE = 15
_SHINGLE = 3  # words that a shared shingle covers, about

# What a gap between two texts' dates takes from the room that a threshold leaves up to 1 (see `_doubt`).
UNDATED = 0.25
LATER = 0.5
MUCH_LATER = 0.875

# An order key is 34 bits of seconds, from 1970 and signed (the years 1697 to 2242), and a hash.
_HASH_BITS = 29
_LAST_SECOND = (1 << 33) - 1

# The key of a row in a near band is 16 bits of time and the band. Buckets are of 2**18 seconds, three days:
# two hold what an article's neighbours may be, with nothing later than it. Wider ones make fewer lookups
# (six days: 1.5) among more pages, narrower ones the reverse.
_BUCKET_BITS = 18
_FIRST_BUCKET = 1 << (33 - _BUCKET_BITS)


class PairKind(StrEnum):
    """EXACT: the same words in the same order; NEAR: most of both; PARTIAL: one holds most of the other."""

    EXACT = "exact"
    NEAR = "near"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Story:
    """What grouping needs to know of a stored article.

    id: the article's id; it breaks no tie and may be anything unique.
    published_at, fetched_at: aware, UTC.
    agency: as credited in the text, None for none.
    """

    id: int
    url: str
    title: str
    text: str
    fetched_at: datetime
    published_at: datetime | None = None
    language: str | None = None
    agency: str | None = None
    site: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Comparable:
    """A story as `verify` reads it; depends on the text, not on other articles, so it may be cached.

    digest: of all words in order; equal for texts that differ in nothing but typography.
    tokens: all words in order, with their marks (see `pipeline.copies.shingles`); shape (words,).
    sequence: shingle hashes in order; shingles: the distinct ones, sorted.
    words: distinct words, sorted.
    """

    digest: int
    tokens: Tokens
    sequence: Hashes
    shingles: Hashes
    words: Tokens
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pair:
    """The evidence that two stories are copies.

    jaccard: shared shingles over all shingles of the two; containment: over those of the one with fewer.
    """

    kind: PairKind
    jaccard: float
    containment: float


def comparable(
    story: Story, settings: GroupSettings, shingling: FingerprintSettings | None = None
) -> Comparable:
    shingling = shingling or FingerprintSettings()
    found = tokens(story.text)
    words = spelling(found)
    sequence = shingles(words, shingling.shingle_words, shingling.shingle_chars)
    return Comparable(
        digest=xxhash.xxh3_64_intdigest(words.tobytes()),
        tokens=found,
        sequence=sequence,
        shingles=distinct(sequence),
        words=distinct(words),
        published_at=story.published_at,
    )


def verify(a: Comparable, b: Comparable, settings: GroupSettings) -> Pair | None:
    """The evidence where the two are copies, None where they are not. Symmetric.

    Asked of the shorter text: how many of its shingles stand in the longer, and how many of the figures and
    names in the passages that they share; of both where they are as long. A passage of its own, such as a
    local paragraph, is not held against it; another name in the same sentence is. What that scored: see
    `GroupSettings`.
    """
    if min(a.shingles.size, b.shingles.size) < LEAST_SHINGLES:
        return None
    if a.digest == b.digest:
        return Pair(PairKind.EXACT, 1.0, 1.0)
    shorter, longer = (a, b) if (a.shingles.size, a.digest) <= (b.shingles.size, b.digest) else (b, a)
    common = _common(shorter.shingles, longer.shingles)
    containment = common / shorter.shingles.size
    doubt = _doubt(a.published_at, b.published_at, settings)
    if containment < _raised(settings.containment, doubt):
        return None
    held = _particulars_held(shorter, longer)
    if shorter.shingles.size == longer.shingles.size:
        held = min(held, _particulars_held(longer, shorter))
    if held < _raised(settings.particulars, doubt):
        return None
    jaccard = common / (a.shingles.size + b.shingles.size - common)
    return Pair(PairKind.NEAR if jaccard >= settings.near else PairKind.PARTIAL, jaccard, containment)


def _doubt(a: datetime | None, b: datetime | None, settings: GroupSettings) -> float:
    """How much more alike two texts must be for when they were published, 0 to 1."""
    if a is None or b is None:
        return UNDATED
    days = abs((a - b).total_seconds()) / 86400
    if days <= settings.cycle_days:
        return 0.0
    return LATER if days <= settings.window_days else MUCH_LATER


def _raised(threshold: float, doubt: float) -> float:
    return threshold + doubt * (1 - threshold)


def _common(a: NDArray[np.uint32] | Tokens, b: NDArray[np.uint32] | Tokens) -> int:
    """How many values two sorted arrays of distinct values share."""
    merged = np.concatenate((a, b))
    merged.sort(kind="stable")
    return int(np.count_nonzero(merged[1:] == merged[:-1]))


def _particulars_held(shorter: Comparable, longer: Comparable) -> float:
    """Share of the figures and names in shared passages of the shorter that stand in the longer; 1 for none.

    Words between shared shingles belong to a shared passage if they are `OWN_PASSAGE` at most.
    """
    at = longer.shingles.searchsorted(shorter.sequence)
    begins = (longer.shingles.take(at, mode="clip") == shorter.sequence).nonzero()[0]
    starts, ends = np.empty((2, begins.size + 1), dtype=np.intp)
    starts[0], starts[1:] = 0, begins
    ends[:-1], ends[-1] = begins, shorter.tokens.size
    found = shorter.tokens
    # a passage of its own, from the end of one shared shingle to the beginning of the next
    own = (ends - starts > OWN_PASSAGE + _SHINGLE).nonzero()[0].tolist()
    if own:
        shared = np.ones(found.size, dtype=np.bool_)
        for n in own:
            shared[starts[n] + _SHINGLE * (n > 0) : ends[n]] = False
        found = found[shared]
    found = particulars(found)
    return _common(found, longer.words) / found.size if found.size else 1.0


def order_key(story: Story) -> int:
    """Position of a story in its bands, a signed 64-bit int: time in seconds, then a hash of the URL."""
    at = int((story.published_at or story.fetched_at).timestamp())
    place = xxhash.xxh3_64_intdigest(story.url.encode("utf-8", "surrogatepass")) >> (64 - _HASH_BITS)
    return max(min(at, _LAST_SECOND), -_LAST_SECOND) << _HASH_BITS | place


def is_far(band: int) -> bool:
    """Whether the rows of a band stand together whatever their time."""
    return band < 0


def row_key(band: int, order: int) -> int:
    """Key of a story's row in a band, a signed 64-bit int: its time's bucket and the band, or a far band as
    it is. Rows of one band are in the order of their order keys also where their keys differ.
    """
    if band < 0:
        return band
    return ((order >> (_HASH_BITS + _BUCKET_BITS)) + _FIRST_BUCKET) << BAND_BITS | band


def row_keys(bands: NDArray[np.int64], orders: NDArray[np.int64]) -> NDArray[np.int64]:
    """`row_key` of each band and order key."""
    buckets = (orders >> (_HASH_BITS + _BUCKET_BITS)) + _FIRST_BUCKET
    made: NDArray[np.int64] = np.where(bands < 0, bands, buckets << BAND_BITS | bands)
    return made


def bands_of(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The band of each row's key."""
    made: NDArray[np.int64] = np.where(keys < 0, keys, keys & ((1 << BAND_BITS) - 1))
    return made


def bucket_keys(band: int, low: int, high: int) -> range:
    """Keys of all rows of a band from one order key to another."""
    first, last = row_key(band, low), row_key(band, high)
    return range(first, last + 1, 1 << BAND_BITS)


def reach(order: int, settings: GroupSettings) -> tuple[int, int]:
    """Least and greatest order key that a neighbour in a near band may have."""
    at, seconds = order >> _HASH_BITS, int(settings.near_days * 86400)
    low, high = max(at - seconds, -_LAST_SECOND), min(at + seconds, _LAST_SECOND)
    return low << _HASH_BITS, (high + 1 << _HASH_BITS) - 1


def candidates(near: Iterable[T], far: Iterable[T], settings: GroupSettings) -> set[T]:
    """Who an article has to be compared with.

    near, far: its neighbours in bands of either kind, each once for every band in which it is one.
    """
    return {i for i, bands in Counter(near).items() if is_candidate(bands, settings)}.union(far)


def weight(band: int, settings: GroupSettings) -> int:
    """What being neighbours in a band counts for: a far band is enough by itself."""
    return settings.bands_shared if band < 0 else 1


def is_candidate(weights: int, settings: GroupSettings) -> bool:
    """Whether two articles are worth comparing. weights: sum over the bands in which they are neighbours."""
    return weights >= settings.bands_shared


def parted(before: Sequence[T], after: Sequence[T], window: int) -> list[tuple[T, T]]:
    """The pairs that were neighbours in a band until an article came to stand between them.

    before, after: the article's own neighbours in the band, nearest first. Removing the article makes the
    same pairs neighbours again.
    """
    return [
        (earlier, after[window - 1 - n])
        for n, earlier in enumerate(before[:window])
        if window - 1 - n < len(after)
    ]


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


def canonical(members: Sequence[Story]) -> int:
    """Id of the copy that stands for a group: the one of the least `precedence`."""
    agencies = {m.agency for m in members if m.agency}
    return min(members, key=lambda m: precedence(m, len(m.text), agencies)).id


Precedence = tuple[bool, datetime, int, str]


def precedence(member: Story, length: int, agencies: Collection[str]) -> Precedence:
    """What puts one copy before another: the agency's own, else the earliest published, else the longest.

    length: of its text. agencies: all that the group's copies credit. The URL settles what is left, so the
    choice depends neither on ids nor on the order of members.
    """
    return not is_own(member.site, agencies), _at_the_latest(member), -length, member.url


def _at_the_latest(story: Story) -> datetime:
    """By when it was published. A page that gives a day and no time is read as that day's midnight, which
    would put it before every copy that gives one; so midnight is the day's end.
    """
    at = story.published_at
    if at is None:
        return datetime.max.replace(tzinfo=UTC)
    is_day_only = (at.hour, at.minute, at.second) == (0, 0, 0)
    return at + timedelta(days=1, seconds=-1) if is_day_only else at


# What agencies put behind their name in their hosts: apnews.com, xinhuanet.com, dpa-international.com.
_HOST_ENDINGS = ("", "news", "net", "agency", "international")


def is_own(site: str, agencies: Iterable[str]) -> bool:
    """True where the host is an agency's own."""
    labels = {label.replace("-", "") for label in site.lower().split(".")[:-1]}
    names = {"".join(filter(str.isalnum, agency.lower())) for agency in agencies} - {""}
    return any(name + ending in labels for name in names for ending in _HOST_ENDINGS)
