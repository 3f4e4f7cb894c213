"""Decides whether two candidates are copies of one story, and with what evidence.

Of the shorter text it asks how many of its shingles the longer text has (containment), and how many of the
names and figures in the passages that both share. A passage of its own, such as a local paragraph, is not
held against a copy; another name in the same sentence is. The further apart two texts were published, the
more alike they must be. docs/tuning.md: GroupSettings
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.copies.article_copy import ArticleCopy
from pipeline.copies.shingles import Hashes, shingles
from pipeline.copies.tokens import Tokens, distinct, names_and_figures, spelling, tokens
from pipeline.settings import FingerprintSettings, GroupSettings

# A text of fewer shingles ("Read more", "Video") is no evidence of anything, however often it is printed.
LEAST_SHINGLES = 4

# An unshared passage of more words than these was added by the outlet. docs/tuning.md: OWN_PASSAGE_WORDS
OWN_PASSAGE_WORDS = 15
# Words that a shared shingle covers.
_SHINGLE_WORDS = 3

# Share of the room between a threshold and 1 by which a gap between the dates raises the threshold.
UNDATED = 0.25
LATER = 0.5
MUCH_LATER = 0.875


class PairKind(StrEnum):
    """EXACT: the same words in the same order; NEAR: most of both; PARTIAL: one holds most of the other."""

    EXACT = "exact"
    NEAR = "near"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class Pair:
    """The evidence that two articles are copies.

    jaccard: shared shingles over all shingles of the two; containment: over those of the one with fewer.
    """

    kind: PairKind
    jaccard: float
    containment: float


@dataclass(frozen=True, slots=True, eq=False)
class PreparedText:
    """An article's text as `verify` reads it. Depends on nothing else, so it may be cached.

    digest: of all words in order; equal for texts that differ in nothing but typography.
    tokens: all words in order, with their flags (see `pipeline.copies.tokens`); shape (words,).
    sequence: shingle hashes in order; shingles: the distinct ones, sorted.
    words: distinct words, sorted.
    """

    digest: int
    tokens: Tokens
    sequence: Hashes
    shingles: Hashes
    words: Tokens
    published_at: datetime | None


def prepare(article: ArticleCopy, settings: FingerprintSettings) -> PreparedText:
    """settings: say how long shingles are."""
    found = tokens(article.text)
    words = spelling(found)
    sequence = shingles(words, settings.shingle_words, settings.shingle_chars)
    return PreparedText(
        digest=xxhash.xxh3_64_intdigest(words.tobytes()),
        tokens=found,
        sequence=sequence,
        shingles=distinct(sequence),
        words=distinct(words),
        published_at=article.published_at,
    )


def verify(a: PreparedText, b: PreparedText, settings: GroupSettings) -> Pair | None:
    """The evidence if the two are copies, else None. Symmetric."""
    if min(a.shingles.size, b.shingles.size) < LEAST_SHINGLES:
        return None
    if a.digest == b.digest:
        return Pair(PairKind.EXACT, 1.0, 1.0)
    shorter, longer = (a, b) if (a.shingles.size, a.digest) <= (b.shingles.size, b.digest) else (b, a)
    shared = _shared(shorter.shingles, longer.shingles)
    containment = shared / shorter.shingles.size
    penalty = _date_penalty(a.published_at, b.published_at, settings)
    if containment < _raised(settings.containment, penalty):
        return None
    agreement = _agreement(shorter, longer)
    if shorter.shingles.size == longer.shingles.size:
        agreement = min(agreement, _agreement(longer, shorter))
    if agreement < _raised(settings.particulars, penalty):
        return None
    jaccard = shared / (a.shingles.size + b.shingles.size - shared)
    return Pair(PairKind.NEAR if jaccard >= settings.near else PairKind.PARTIAL, jaccard, containment)


def _date_penalty(a: datetime | None, b: datetime | None, settings: GroupSettings) -> float:
    """How much more alike two texts must be for their dates: 0 for no more, 1 for equal."""
    if a is None or b is None:
        return UNDATED
    days = abs((a - b).total_seconds()) / 86400
    if days <= settings.cycle_days:
        return 0.0
    return LATER if days <= settings.window_days else MUCH_LATER


def _raised(threshold: float, penalty: float) -> float:
    return threshold + penalty * (1 - threshold)


def _shared(a: NDArray[np.uint32] | Tokens, b: NDArray[np.uint32] | Tokens) -> int:
    """How many values two sorted arrays of distinct values share."""
    return int(np.intersect1d(a, b, assume_unique=True).size)


def _agreement(shorter: PreparedText, longer: PreparedText) -> float:
    """Share of the names and figures in shared passages of the shorter that the longer has; 1 for none."""
    found = names_and_figures(shorter.tokens[_in_shared_passages(shorter, longer)])
    return _shared(found, longer.words) / found.size if found.size else 1.0


def _in_shared_passages(shorter: PreparedText, longer: PreparedText) -> NDArray[np.bool_]:
    """Which tokens of the shorter are in passages that both have; shape (tokens,).

    Tokens between two shared shingles are, unless there are more than `OWN_PASSAGE_WORDS`.
    """
    is_shared = np.ones(shorter.tokens.size, dtype=np.bool_)
    begins = np.isin(shorter.sequence, longer.shingles).nonzero()[0]
    starts, ends = np.append(0, begins), np.append(begins, is_shared.size)
    for n in (ends - starts > OWN_PASSAGE_WORDS + _SHINGLE_WORDS).nonzero()[0].tolist():
        is_shared[starts[n] + (_SHINGLE_WORDS if n else 0) : ends[n]] = False
    return is_shared
