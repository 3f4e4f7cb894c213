"""Learns what the words of class and id names say about the text below them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.extract.model.columns import Array
from pipeline.extract.model.name_features import container_words
from pipeline.page.blocks import Page

if TYPE_CHECKING:
    from training.samples import Sample

# Word of a name -> weight of the article's text under it, weight of all text under it.
Ballot = dict[str, tuple[float, float]]
# A word counts if it occurs on this many sites. So many sites of the base rate are added to each table.
_MIN_SITES = 4
_PRIOR_SITES = 3.0


def ballots(page: Page, share: Array, label: Array) -> tuple[Ballot, Ballot]:
    """Counts how much text of the article, and of the page, is under each word of class and id names.

    One ballot is for the blocks that Trafilatura takes, one for all others. The word "" means all blocks.
    share: of each block that Trafilatura takes, (blocks,). label: as `label_blocks`.
    """
    names: list[frozenset[str]] = []
    for parent, tokens in zip(page.containers.parent, page.containers.tokens, strict=True):
        above = names[parent] if names else frozenset[str]()
        names.append(above | container_words(tokens))
    found: tuple[Ballot, Ballot] = ({}, {})
    for block, right, taken in zip(page.blocks, label, share, strict=True):
        ballot = found[0 if taken >= 0.5 else 1]
        weight = min(len(block.words), 60) + 3.0
        kept = weight if right >= 0.5 else 0.0
        for word in ("", *names[block.container], *container_words(block.inline_tokens)):
            before = ballot.get(word, (0.0, 0.0))
            ballot[word] = (before[0] + kept, before[1] + weight)
    return found


def learn_odds(samples: Sequence[Sample]) -> dict[str, tuple[float, float]]:
    """The log-odds of each word of class and id names, as `TokenOdds` takes them.

    Each site has one vote, the share of its text under that word that belongs to the article. So no word is
    learned from one page.
    """
    votes: list[dict[str, dict[str, list[float]]]] = [
        defaultdict(lambda: defaultdict(lambda: [0.0, 0.0])) for _ in range(2)
    ]
    base = [[0.0, 0.0], [0.0, 0.0]]
    for sample in samples:
        for table, ballot in enumerate(sample.ballots):
            for word, (kept, weight) in ballot.items():
                vote = votes[table][word][sample.site] if word else base[table]
                vote[0] += kept
                vote[1] += weight
    rates = [kept / max(1.0, weight) for kept, weight in base]
    odds = {}
    for word in sorted(votes[0].keys() | votes[1].keys()):
        sites = [votes[table].get(word, {}) for table in (0, 1)]
        if max(map(len, sites)) < _MIN_SITES:
            continue
        pair = []
        for rate, found in zip(rates, sites, strict=True):
            total = sum(kept / weight for kept, weight in found.values())
            share = (total + _PRIOR_SITES * rate) / (len(found) + _PRIOR_SITES)
            pair.append(_logit(share) - _logit(rate))
        if max(abs(pair[0]), abs(pair[1])) > 0.3:
            odds[word] = (pair[0], pair[1])
    return odds


def _logit(share: float) -> float:
    share = min(max(share, 0.002), 0.998)
    return float(np.log(share / (1 - share)))
