"""Trains the model that judges the blocks of a page (blockmodel.npz), and says how well it does.

    python -m benchmarks.train_blocks CORPORA [--on NAME…] [--validate] [--models FOLDER]
        [--cross TRAIN:TEST…] [--out FILE]

CORPORA is a folder of corpora as `benchmarks.extraction` reads them. Every raw block of a page is labelled
by whether its words stand in the page's true text, in order; boosted trees learn the label from the
evidence that `pipeline.extract.model.trees` gathers. `--validate` gives the score of texts made of the kept
blocks under cross-validation by site, and `--models` keeps the models of its folds, with which
`benchmarks.extraction --stages --models` measures the whole way; `--cross wcxb-dev:fundus-dev` that of
one corpus' model on another; `--out` trains on all of `--on` and writes the model. Seeds are fixed and
training runs in one thread, so with the library versions of the lock file the same corpora give the
same file.

The model in the package is trained on WCXB (Murrough-Foley, web-content-extraction-benchmark, CC-BY-4.0),
on pages of the parser tests of fundus (flairNLP, MIT) and on those of dobbersc/fundus-evaluation.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.extraction import interval
from benchmarks.folds import fold_of, site_of_page
from benchmarks.measures import Score, page_score, text_score
from pipeline.document import DocumentRejected, MediaType
from pipeline.extract.html import OpenPage, article_lines, judged_pieces, read_page, seen_pieces
from pipeline.extract.model.columns import Array, View, columns_of, view_of
from pipeline.extract.model.name_features import TOKEN_NAMES, TokenOdds, container_words, token_evidence
from pipeline.extract.model.page_features import PAGE_NAMES, Stated, page_evidence
from pipeline.extract.model.trees import NAMES, BlockModel, shares
from pipeline.extract.structure import judge_pieces
from pipeline.page.blocks import WORD, Page, RawBlock, segment
from pipeline.page.decode import decode

FETCHED_AT = datetime(2026, 12, 31, tzinfo=UTC)
FOLDS = 5
ROUNDS = 150
# Ensembles whose log odds are averaged, each grown with another seed.
BAGS = 1
CORPORA = ("wcxb-dev", "multi-dev", "fundus-dev")
# News pages of publishers weigh this much more than pages of the web at large, of which there are many.
WEIGHTS = {"multi-dev": 3.0, "fundus-dev": 3.0}
PARAMETERS: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 15,
    "max_depth": 6,
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
# A word of tokens counts from this many sites on; each table is drawn to its base rate by this many sites.
_MIN_SITES = 4
_PRIOR_SITES = 3.0
_MAX_LEAVES = int(PARAMETERS["num_leaves"])


@dataclass(slots=True)
class Sample:
    """One page: its blocks, what is seen of them at first and what the rules say, and the truth.

    opened: the page as extraction has it. All else is of its blocks as they are learned from, link by link.
    evidence: all but that of the tokens, whose odds depend on what pages they are learned from;
    (features, blocks).
    """

    corpus: str
    site: str
    truth: str
    opened: OpenPage
    view: View
    extractor_text: str
    ruled_text: str
    label: Array
    evidence: Array
    ballots: tuple[Ballot, Ballot]


# --- reading ---------------------------------------------------------------------------------------


def read_corpus(folder: Path, is_measured: bool = True) -> Iterator[Sample]:
    """The pages of a corpus; is_measured: with Trafilatura's text, which takes longest."""
    # not splitlines(): texts hold line separators that JSON does not escape
    for line in (folder / "truth.jsonl").read_text(encoding="utf-8").strip("\n").split("\n"):
        record = json.loads(line)
        name = str(record.get("path") or record["id"])
        path = next(p for p in (folder / "html" / name, folder / "pages" / name) if p.exists())
        body = path.read_bytes()
        if name.endswith(".gz"):
            body = gzip.decompress(body)
        sample = _read_page(decode(body, None, MediaType.HTML), record, folder.name, is_measured)
        if sample is not None:
            yield sample


def _read_page(html: str, record: Mapping[str, Any], corpus: str, is_measured: bool) -> Sample | None:
    url = str(record.get("url") or "")
    try:
        root, whole, about = read_page(html, url, FETCHED_AT)
    except DocumentRejected:
        return None
    page = segment(root, link_by_link=True)
    columns = columns_of([page])
    (pieces,) = seen_pieces(columns, [about])
    judged = judge_pieces(page, pieces, about)
    verdict = shares(page, ((piece.index, piece.text) for piece in pieces))
    ruled = shares(page, ((piece.index, piece.text) for piece, rule in judged if rule is None))
    view = view_of(columns, verdict, ruled)
    evidence = np.empty((len(PAGE_NAMES), len(page.blocks)), dtype=np.float32)
    page_evidence(evidence, view, [Stated(about.titles, about.descriptions)])
    label = label_blocks(page.blocks, record["text"])
    return Sample(
        corpus=corpus,
        site=site_of_page(corpus, record),
        truth=record["text"],
        opened=OpenPage(root, whole, about),
        view=view,
        extractor_text="\n".join(article_lines(root)) if is_measured else "",
        ruled_text="\n".join(piece.text for piece, rule in judged if rule is None),
        label=label,
        evidence=evidence,
        ballots=ballots(page, verdict, label),
    )


# --- labels ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Match:
    """A block's text found in the truth: words `start` to `end` of it, of which `words` are the block's."""

    block: int
    start: int
    end: int
    words: int


def label_blocks(blocks: Sequence[RawBlock], truth: str) -> Array:
    """Share of each block's words that stand in the truth, each word of the truth being used once.

    Blocks and truth are matched in order (the best chain of matches); what is left over of the truth may
    stand elsewhere. A line of one to three words counts only where it is a line of the truth or joins on to
    another match, because such words stand anywhere.
    """
    words: list[str] = []
    starts: set[int] = set()
    ends: set[int] = set()
    for line in truth.splitlines():
        found = WORD.findall(line.lower())
        if found:
            starts.add(len(words))
            words += found
            ends.add(len(words))
    share = np.zeros(len(blocks), dtype=np.float32)
    matches = sorted(_matches(blocks, words), key=lambda m: (m.start, m.block))
    if len(matches) > 6000:
        matches = [match for match in matches if match.words >= 3][:6000]
    if not matches:
        return share
    chain = _best_chain(matches, starts, ends)
    begins = {match.start for match in chain} | ends
    finishes = {match.end for match in chain} | starts
    covered = np.zeros(len(words), dtype=np.bool_)
    for match in chain:
        if match.words < 4 and not (match.start in finishes and match.end in begins):
            continue
        share[match.block] = match.words / len(blocks[match.block].words)
        covered[match.start : match.end] = True
    for match in sorted(matches, key=lambda m: -m.words):
        if not share[match.block] and match.words >= 8 and not covered[match.start : match.end].any():
            share[match.block] = match.words / len(blocks[match.block].words)
            covered[match.start : match.end] = True
    return share


def _matches(blocks: Sequence[RawBlock], words: Sequence[str]) -> Iterator[_Match]:
    by_word: dict[str, list[int]] = defaultdict(list)
    by_four: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, word in enumerate(words):
        by_word[word].append(place)
    for place in range(len(words) - 3):
        by_four[tuple(words[place : place + 4])].append(place)
    for number, block in enumerate(blocks):
        wanted = list(block.words)
        size = len(wanted)
        whole = [place for place in by_word.get(wanted[0], ()) if list(words[place : place + size]) == wanted]
        for place in whole[: 50 if size < 4 else 20]:
            yield _Match(number, place, place + size, size)
        if size < 4 or whole:
            continue
        # a part of the block: four-word runs on near diagonals
        near: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for at in range(size - 3):
            for place in by_four.get(tuple(wanted[at : at + 4]), ())[:20]:
                near[round((place - at) / 12)].append((place, at))
        spans: dict[tuple[int, int], int] = {}
        for diagonal in list(near):
            points = near[diagonal] + near.get(diagonal + 1, [])
            places = sorted({place for place, _ in points})
            spans[places[0], places[-1] + 4] = len({at + k for _, at in points for k in range(4)})
        for (start, end), count in sorted(spans.items(), key=lambda item: -item[1])[:4]:
            if count >= max(4, 0.15 * size) and end - start <= 2 * count + 20:
                yield _Match(number, start, end, count)


def _best_chain(matches: Sequence[_Match], starts: set[int], ends: set[int]) -> list[_Match]:
    """The chain, increasing in blocks and in the truth, of most words; gaps between blocks cost a little."""
    block = np.array([match.block for match in matches])
    start = np.array([match.start for match in matches])
    end = np.array([match.end for match in matches])
    count = np.array([match.words for match in matches], dtype=np.float64)
    whole = np.array([(m.start in starts) + (m.end in ends) for m in matches])
    gain = np.where((count < 4) & (whole == 0), 0.2 * count, count) + 0.3 * whole
    best = gain.copy()
    before = np.full(len(matches), -1)
    for i in range(1, len(matches)):
        possible = (block[:i] < block[i]) & (end[:i] <= start[i])
        if not possible.any():
            continue
        gap = np.minimum(0.4, 0.004 * (block[i] - block[:i] - 1))
        value = np.where(possible, best[:i] - gap + 0.2 * (end[:i] == start[i]), -np.inf)
        at = int(value.argmax())
        if value[at] > 0:
            best[i] += value[at]
            before[i] = at
    chain = []
    at = int(best.argmax())
    while at >= 0:
        chain.append(matches[at])
        at = int(before[at])
    return chain[::-1]


# --- training --------------------------------------------------------------------------------------


Ballot = dict[str, tuple[float, float]]


def ballots(page: Page, verdict: Array, label: Array) -> tuple[Ballot, Ballot]:
    """Per word of the names around a block: how much text of the article, and of all, stands under it.

    One for the blocks that the extractor keeps, one for the others; "" stands for all blocks.
    """
    names: list[frozenset[str]] = []
    for parent, tokens in zip(page.containers.parent, page.containers.tokens, strict=True):
        above = names[parent] if names else frozenset[str]()
        names.append(above | container_words(tokens))
    found: tuple[Ballot, Ballot] = ({}, {})
    for block, right, kept_before in zip(page.blocks, label, verdict, strict=True):
        ballot = found[0 if kept_before >= 0.5 else 1]
        weight = min(len(block.words), 60) + 3.0
        kept = weight if right >= 0.5 else 0.0
        for word in ("", *names[block.container], *container_words(block.inline_tokens)):
            before = ballot.get(word, (0.0, 0.0))
            ballot[word] = (before[0] + kept, before[1] + weight)
    return found


def learn_odds(samples: Sequence[Sample]) -> dict[str, tuple[float, float]]:
    """For each word of class and id tokens, what it says about a block; see `TokenOdds`.

    Each site has one vote, the share of its text under that word that belongs to the article, so that
    no word is learned from one page.
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


def train(samples: Sequence[Sample], rounds: int = ROUNDS) -> BlockModel:
    """A model of these pages. Token odds that the trees learn from leave out the page's own site."""
    samples = [sample for sample in samples if sample.truth]
    tokens: dict[int, Array] = {}
    for fold in range(3):
        odds = learn_odds([s for s in samples if fold_of(s.site, 3, "odds") != fold])
        for number, sample in enumerate(samples):
            if fold_of(sample.site, 3, "odds") == fold:
                tokens[number] = np.empty((len(TOKEN_NAMES), len(sample.label)), dtype=np.float32)
                token_evidence(tokens[number], sample.view, TokenOdds(odds))
    rows, labels, weights = [], [], []
    for number, sample in enumerate(samples):
        chosen, weight = _rows(sample)
        rows.append(np.concatenate([sample.evidence, tokens[number]])[:, chosen].T)
        labels.append(sample.label[chosen] >= 0.5)
        weights.append(weight[chosen])
    matrix, label, weight = np.concatenate(rows), np.concatenate(labels), np.concatenate(weights)
    data = lightgbm.Dataset(
        matrix, label.astype(np.float32), weight=weight * (len(weight) / weight.sum()), free_raw_data=False
    )
    boosters = [lightgbm.train({**PARAMETERS, "seed": seed}, data, rounds) for seed in range(1, BAGS + 1)]
    model = export(boosters, NAMES, learn_odds(samples))
    some = matrix[:2000]
    ours = model.probabilities(some.T[[NAMES.index(name) for name in model.columns]])
    odds_of = np.mean([booster.predict(some, raw_score=True) for booster in boosters], axis=0)
    apart = float(np.abs(ours - 1 / (1 + np.exp(-odds_of))).max())
    if apart > 1e-5:
        raise AssertionError(f"the exported trees judge otherwise than the trained ones, by up to {apart}")
    return model


def _rows(
    sample: Sample,
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Which blocks are learned from, and their weights: the share of the true text that each decides.

    Of the blocks far from anything kept, three in ten stand for all.
    """
    near = np.convolve((sample.view.share > 0) | (sample.label > 0), np.ones(9), "full")[4:-4] > 0.5
    drawn = np.random.default_rng(len(near)).random(len(near)) < 0.3
    words = sample.view.columns.words.astype(np.float64) + 3.0
    total = max(50.0, float((words * (sample.label >= 0.5)).sum()))
    weight = np.minimum(words / total, 0.5) * np.where(near, 1.0, 1 / 0.3)
    return near | drawn, weight * WEIGHTS.get(sample.corpus, 1.0)


def export(
    boosters: Sequence[Any], columns: Sequence[str], odds: Mapping[str, tuple[float, float]]
) -> BlockModel:
    """The boosters' trees as arrays that `BlockModel` reads, with the columns that they use."""
    trees = [tree for booster in boosters for tree in booster.dump_model()["tree_info"]]
    parts = [_flat_tree(tree["tree_structure"]) for tree in trees]
    used = sorted({feature for nodes, _ in parts for feature, _, _ in nodes})
    place = {feature: number for number, feature in enumerate(used)}
    shape = (_MAX_LEAVES - 1, len(parts))
    feature = np.zeros(shape, dtype=np.intp)
    threshold = np.full(shape, np.inf, dtype=np.float32)
    removed = np.zeros(shape, dtype=np.uint16)
    leaves = np.zeros((len(parts), _MAX_LEAVES), dtype=np.float32)
    for number, (nodes, values) in enumerate(parts):
        for at, (column, limit, mask) in enumerate(nodes):
            feature[at, number] = place[column]
            # rounded down, so that float32 values fall to the same side as in double precision
            single = np.float32(limit)
            threshold[at, number] = (
                single if float(single) <= limit else np.nextafter(single, np.float32(-np.inf))
            )
            removed[at, number] = mask
        leaves[number, : len(values)] = np.array(values) / len(boosters)
    return BlockModel(TokenOdds(odds), tuple(columns[i] for i in used), feature, threshold, removed, leaves)


def _flat_tree(root: Mapping[str, Any]) -> tuple[list[tuple[int, float, int]], list[float]]:
    """Nodes as (column, threshold, leaves of the left side as bits), and the leaves' values left to right."""
    nodes: list[tuple[int, float, int]] = []
    values: list[float] = []

    def walk(node: Mapping[str, Any]) -> None:
        if "leaf_value" in node:
            values.append(node["leaf_value"])
            return
        first = len(values)
        walk(node["left_child"])
        left = sum(1 << leaf for leaf in range(first, len(values)))
        nodes.append((node["split_feature"], node["threshold"], left))
        walk(node["right_child"])

    walk(root)
    return nodes, values


def save(model: BlockModel, path: Path) -> None:
    words = sorted(model.odds.words)
    with path.open("wb") as stream:
        np.savez_compressed(
            stream,
            words=np.array(words),
            odds=np.array([model.odds.words[word] for word in words], dtype=np.float16),
            columns=np.array(model.columns),
            feature=model.feature.astype(np.uint16),
            threshold=model.threshold,
            removed=model.removed,
            leaves=model.leaves,
        )


# --- measuring -------------------------------------------------------------------------------------


def texts_by(model: BlockModel, samples: Sequence[Sample]) -> list[str]:
    """What extraction with this model makes of the pages, before phrases are looked at."""
    return [
        "\n".join(piece.text for piece, rule in judged_pieces(sample.opened, model=model) if rule is None)
        for sample in samples
    ]


def report(name: str, samples: Sequence[Sample], found: Sequence[str]) -> None:
    """Scores of Trafilatura, of the rules on first sight and of the whole, with intervals of the gain."""
    by_corpus: dict[str, list[int]] = defaultdict(list)
    for number, sample in enumerate(samples):
        by_corpus[sample.corpus].append(number)
    for corpus, numbers in by_corpus.items():
        picked = [samples[n] for n in numbers]
        texts = {
            "extractor": [s.extractor_text for s in picked],
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
            line = f"  {key:10s} {score}"
            if key == "model":
                for other in ("extractor", "rules"):
                    low, high = interval(rows["model"], rows[other])
                    line += f"  against {other} {low:+.4f} to {high:+.4f}"
            print(line, flush=True)


def validate(samples: Sequence[Sample], others: Sequence[Sample], folder: Path | None = None) -> None:
    """Cross-validation by site; `others` are judged by the first fold's model; `folder` keeps them."""
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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--on", nargs="+", default=list(CORPORA), help="corpora to train on")
    parser.add_argument("--test", nargs="*", default=["syndicated"], help="never trained on")
    parser.add_argument("--validate", action="store_true", help="cross-validate by site")
    parser.add_argument("--models", type=Path, help="with --validate: folder for the models of the folds")
    parser.add_argument("--cross", nargs="*", default=[], metavar="TRAIN:TEST", help="one corpus to another")
    parser.add_argument("--out", type=Path, help="train on everything and write the model here")
    options = parser.parse_args(arguments)
    pairs = [pair.split(":") for pair in options.cross]
    wanted = {name for pair in pairs for name in pair}
    if options.validate or options.out:
        wanted |= set(options.on)
    if options.validate:
        wanted |= set(options.test)
    is_measured = options.validate or bool(pairs)
    read = {name: list(read_corpus(options.corpora / name, is_measured)) for name in sorted(wanted)}
    if options.validate:
        inside = [s for n in options.on for s in read[n]]
        validate(inside, [s for n in options.test for s in read[n]], options.models)
    for source in dict.fromkeys(source for source, _ in pairs):
        model = train(read[source])
        for target in (target for name, target in pairs if name == source):
            report(f"trained on {source}:", read[target], texts_by(model, read[target]))
    if options.out:
        model = train([s for name in options.on for s in read[name]])
        save(model, options.out)
        print(f"{options.out}: {options.out.stat().st_size} bytes, {len(model.leaves)} trees, ", end="")
        print(f"{len(model.columns)} features, {len(model.odds.words)} words")


if __name__ == "__main__":
    main()
