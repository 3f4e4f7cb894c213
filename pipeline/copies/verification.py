"""Decides whether two candidates are copies of one story, and with what evidence.

Of the shorter text it asks how many of its shingles the longer text has (containment), and how many of the
names and figures in the passages that both share. A passage of its own, such as a local paragraph, is not
held against a copy; another name in the same sentence is. Where the same places have other figures or other
names in earnest (`pipeline.copies.conflicts`), the texts are issues of one template.

The further apart two texts were published, the more alike they must be, unless names and figures agree
throughout: then the later one is an update. Of a short text the headline says what it is about, and the same
words days later are the next issue of a notice. docs/tuning.md: GroupSettings
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipeline.copies.article_copy import ArticleCopy
from pipeline.copies.conflicts import (
    AlignableText,
    Conflicts,
    alignable,
    count_respelt,
    find_conflicts,
    names_by_token,
)
from pipeline.copies.groups import holds
from pipeline.copies.passages import Passage
from pipeline.copies.shingles import Hashes, shingles
from pipeline.copies.tokens import FIGURE, Number, Tokens, distinct, names_and_figures, spelling, tokens
from pipeline.settings import FingerprintSettings, GroupSettings

# A text of fewer shingles ("Read more", "Video") is no evidence of anything, however often it is printed.
LEAST_SHINGLES = 4

# An unshared passage of more words than these was added by the outlet. docs/tuning.md: OWN_PASSAGE_WORDS
OWN_PASSAGE_WORDS = 15
# A shared shingle that is further from the next one than so many words stands alone.
ALONE_WORDS = 3
# Words that a shared shingle covers.
_SHINGLE_WORDS = 3

# Share of the room between a threshold and 1 by which a gap between the dates raises the threshold.
UNDATED = 0.25
LATER = 0.5
MUCH_LATER = 0.875

# Texts with other figures in so many places, and in more than this share of the places where both have one:
# either is enough. LATER_FIGURES: for texts more than a cycle apart.
# docs/tuning.md: Figures and names in conflict
FIGURES = (5, 0.2), (3, 0.25)
LATER_FIGURES = ((3, 0.15),)
# So many other names, and more than this share of the names in the same places. Either is enough.
NAMES = (4, 0.04), (3, 0.1)

# Names and figures that have to agree, all of them, before a gap between the dates raises no threshold, and
# the part of a headline or of a lead that may stand for them. docs/tuning.md: Updates of the next day
AGREED = 10
SAME_HEADLINE = 0.6
LEAD_SHINGLES = 20

# Least containment of a text that says something else first: it shares not a word of its headline, and less
# than this part of its lead. docs/tuning.md: Shared background
OWN_STORY = 0.65
OWN_LEAD = 0.25

# A text of fewer words is short. Of the words that only one of two headlines has, the least share that the
# other text has to have; and how long after it a short text is another issue. docs/tuning.md: Short texts
SHORT_WORDS = 60
LEAST_HELD = 0.2
SAME_ISSUE_DAYS = 0.75

# A run of so many shared shingles is part of the passage that two texts share; fewer may be a stock phrase.
_RUN = 4


class PairKind(StrEnum):
    """EXACT: the same words in the same order; NEAR: most of both; PARTIAL: one holds most of the other."""

    EXACT = "exact"
    NEAR = "near"
    PARTIAL = "partial"


class Refusal(StrEnum):
    """Why two candidates are not copies."""

    TOO_SHORT = "too short to tell"
    CONTAINMENT = "too little of the shorter text is in the longer"
    PARTICULARS = "names and figures of shared passages are missing in the longer"
    FIGURES = "other figures in the same places"
    NAMES = "other names in the same places"
    HEADLINE = "short texts under headlines on different subjects"
    ISSUE = "a short text in the same words at another time"


@dataclass(frozen=True, slots=True)
class Pair:
    """The evidence that two articles are copies.

    jaccard: shared shingles over all shingles of the two; containment: over those of the one with fewer.
    passage, other_passage: what they share, in the first and in the second text. is_held, holds: whether the
    second text holds the first as one part among others, or the first the second.
    """

    kind: PairKind
    jaccard: float
    containment: float
    passage: Passage
    other_passage: Passage
    is_held: bool = False
    holds: bool = False


def pair_values(a: int, b: int, pair: Pair) -> dict[str, Any]:
    """The columns of a stored pair of the articles a and b, except whether it joins.

    `*_start`, `*_end`: the passage in either text. holder: the id of the one that holds the other; or None.
    """
    return {
        "a": a,
        "b": b,
        "kind": pair.kind.value,
        "jaccard": pair.jaccard,
        "containment": pair.containment,
        "a_start": pair.passage.start,
        "a_end": pair.passage.end,
        "b_start": pair.other_passage.start,
        "b_end": pair.other_passage.end,
        "holder": a if pair.holds else b if pair.is_held else None,
    }


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found out about two texts, as far as it was needed.

    refusal: why they are not copies; None if they are. jaccard, containment: as in `Pair`.
    needed: least containment for texts so far apart. days: between their dates; None if one has none.
    doubt: 0 to 1, by how much time raises the thresholds. agreement, agreement_needed: share of names and
    figures. conflicts: None if the decision did not need them.
    """

    refusal: Refusal | None
    kind: PairKind | None = None
    jaccard: float = 0.0
    containment: float = 0.0
    needed: float = 0.0
    days: float | None = None
    doubt: float = 0.0
    agreement: float | None = None
    agreement_needed: float | None = None
    conflicts: Conflicts | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PreparedText:
    """An article's text as `verify` reads it. Depends on nothing else, so it may be cached.

    digest: of all words in order; equal for texts that differ in nothing but typography.
    title: distinct words of the headline, sorted, without its figures ("UPDATE 2").
    tokens: all words in order, with their flags (see `pipeline.copies.tokens`); shape (words,).
    sequence: shingle hashes in order; shingles: the distinct ones, sorted.
    words: distinct words, sorted.
    """

    digest: int
    text: str
    tokens: Tokens
    sequence: Hashes
    shingles: Hashes
    words: Tokens
    title: Tokens
    published_at: datetime | None


def prepare(article: ArticleCopy, settings: FingerprintSettings) -> PreparedText:
    """settings: say how long shingles are."""
    found = tokens(article.text)
    words = spelling(found)
    title = tokens(article.title)
    sequence = shingles(words, settings.shingle_words, settings.shingle_chars)
    return PreparedText(
        digest=xxhash.xxh3_64_intdigest(words.tobytes()),
        text=article.text,
        tokens=found,
        sequence=sequence,
        shingles=distinct(sequence),
        words=distinct(words),
        title=distinct(spelling(title[title & FIGURE == 0])),
        published_at=article.published_at,
    )


def verify(a: PreparedText, b: PreparedText, settings: GroupSettings) -> Pair | None:
    """The evidence if the two are copies, else None. Symmetric."""
    found = _judge(a, b, settings, is_brief=True)
    if found.refusal is not None or found.kind is None:
        return None
    if found.kind is PairKind.EXACT:
        return Pair(found.kind, 1.0, 1.0, Passage(0, a.tokens.size), Passage(0, b.tokens.size))
    passage, other_passage = _passage(a, b), _passage(b, a)
    is_shorter = (a.shingles.size, a.digest) <= (b.shingles.size, b.digest)
    return Pair(
        found.kind,
        found.jaccard,
        found.containment,
        passage,
        other_passage,
        is_held=is_shorter and holds(other_passage, b.tokens.size),
        holds=not is_shorter and holds(passage, a.tokens.size),
    )


def judge(a: PreparedText, b: PreparedText, settings: GroupSettings) -> Judgement:
    """Whether the two are copies, and why or why not. Symmetric."""
    return _judge(a, b, settings, is_brief=False)


def _judge(a: PreparedText, b: PreparedText, settings: GroupSettings, is_brief: bool) -> Judgement:
    """is_brief: the figures in conflict are counted only until they are too many."""
    if min(a.shingles.size, b.shingles.size) < LEAST_SHINGLES:
        return Judgement(Refusal.TOO_SHORT)
    shorter, longer = (a, b) if (a.shingles.size, a.digest) <= (b.shingles.size, b.digest) else (b, a)
    days = _days(a.published_at, b.published_at)
    is_exact = a.digest == b.digest
    shared = _shared(shorter.shingles, longer.shingles)
    containment = shared / shorter.shingles.size
    jaccard = shared / (a.shingles.size + b.shingles.size - shared)
    found = Judgement(None, None, jaccard, containment, settings.containment, days)
    if containment < settings.containment:
        return replace(found, refusal=Refusal.CONTAINMENT)
    if shorter.tokens.size < SHORT_WORDS:
        if is_exact and days is not None and days > SAME_ISSUE_DAYS:
            return replace(found, refusal=Refusal.ISSUE)
        if _are_on_different_subjects(a, b):
            return replace(found, refusal=Refusal.HEADLINE)
    if is_exact:
        return replace(found, kind=PairKind.EXACT)
    agreement, particulars = _agreement(shorter, longer, settings)
    if agreement >= settings.particulars and shorter.shingles.size == longer.shingles.size:
        agreement = min(agreement, _agreement(longer, shorter, settings)[0])
    found = replace(found, agreement=agreement, agreement_needed=settings.particulars)
    if agreement < settings.particulars:
        return replace(found, refusal=Refusal.PARTICULARS)
    is_later = days is not None and days > settings.cycle_days
    limits = LATER_FIGURES if is_later else FIGURES

    def are_too_many(figures_differ: int, figures: int) -> bool:
        return any(_is_above(figures_differ, figures, limit) for limit in limits)

    texts = _alignable(shorter), _alignable(longer)
    conflicts = find_conflicts(*texts, are_too_many) if is_brief else find_conflicts(*texts)
    found = replace(found, conflicts=conflicts)
    if are_too_many(conflicts.figures_differ, conflicts.figures):
        return replace(found, refusal=Refusal.FIGURES)
    if any(_is_above(conflicts.names_differ, conflicts.names, limit) for limit in NAMES):
        return replace(found, refusal=Refusal.NAMES)
    doubt = _doubt(days, settings)
    if doubt == LATER and not conflicts.figures_differ + conflicts.names_differ:
        doubt = 0.0 if _is_update(shorter, longer, particulars) else doubt
    needed, agreement_needed = _raised(settings.containment, doubt), _raised(settings.particulars, doubt)
    if containment < OWN_STORY and _shares_background_alone(shorter, longer):
        needed = max(needed, OWN_STORY)
    found = replace(found, doubt=doubt, needed=needed, agreement_needed=agreement_needed)
    if containment < needed:
        return replace(found, refusal=Refusal.CONTAINMENT)
    if agreement < agreement_needed:
        return replace(found, refusal=Refusal.PARTICULARS)
    return replace(found, kind=PairKind.NEAR if jaccard >= settings.near else PairKind.PARTIAL)


@lru_cache(maxsize=1024)  # a page of a template is compared with hundreds of others
def _alignable(text: PreparedText) -> AlignableText:
    return alignable(text.tokens, text.sequence, text.text)


def _days(a: datetime | None, b: datetime | None) -> float | None:
    return None if a is None or b is None else abs((a - b).total_seconds()) / 86400


def _doubt(days: float | None, settings: GroupSettings) -> float:
    """How much more alike two texts must be for their dates: 0 for no more, 1 for equal."""
    if days is None:
        return UNDATED
    if days <= settings.cycle_days:
        return 0.0
    return LATER if days <= settings.window_days else MUCH_LATER


def _is_above(count: int, places: int, limit: tuple[int, float]) -> bool:
    least, share = limit
    return count >= least and count > share * places


def _is_update(shorter: PreparedText, longer: PreparedText, particulars: int) -> bool:
    """Whether names and figures, the headline or the lead say that the two are one story."""
    titles = min(shorter.title.size, longer.title.size)
    if particulars >= AGREED or (titles and _shared(shorter.title, longer.title) >= SAME_HEADLINE * titles):
        return True
    return _lead_held(shorter, longer) >= SAME_HEADLINE


def _lead_held(shorter: PreparedText, longer: PreparedText) -> float:
    """The part of the shorter text's lead that is in the longer."""
    return float(_are_in(shorter.sequence[:LEAD_SHINGLES], longer.shingles).mean())


def _shares_background_alone(shorter: PreparedText, longer: PreparedText) -> bool:
    """Whether headlines and lead say that these are two stories that repeat what happened before."""
    has_titles = bool(shorter.title.size and longer.title.size)
    return has_titles and not _shared(shorter.title, longer.title) and _lead_held(shorter, longer) < OWN_LEAD


def _are_on_different_subjects(a: PreparedText, b: PreparedText) -> bool:
    """Whether the texts have next to none of the words that only one of the headlines has."""
    own, its_own = np.setdiff1d(a.title, b.title), np.setdiff1d(b.title, a.title)
    if not own.size or not its_own.size:
        return False
    held = _shared(own, b.words) + _shared(its_own, a.words)
    return held < LEAST_HELD * (own.size + its_own.size)


def _raised(threshold: float, penalty: float) -> float:
    return threshold + penalty * (1 - threshold)


def _shared(a: NDArray[np.uint32] | Tokens, b: NDArray[np.uint32] | Tokens) -> int:
    """How many values two sorted arrays of distinct values share."""
    return int(np.intersect1d(a, b, assume_unique=True).size)


def _are_in(values: NDArray[Number], held: NDArray[Number]) -> NDArray[np.bool_]:
    """As `np.isin`, for values that are held sorted and distinct, and are not none: one search for each."""
    places = np.searchsorted(held, values)
    is_held: NDArray[np.bool_] = held[np.minimum(places, held.size - 1)] == values
    return is_held


def _agreement(shorter: PreparedText, longer: PreparedText, settings: GroupSettings) -> tuple[float, int]:
    """Share of the names and figures in shared passages of the shorter that the longer has, and how many.

    The share is 1 if there are none. A name in another spelling is there as well.
    """
    found = names_and_figures(shorter.tokens[_in_shared_passages(shorter, longer)])
    missing = found[~_are_in(found, longer.words)]
    held = found.size - missing.size
    if held < settings.particulars * found.size:
        held += _respelt(missing, longer, shorter)
    return (held / found.size if found.size else 1.0), found.size


def _respelt(missing: Tokens, longer: PreparedText, shorter: PreparedText) -> int:
    """How many of the names that the longer text lacks it has in a spelling that the shorter lacks."""
    ours, theirs = names_by_token(shorter.text), names_by_token(longer.text)
    others = [word for token, word in theirs.items() if token not in ours]
    names = [ours[token] for token in missing.tolist() if token in ours]
    return count_respelt(names, others)


def _in_shared_passages(shorter: PreparedText, longer: PreparedText) -> NDArray[np.bool_]:
    """Which tokens of the shorter are in passages that both have; shape (tokens,).

    Tokens between two shared shingles are, unless there are more than `OWN_PASSAGE_WORDS`. A shared shingle
    alone does not count ("said in a" stands in passages of all kinds).
    """
    is_shared = np.ones(shorter.tokens.size, dtype=np.bool_)
    begins = _are_in(shorter.sequence, longer.shingles).nonzero()[0]
    around = np.concatenate(([-OWN_PASSAGE_WORDS], begins, [is_shared.size + OWN_PASSAGE_WORDS]))
    gaps = around[1:] - around[:-1]
    begins = begins[np.minimum(gaps[:-1], gaps[1:]) <= ALONE_WORDS]
    bounds = np.concatenate(([0], begins, [is_shared.size]))
    for n in (bounds[1:] - bounds[:-1] > OWN_PASSAGE_WORDS + _SHINGLE_WORDS).nonzero()[0].tolist():
        is_shared[bounds[n] + (_SHINGLE_WORDS if n else 0) : bounds[n + 1]] = False
    return is_shared


def _passage(text: PreparedText, other: PreparedText) -> Passage:
    """The part of the text that both share, without what may be stock phrases at its ends."""
    is_shared = _are_in(text.sequence, other.shingles)
    runs = np.convolve(is_shared, np.ones(_RUN, dtype=np.int64))
    begins = (runs >= min(_RUN, int(is_shared.sum()))).nonzero()[0]
    if not begins.size:
        begins = is_shared.nonzero()[0]
    greatest = begins.size - 1
    start, last = (int(begins[round(share * greatest)]) for share in (0.02, 0.98))
    return Passage(max(0, start - _RUN + 1), min(last + _SHINGLE_WORDS, text.tokens.size))
