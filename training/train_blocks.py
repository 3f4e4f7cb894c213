"""Trains the block model (pipeline/extract/model/blockmodel.npz) and measures it.

    python -m training.train_blocks CORPORA [--on NAME…] [--leave-out] [--validate] [--models FOLDER]
        [--out FILE]

CORPORA is a folder of corpora as `benchmarks.extraction` reads them. A block's label is whether its words
are in the page's true text, in order; boosted trees learn it from the features of
`pipeline.extract.model`. `--leave-out` is the criterion that development goes by: each corpus is judged by
a model that was trained on the others, and all pages are pooled; intervals are drawn by site. `--validate`
scores the text of the kept blocks under cross-validation by site. `--models` keeps the models, with which
`benchmarks.extraction --stages --models` measures the whole pipeline. `--out` trains on all of `--on` and
writes the model. Seeds are fixed and training runs in one thread, so that with the versions of
tests/constraints.txt the same corpora give the same file. training/README.md names the corpora.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.extraction import interval
from benchmarks.folds import fold_of
from benchmarks.measures import Score, page_score, text_score
from pipeline.extract.extractors.copydesk import find_articles
from pipeline.extract.model.columns import Array
from pipeline.extract.model.name_features import TokenOdds, name_features
from pipeline.extract.model.predict import FEATURES
from pipeline.extract.model.trees import BlockModel
from training.forest import MAX_LEAVES, export, save
from training.monotone import direction
from training.name_odds import learn_odds
from training.samples import Sample, read_corpus

FOLDS = 5
ROUNDS = 60
# Ensembles whose log-odds are averaged, each trained with a different seed.
BAGS = 3
CORPORA = ("wcxb-dev", "multi-dev", "fundus-dev")
# Weight of publishers' news pages, because the corpora have many more pages of the general web.
WEIGHTS = {"multi-dev": 8.0, "fundus-dev": 8.0}
PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.15,
    "num_leaves": MAX_LEAVES,
    "min_data_in_leaf": 60,
    "lambda_l2": 5.0,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 127,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


def train(samples: Sequence[Sample], rounds: int = ROUNDS) -> BlockModel:
    """A model of these pages.

    The odds of names in a page's features come from folds without the page's site. Otherwise the trees would
    trust names too much.
    """
    samples = [sample for sample in samples if sample.truth]
    by_names: dict[int, Array] = {}
    for fold in range(3):
        odds = learn_odds([s for s in samples if fold_of(s.site, 3, "odds") != fold])
        for number, sample in enumerate(samples):
            if fold_of(sample.site, 3, "odds") == fold:
                by_names[number] = name_features(sample.candidates, TokenOdds(odds))
    rows, labels, weights = [], [], []
    for number, sample in enumerate(samples):
        chosen, weight = _rows(sample)
        rows.append(np.concatenate([sample.features, by_names[number]])[:, chosen].T)
        labels.append(sample.label[chosen] >= 0.5)
        weights.append(weight[chosen])
    matrix, label, weight = np.concatenate(rows), np.concatenate(labels), np.concatenate(weights)
    data = lightgbm.Dataset(
        matrix, label.astype(np.float32), weight=weight * (len(weight) / weight.sum()), free_raw_data=False
    )
    parameters = {**PARAMETERS, "monotone_constraints": [*map(direction, FEATURES)]}
    boosters = [lightgbm.train({**parameters, "seed": seed}, data, rounds) for seed in range(1, BAGS + 1)]
    model = export(boosters, FEATURES, learn_odds(samples))
    some = matrix[:2000]
    ours = model.probabilities(some.T[[FEATURES.index(name) for name in model.columns]])
    odds_of = np.mean([booster.predict(some, raw_score=True) for booster in boosters], axis=0)
    apart = float(np.abs(ours - 1 / (1 + np.exp(-odds_of))).max())
    if apart > 1e-5:
        raise AssertionError(f"the exported trees differ from the trained ones by up to {apart}")
    return model


def _rows(
    sample: Sample,
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Which blocks to learn from, (blocks,) bool, and the weight of each. docs/tuning.md: Training

    Of the blocks far from the article and from what a reader took, a sample of three in ten is used, with
    more weight.
    """
    candidates = sample.candidates
    is_taken = (candidates.share > 0) | (candidates.own > 0) | (sample.label > 0)
    near = np.convolve(is_taken, np.ones(9), "full")[4:-4] > 0.5
    drawn = np.random.default_rng(len(near)).random(len(near)) < 0.3
    # By the root, because the short lines around a story are what readers see of clutter.
    words = np.sqrt(candidates.columns.words.astype(np.float64)) + 3.0
    total = max(50.0, float((words * (sample.label >= 0.5)).sum()))
    weight = np.minimum(words / total, 0.5) * np.where(near, 1.0, 1 / 0.3)
    return near | drawn, weight * WEIGHTS.get(sample.corpus, 1.0)


def texts_by(model: BlockModel, samples: Sequence[Sample]) -> list[str]:
    """The text that extraction with this model gives for each page, before cleaning."""
    return [
        "\n".join(passage.text for passage in choice.kept)
        for sample in samples
        for choice in find_articles([sample.opened], model)
    ]


def report(name: str, samples: Sequence[Sample], found: Sequence[str]) -> None:
    """Prints the scores of Trafilatura, of readers and rules, and of the model, by corpus and pooled.

    Intervals are drawn by site.
    """
    by_corpus: dict[str, list[int]] = defaultdict(list)
    for number, sample in enumerate(samples):
        by_corpus[sample.corpus].append(number)
    if len(by_corpus) > 1:
        by_corpus["pooled"] = list(range(len(samples)))
    for corpus, numbers in by_corpus.items():
        picked = [samples[n] for n in numbers]
        texts = {
            "trafilatura": [s.read_text for s in picked],
            "rules": [s.ruled_text for s in picked],
            "model": [found[n] for n in numbers],
        }
        rows = {
            key: [page_score(s.truth, text) for s, text in zip(picked, made, strict=True)]
            for key, made in texts.items()
        }
        print(f"{name} {corpus} ({len(picked)} pages)")
        for key, made in texts.items():
            score: Score = text_score((s.truth, text) for s, text in zip(picked, made, strict=True))
            line = f"  {key:11s} {score}"
            if key == "model":
                for other in ("trafilatura", "rules"):
                    low, high = interval(rows["model"], rows[other], [s.site for s in picked])
                    line += f"  against {other} {low:+.4f} to {high:+.4f}"
            print(line, flush=True)


def validate(samples: Sequence[Sample], others: Sequence[Sample], folder: Path | None = None) -> None:
    """Cross-validation by site. The first fold's model scores `others`; `folder` receives the models."""
    found: dict[int, str] = {}
    outside: list[str] = []
    for fold in range(FOLDS):
        model = train([s for s in samples if fold_of(s.site, FOLDS) != fold])
        held = [number for number, s in enumerate(samples) if fold_of(s.site, FOLDS) == fold]
        found |= dict(zip(held, texts_by(model, [samples[n] for n in held]), strict=True))
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            save(model, folder / f"fold-{fold}.npz")
        if fold == 0:
            outside = texts_by(model, others)
        print(f"fold {fold}: {len(held)} pages held out", flush=True)
    report("cross-validated", samples, [found[number] for number in range(len(samples))])
    report("other corpora", others, outside)


def leave_out(read: Mapping[str, Sequence[Sample]], names: Sequence[str], folder: Path | None = None) -> None:
    """Judges each corpus by a model of the others. `folder` receives the models as without-NAME.npz."""
    samples: list[Sample] = []
    found: list[str] = []
    for name in names:
        model = train([s for other in names if other != name for s in read[other]])
        samples += read[name]
        found += texts_by(model, read[name])
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            save(model, folder / f"without-{name}.npz")
    report("left out", samples, found)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--on", nargs="+", default=list(CORPORA), help="corpora to train on")
    parser.add_argument("--test", nargs="*", default=["syndicated"], help="never trained on")
    parser.add_argument("--validate", action="store_true", help="cross-validate by site")
    parser.add_argument("--leave-out", action="store_true", help="judge each corpus by a model of the others")
    parser.add_argument("--models", type=Path, help="folder for the models of --validate or --leave-out")
    parser.add_argument("--out", type=Path, help="train on everything and write the model here")
    options = parser.parse_args(arguments)
    names = [*options.on, *(options.test if options.validate else ())]
    read = {name: list(read_corpus(options.corpora / name)) for name in dict.fromkeys(names)}
    if options.leave_out:
        leave_out(read, options.on, options.models)
    if options.validate:
        inside = [s for n in options.on for s in read[n]]
        validate(inside, [s for n in options.test for s in read[n]], options.models)
    if options.out:
        model = train([s for name in options.on for s in read[name]])
        save(model, options.out)
        print(f"{options.out}: {options.out.stat().st_size} bytes, {len(model.leaves)} trees, ", end="")
        print(f"{len(model.columns)} features, {len(model.odds.words)} words")


if __name__ == "__main__":
    main()
