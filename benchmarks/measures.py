"""The measures of quality: extraction against reference text, grouping against reference stories.

Text: 4-word shingles as scrapinghub/article-extraction-benchmark defines them (precision and
recall averaged over pages, F1 of the two means). Grouping: precision and recall over pairs, and
the adjusted Rand index (Hubert and Arabie 1985, Comparing Partitions, eq. 5).
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import comb

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Score:
    """Precision and recall, each 0 to 1; `f1` is their harmonic mean."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def __str__(self) -> str:
        return f"{self.f1:.4f} ({self.precision:.4f}, {self.recall:.4f})"


def shingles(text: str, n: int = 4) -> Counter[tuple[str, ...]]:
    """The bag of n-word shingles of a text; a shorter text is one shingle of all its words."""
    words = _WORD.findall(text)
    return Counter(tuple(words[i : i + n]) for i in range(max(1, len(words) - n + 1)) if words[i : i + n])


def page_score(true: str, predicted: str) -> tuple[float | None, float | None]:
    """Shingle precision and recall of one page; None if the prediction (the truth) has no words."""
    a, b = shingles(true), shingles(predicted)
    common = sum((a & b).values())
    return (common / sum(b.values()) if b else None), (common / sum(a.values()) if a else None)


def text_score(pairs: Iterable[tuple[str, str]]) -> Score:
    """Shingle precision and recall averaged over (true, predicted) pages."""
    rows = [page_score(true, predicted) for true, predicted in pairs]
    return Score(
        statistics.mean([p for p, _ in rows if p is not None] or [0.0]),
        statistics.mean([r for _, r in rows if r is not None] or [0.0]),
    )


def normalised(text: str | None) -> str:
    """Lower-cased words joined by blanks, to compare titles and names."""
    return " ".join(_WORD.findall((text or "").lower()))


def same_title(true: str, predicted: str | None) -> bool:
    return normalised(true) == normalised(predicted)


def same_authors(true: Iterable[str], predicted: Iterable[str]) -> bool:
    return {normalised(a) for a in true} == {normalised(a) for a in predicted}


def same_day(true: str, predicted: datetime | None) -> bool:
    """True if both are on one calendar day, in the stamp's own time zone or in UTC."""
    if predicted is None:
        return False
    try:
        stamp = datetime.fromisoformat(true.replace("Z", "+00:00"))
    except ValueError:
        return true[:10] == predicted.date().isoformat()
    days = {stamp.date()} | ({stamp.astimezone(UTC).date()} if stamp.tzinfo else set())
    return bool(days & {predicted.date(), predicted.astimezone(UTC).date()})


def pair_score(gold: Iterable[tuple[Hashable, Hashable, bool]], group: Mapping[Hashable, Hashable]) -> Score:
    """Precision and recall of "same group" over labelled pairs (a, b, is a copy).

    An item that `group` does not name is alone.
    """
    hits = wrong = missed = 0
    for a, b, is_copy in gold:
        together = a in group and b in group and group[a] == group[b]
        hits += together and is_copy
        wrong += together and not is_copy
        missed += is_copy and not together
    return Score(hits / max(1, hits + wrong), hits / max(1, hits + missed))


def partition_score(true: Sequence[Hashable], predicted: Sequence[Hashable]) -> Score:
    """Precision and recall over all pairs of items, from two labellings of the same items."""
    both = sum(comb(n, 2) for n in Counter(zip(true, predicted, strict=True)).values())
    of_predicted = sum(comb(n, 2) for n in Counter(predicted).values())
    of_true = sum(comb(n, 2) for n in Counter(true).values())
    return Score(both / of_predicted if of_predicted else 1.0, both / of_true if of_true else 1.0)


def adjusted_rand(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """Adjusted Rand index of two labellings of the same items; 1 for equal partitions."""
    both = sum(comb(n, 2) for n in Counter(zip(a, b, strict=True)).values())
    of_a = sum(comb(n, 2) for n in Counter(a).values())
    of_b = sum(comb(n, 2) for n in Counter(b).values())
    pairs = comb(len(a), 2)
    expected = of_a * of_b / pairs if pairs else 0.0
    limit = (of_a + of_b) / 2
    return (both - expected) / (limit - expected) if limit != expected else 1.0
