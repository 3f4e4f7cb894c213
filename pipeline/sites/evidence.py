"""Finds lines that a site repeats in unrelated stories: its boilerplate.

A line that is in many unrelated stories of a site does not belong to any of them. These rules keep a story
from losing a sentence:

- A block is the articles of one site that were first fetched in one quarter of a year. Only articles of one
  block are compared, because a site's boilerplate changes over time, and because a block is read fast in a
  database of any size.
- Copies of a story, as found by grouping, count as one story. Articles with the same headline (without
  numbers) also count as one: editions of one story, or a weekly market report.
- A line needs at least `LEAST_STORIES` stories, and a minimum share of the block's stories. The share is the
  lower end of its 95 % confidence interval (Wilson 1927), so a small block needs a larger share. The
  minimum is `LABEL_SHARE` for lines that do not end as a sentence does, `EDGE_SHARE` for sentences at the
  beginning or end of the text, where newsrooms put their notices, and `SENTENCE_SHARE` for sentences in the
  middle, such as "No arrests have been made".
- If most sentences of an article would be removed, it is written in set phrases and is not used as evidence.
- A line that is also in a copy of the story at a different outlet belongs to the story, even if it is in many
  stories: for example an agency's background paragraph.

docs/tuning.md: Shares of stories
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.sites.learned_lines import is_learnable, line_hash
from pipeline.text import ends_sentence, words_key

LEAST_STORIES = 4
LABEL_SHARE = 0.15
EDGE_SHARE = 0.25
SENTENCE_SHARE = 0.55
# A sentence is at the edge if at least this share of its articles have it there.
AT_EDGE = 0.75
# The edge of a text: its first and its last lines.
HEAD_LINES, FOOT_LINES = 2, 4
# An article is written in set phrases if more than this share of its sentences would be removed.
SET_PHRASES = 2 / 3

# Only so many lines at each end of an article are read, because a live blog has thousands.
_MOST_LINES = 100
# A line is stored in four bytes: 29 bits of its digest, and three flags for its role in this article.
_HASH_BITS = 29
_SHARED, _EDGE, _SENTENCE = 1, 2, 4
_FLAG_BITS = 3
# Shorter headlines (without numbers) do not identify a story: "Weather", the name of the site.
_TITLE_WORDS = 3
_TITLE_BITS = 32
_Z = 1.96

LineCodes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class ArticleLines:
    """One article of a block. lines: from `line_codes`. title: from `title_key`; 0 if too short."""

    article_id: int
    group_id: int
    title: int
    lines: LineCodes


@dataclass(frozen=True, slots=True)
class RepeatedLine:
    """Evidence of a block about one line.

    stories: number of stories with it; 0 if these are not enough.
    bearers: ids of the articles with it.
    is_shared: it is also in a copy at a different outlet, so it belongs to a story.
    """

    stories: int
    bearers: tuple[int, ...]
    is_shared: bool


def short_line_hash(hash: int) -> int:
    """The part of a line's hash that is stored with an article: 29 bits."""
    return hash & ((1 << _HASH_BITS) - 1)


def line_codes(lines: Sequence[str]) -> LineCodes:
    """The distinct lines of an article as hashes with flags; the shared flag is not set.

    Sorted uint32, shape (lines,).
    """
    found: dict[int, int] = {}
    last = len(lines) - 1
    for number, line in enumerate(lines):
        if _MOST_LINES <= number <= last - _MOST_LINES:
            continue
        fold = words_key(line)
        if is_learnable(fold):
            is_edge = number < HEAD_LINES or number > last - FOOT_LINES
            flags = is_edge * _EDGE | ends_sentence(line) * _SENTENCE
            key = short_line_hash(line_hash(fold))
            found[key] = found.get(key, 0) | flags
    return np.array(sorted(key << _FLAG_BITS | flags for key, flags in found.items()), dtype=np.uint32)


def title_key(title: str) -> int:
    """A key of 32 bits, equal for headlines that differ only in numbers; 0 for a headline too short."""
    words = [word for word in words_key(title).split() if not any(map(str.isdigit, word))]
    return line_hash(" ".join(words)) % (1 << _TITLE_BITS) if len(words) >= _TITLE_WORDS else 0


def registered_domain(site: str) -> str:
    """The registered domain of a site; an approximation, because no list of public suffixes is used."""
    labels = site.split(".")
    is_country = len(labels[-1]) == 2
    has_second = len(labels) > 2 and is_country and len(labels[-2]) <= 3
    return ".".join(labels[-3:] if has_second else labels[-2:])


def without_shared_flags(lines: LineCodes) -> LineCodes:
    """The lines of an article without the flag that `flag_shared_lines` sets."""
    return lines & np.uint32(~_SHARED & 0xFFFFFFFF)


def flag_shared_lines(copies: Sequence[tuple[str, LineCodes]]) -> list[LineCodes]:
    """Sets the shared flag on lines that copies of one story at different outlets have.

    copies: (site, lines) of each copy.
    """
    bare = [without_shared_flags(lines) for _, lines in copies]
    outlets = [registered_domain(site) for site, _ in copies]
    if len(set(outlets)) < 2:
        return bare
    numbers = {name: number for number, name in enumerate(dict.fromkeys(outlets))}
    keys = np.concatenate(bare) >> _FLAG_BITS
    of = np.repeat([numbers[name] for name in outlets], [len(lines) for lines in bare])
    once_an_outlet = np.unique(keys.astype(np.int64) * len(numbers) + of) // len(numbers)
    found, counts = np.unique(once_an_outlet, return_counts=True)
    shared = found[counts > 1]
    return [lines | np.isin(lines >> _FLAG_BITS, shared).astype(np.uint32) * _SHARED for lines in bare]


def find_repeated_lines(
    block: Sequence[ArticleLines], known: Collection[int] = ()
) -> dict[int, RepeatedLine]:
    """The lines that enough stories of the block have, by `short_line_hash`; shared lines are included.

    known: lines found in different blocks. They are returned too if they are shared in this block.
    """
    if not block or (len(block) < LEAST_STORIES and not known):
        return {}
    lines = np.concatenate([sighting.lines for sighting in block])
    owners = np.repeat(np.arange(len(block)), [len(sighting.lines) for sighting in block])
    keys = (lines >> _FLAG_BITS).astype(np.int64)
    found, where, counts = np.unique(keys, return_inverse=True, return_counts=True)
    wanted = (counts >= LEAST_STORIES) | np.isin(found, np.fromiter(known, dtype=np.int64))
    if not wanted.any():
        return {}
    is_of_wanted = wanted[where]
    stories = _stories(block)
    likely = _furniture(len(found), where, owners, lines, stories, np.ones(len(block), dtype=bool))
    if not likely.any() and not known:
        return {}
    sentences = (lines & _SENTENCE) > 0
    all_of = np.bincount(owners[sentences], minlength=len(block))
    set_of = np.bincount(owners[sentences & (likely[where] > 0)], minlength=len(block))
    is_told = set_of <= SET_PHRASES * all_of
    sure = likely
    if not is_told.all():
        sure = _furniture(len(found), where, owners, lines, stories, is_told)
    shared = np.bincount(where, weights=lines & _SHARED, minlength=len(found)) > 0
    ids = np.array([sighting.article_id for sighting in block])
    bearers: dict[int, list[int]] = {}
    tells = is_of_wanted & ((sure > 0) | shared)[where]
    for number, owner in zip(where[tells].tolist(), ids[owners[tells]].tolist(), strict=True):
        bearers.setdefault(number, []).append(owner)
    return {
        int(found[number]): RepeatedLine(int(sure[number]), tuple(sorted(owners_of)), bool(shared[number]))
        for number, owners_of in bearers.items()
        if sure[number] or int(found[number]) in known
    }


def _stories(block: Sequence[ArticleLines]) -> NDArray[np.int64]:
    """The story number of each article; shape (articles,)."""
    labels = np.arange(len(block))
    groups = np.unique([sighting.group_id for sighting in block], return_inverse=True)[1]
    # A title without a key gets a number of its own, so that it joins no articles.
    titles = [sighting.title or -1 - number for number, sighting in enumerate(block)]
    headlines = np.unique(titles, return_inverse=True)[1]
    while True:  # until groups and headlines join no more articles, after a few rounds
        before = labels
        for of in (groups, headlines):
            least = np.full(len(block), len(block))
            np.minimum.at(least, of, labels)
            labels = least[of]
        if np.array_equal(before, labels):
            return labels


def _furniture(
    count: int,
    where: NDArray[np.int64],
    owners: NDArray[np.int64],
    lines: LineCodes,
    stories: NDArray[np.int64],
    counted: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The number of stories with each line, 0 if these are not enough; shape (count,).

    where: the line number of each occurrence. counted: which articles are used as evidence.
    """
    is_counted = counted[owners]
    where, owners, lines = where[is_counted], owners[is_counted], lines[is_counted]
    all_stories = len(np.unique(stories[counted]))
    places = np.unique(where * (len(counted) + 1) + stories[owners]) // (len(counted) + 1)
    having = np.bincount(places, minlength=count)
    occurrences = np.maximum(np.bincount(where, minlength=count), 1)
    is_sentence = np.bincount(where, weights=(lines & _SENTENCE) > 0, minlength=count) > 0
    edge = np.bincount(where, weights=(lines & _EDGE) > 0, minlength=count) / occurrences
    needed = np.where(is_sentence, np.where(edge >= AT_EDGE, EDGE_SHARE, SENTENCE_SHARE), LABEL_SHARE)
    is_enough = (having >= LEAST_STORIES) & (_least_share(having, all_stories) >= needed)
    return np.where(is_enough, having, 0)


def _least_share(having: NDArray[np.int64], of: int) -> NDArray[np.float64]:
    """Lower end of the 95 % confidence interval of the share `having / of` (Wilson 1927, uncorrected)."""
    n = max(of, 1)
    share = having / n
    spread = _Z * np.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    least: NDArray[np.float64] = (share + _Z * _Z / (2 * n) - spread) / (1 + _Z * _Z / n)
    return least
