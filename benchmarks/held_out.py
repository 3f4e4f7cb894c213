"""Measures the grouping of labelled pairs whose labels chose no threshold, with intervals.

    python -m benchmarks.held_out CORPORA [--only NAME…] [--splits N] [--seeds N…]

CORPORA is a folder of corpora as `benchmarks.grouping` reads it; those with `pairs.tsv` count. All documents
of a corpus are grouped once for each seed of the signatures and each choice of `containment` and
`particulars`. The labelled pairs are cut into halves at random so that no story is in both. The choice with
the best F1 on one half is scored on the other, and the reverse, so every pair is scored once for a split.
Means and ranges over splits and seeds are printed, and intervals at 95 % by bootstrap over the stories.
Beside them stands what the default settings score, which were chosen in sight of all pairs, as were the
limits that are constants of `pipeline.copies`.
"""

from __future__ import annotations

import argparse
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import mean

from benchmarks.grouping import Corpus, candidates, groups_of, read_corpora, verified
from benchmarks.measures import Score, adjusted_rand
from pipeline.copies import components
from pipeline.settings import Settings

CONTAINMENT = (0.5, 0.55, 0.6, 0.65)
PARTICULARS = (0.7, 0.76, 0.8, 0.86)
SAMPLES = 1000

# Of one way to group: (containment, particulars) of the settings, and the group of each document.
Choice = tuple[float, float]
Labelled = tuple[int, int, bool]


@dataclass(frozen=True, slots=True)
class Counts:
    """Labelled pairs: copies in one group, others in one group, copies in two groups."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def score(self) -> Score:
        return Score(
            self.right / max(1, self.right + self.wrong), self.right / max(1, self.right + self.missed)
        )


@dataclass(frozen=True, slots=True)
class Story:
    """Documents that labels join, of copies or others, and these labels."""

    documents: Sequence[int]
    labelled: Sequence[Labelled]

    def counts(self, group: Sequence[Hashable]) -> Counts:
        found = [(group[a] == group[b], is_copy) for a, b, is_copy in self.labelled]
        return Counts(
            sum(is_one and is_copy for is_one, is_copy in found),
            sum(is_one and not is_copy for is_one, is_copy in found),
            sum(is_copy and not is_one for is_one, is_copy in found),
        )


def stories_of(labelled: Sequence[Labelled]) -> list[Story]:
    documents = {id for a, b, _ in labelled for id in (a, b)}
    parts = components(sorted(documents), [(a, b) for a, b, _ in labelled])
    of = {id: n for n, part in enumerate(parts) for id in part}
    return [
        Story(sorted(part), [pair for pair in labelled if of[pair[0]] == n]) for n, part in enumerate(parts)
    ]


def halves(stories: Sequence[Story], chance: Random) -> tuple[list[int], list[int]]:
    """The numbers of the stories in two halves of about as many labels each."""
    made: tuple[list[int], list[int]] = [], []
    counts = [0, 0]
    for n in chance.sample(range(len(stories)), len(stories)):
        half = counts[0] > counts[1]
        made[half].append(n)
        counts[half] += len(stories[n].labelled)
    return made


def chosen_on(counts: Mapping[Choice, Sequence[Counts]], half: Sequence[int]) -> Choice:
    """The choice with the best F1 on these stories; of several, the nearest to the middle of the choices."""
    middle = mean(CONTAINMENT), mean(PARTICULARS)
    return max(
        counts,
        key=lambda choice: (
            sum((counts[choice][n] for n in half), Counts()).score.f1,
            -abs(choice[0] - middle[0]) - abs(choice[1] - middle[1]),
        ),
    )


def held_out(counts: Mapping[Choice, Sequence[Counts]], stories: Sequence[Story], split: int) -> list[Counts]:
    """The counts of each story by the choice that the other half made."""
    made = halves(stories, Random(split))
    by_story = {n: counts[chosen_on(counts, made[1 - half])][n] for half in (0, 1) for n in made[half]}
    return [by_story[n] for n in range(len(stories))]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The middle 95 % of the values."""
    ordered = sorted(values)
    return ordered[int(0.025 * len(ordered))], ordered[int(0.975 * len(ordered))]


def rand_of(stories: Sequence[Story], true: Mapping[int, int], group: Sequence[Hashable]) -> float:
    """Adjusted Rand index over the labelled documents, where each story is one of its own."""
    truth = [(n, true[id]) for n, story in enumerate(stories) for id in story.documents]
    found = [(n, group[id]) for n, story in enumerate(stories) for id in story.documents]
    return adjusted_rand(truth, found)


def measure(corpus: Corpus, splits: int, seeds: Sequence[int]) -> None:
    labelled = corpus.labelled or []
    stories = stories_of(labelled)
    copies = components(
        sorted({id for a, b, _ in labelled for id in (a, b)}), [p[:2] for p in labelled if p[2]]
    )
    true = {id: n for n, part in enumerate(copies) for id in part}
    print(f"{corpus.name}: {len(labelled)} pairs of {len(stories)} stories")
    runs: list[list[Counts]] = []
    default = Settings().group
    for seed in seeds:
        grouped = groups_by_choice(corpus, seed)
        counts = {choice: [story.counts(group) for story in stories] for choice, group in grouped.items()}
        runs += [held_out(counts, stories, split) for split in range(splits)]
        group = grouped[default.containment, default.particulars]
        show(f"default settings, seed {seed}", [counts[default.containment, default.particulars]], stories)
        chance = Random(seed)
        drawn = [rand_of(chance.choices(stories, k=len(stories)), true, group) for _ in range(SAMPLES // 5)]
        low, high = interval(drawn)
        print(f"{'':34}ARI {rand_of(stories, true, group):.4f}, {low:.4f} to {high:.4f}", flush=True)
    show(f"chosen on the other half, {len(runs)} splits", runs, stories)


def groups_by_choice(corpus: Corpus, seed: int) -> dict[Choice, list[Hashable]]:
    settings = Settings()
    settings = replace(settings, fingerprint=replace(settings.fingerprint, seed=seed))
    proposed, _ = candidates(corpus.stories, settings)
    made: dict[Choice, list[Hashable]] = {}
    for containment in CONTAINMENT:
        for particulars in PARTICULARS:
            chosen = replace(settings.group, containment=containment, particulars=particulars)
            pairs = verified(corpus.stories, proposed, replace(settings, group=chosen))
            numbers = groups_of(corpus.stories, pairs)
            made[containment, particulars] = [numbers[story.id] for story in corpus.stories]
    return made


def show(name: str, runs: Sequence[Sequence[Counts]], stories: Sequence[Story]) -> None:
    """Print the means over the runs, their range, and the interval over stories."""
    chance = Random(1)
    scores = [sum(run, Counts()).score for run in runs]
    drawn = [sum(chance.choices(chance.choice(runs), k=len(stories)), Counts()).score for _ in range(SAMPLES)]
    print(name)
    for measure in ("precision", "recall", "f1"):
        values = [getattr(score, measure) for score in scores]
        low, high = interval([getattr(score, measure) for score in drawn])
        most, least = max(values), min(values)
        print(f"  {measure:32}{mean(values):.4f} ({least:.4f} to {most:.4f}), {low:.4f} to {high:.4f}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--splits", type=int, default=16)
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 101, 202])
    options = parser.parse_args(arguments)
    for corpus in read_corpora(options.corpora, options.only, "process"):
        if corpus.labelled:
            measure(corpus, options.splits, options.seeds)


if __name__ == "__main__":
    main()
