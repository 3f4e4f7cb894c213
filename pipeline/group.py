"""Which articles are copies of one story: candidates, exact verification, groups, the canonical copy.

Pure functions; what the database keeps and looks up is `storage`'s affair. One article is added like this:

1. Its position in every band is `order_key(story)`: published (else fetched) time, then a hash of the URL,
   so it depends on the article alone and not on when it arrived. The index rows are (band, order, id).
2. In each of its bands, `neighbours` are the `band_window` rows before and the `band_window` rows after it.
   These are its candidates, and no others: a band that the whole base shares costs no more than any other.
   Copies stand next to each other in time, so a group of thousands is held together by its neighbours, while
   the weekly issues of one template are never compared beyond the window.
3. By standing between them it parts some pairs of neighbours (`parted`): those are candidates no longer,
   unless another band of both still has them within the window. Removing an article from a band joins
   the same pairs again. So the set of candidate pairs, and with it the evidence and the partition, is a
   function of the articles that are there: any order of arrival ends in the same place.
4. `verify` decides on every candidate pair; verified pairs are stored with their evidence, and groups are
   the `components` of what is stored.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.settings import FingerprintSettings, GroupSettings
from pipeline.shingles import Hashes, Tokens, figures, shingles, tokens

T = TypeVar("T", bound=Hashable)

# Seconds from 1970 that fit beside the hash: the years 1697 to 2242.
_FAR = (1 << 33) - 1


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

    words: digest of all tokens in order; equal for texts that differ in nothing but typography.
    shingles: distinct shingle hashes, sorted; shape (n,).
    figures: number tokens, sorted, repeats kept.
    title: distinct tokens of the title, sorted.
    """

    words: int
    shingles: Hashes
    figures: Tokens
    title: Tokens
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
    return Comparable(
        words=xxhash.xxh3_64_intdigest(found.tobytes()),
        shingles=np.unique(shingles(found, shingling.shingle_words, shingling.shingle_chars)),
        figures=figures(found),
        title=np.unique(tokens(story.title)),
        published_at=story.published_at,
    )


def verify(a: Comparable, b: Comparable, settings: GroupSettings) -> Pair | None:
    """The evidence where the two are copies, None where they are not. Symmetric."""
    if not a.shingles.size or not b.shingles.size:
        return None
    common = _common(a.shingles, b.shingles)
    shorter, longer = (a, b) if (a.shingles.size, a.words) <= (b.shingles.size, b.words) else (b, a)
    containment = common / shorter.shingles.size
    jaccard = common / (a.shingles.size + b.shingles.size - common)
    if a.words == b.words:
        return Pair(PairKind.EXACT, 1.0, 1.0)
    if containment < settings.containment:
        return None
    if shorter.figures.size and _held(shorter.figures, longer.figures) < settings.figures:
        return None
    return Pair(PairKind.NEAR if jaccard >= settings.near else PairKind.PARTIAL, jaccard, containment)


def _common(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> int:
    """How many values two sorted arrays of distinct values share."""
    merged = np.concatenate((a, b))
    merged.sort(kind="stable")
    return int(np.count_nonzero(merged[1:] == merged[:-1]))


def _held(few: Tokens, many: Tokens) -> float:
    """Share of the figures `few` that stand in `many`, each as often as it is there."""
    values, counts = np.unique(few, return_counts=True)
    there = np.searchsorted(many, values, "right") - np.searchsorted(many, values, "left")
    return float(np.minimum(counts, there).sum() / few.size)


def order_key(story: Story) -> int:
    """Position of a story in its bands, a signed 64-bit int: time in seconds, then a hash of the URL."""
    at = int((story.published_at or story.fetched_at).timestamp())
    return max(min(at, _FAR), -_FAR) << 29 | xxhash.xxh3_64_intdigest(story.url.encode()) >> 35


def neighbours(before: Sequence[T], after: Sequence[T], window: int) -> list[T]:
    """Candidates of an article in one band: `before` and `after` are its band's rows, nearest first."""
    return [*before[:window], *after[:window]]


def parted(before: Sequence[T], after: Sequence[T], window: int) -> list[tuple[T, T]]:
    """Pairs that were within the window of each other until an article came to stand between them.

    Removing the article brings the same pairs together again.
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
    """Id of the copy that stands for a group: the agency's own, else the earliest published, else the
    longest.

    The URL settles what is left, so the choice depends neither on ids nor on the order of `members`.
    """
    agencies = {m.agency for m in members if m.agency}
    last = datetime.max.replace(tzinfo=UTC)
    return min(
        members,
        key=lambda m: (not _is_own(m.site, agencies), m.published_at or last, -len(m.text), m.url, m.text),
    ).id


def _is_own(site: str, agencies: Iterable[str]) -> bool:
    """True where the host is an agency's: reuters.com, apnews.com, xinhuanet.com, dpa-international.com."""
    labels = [part for label in site.lower().split(".")[:-1] for part in (label, *label.split("-"))]
    names = ["".join(filter(str.isalnum, agency.lower())) for agency in agencies]
    return any(
        label in (name, f"{name}news", f"{name}net", f"{name}agency")
        for name in names
        for label in labels
        if name
    )
