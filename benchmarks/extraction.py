"""Measures the quality of extraction on labelled pages, and of Trafilatura's default on the same pages.

    python -m benchmarks.extraction CORPORA [--stage extract|process] [--only NAME…] [--sample N]
        [--workers N] [--out FOLDER] [--extractor NAME] [--stages] [--models FOLDER]

CORPORA is a folder of corpora: `NAME/truth.jsonl`, one object a page with "id" (or "path") and "text",
and where known "title", "authors", "date", "url" and "clutter" (strings that must not remain); the
pages lie in `NAME/html/` or `NAME/pages/` under that id, gzipped where the name ends in .gz.

The text measure is that of scrapinghub/article-extraction-benchmark: precision and recall of 4-word
shingles counted with multiplicity, averaged over pages, and the F1 of the two means.

`--stages` measures instead what each stage of extraction contributes: the stages are switched on one after
another, then each one alone is switched off, and the gain in F1 is printed with its interval. `--models`
names the folder of models that `training.train_blocks --models FOLDER` writes with `--leave-out` or with
`--validate`. Each page is then judged by a block model that was not trained on its corpus, or on its site.
Without it, a corpus on which the model in the package was trained gives training scores.

`--extractor` measures one of the extractors that can be chosen. Intervals are drawn by site.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.folds import fold_of, site_of_page
from benchmarks.measures import Score, page_score, same_authors, same_day, same_title
from pipeline.clean.boilerplate import clean
from pipeline.clean.wire import parse_wire
from pipeline.document import Article, Document, DocumentRejected, Extraction, MediaType, Origin
from pipeline.extract.candidates import Candidates, prose_passages, trafilatura_passages
from pipeline.extract.extractors.copydesk import choose, judge
from pipeline.extract.html import extract_html, public_blocks
from pipeline.extract.model.columns import BlockColumns, block_columns
from pipeline.extract.model.trees import BlockModel, load_model
from pipeline.extract.open_page import OpenPage, open_page
from pipeline.extract.repair import repair
from pipeline.extract.structure import Judged
from pipeline.page.decode import decode_body
from pipeline.process import process_document
from pipeline.settings import Settings
from pipeline.sites import EXTRACTORS
from pipeline.text.language import identify_language

# Pages of the corpora have no time of fetching. All were saved before this time.
FETCHED_AT = datetime(2026, 12, 31, tzinfo=UTC)


PageScore = tuple[float | None, float | None]


def mean_score(rows: Sequence[PageScore]) -> Score:
    """Precision and recall averaged over pages."""
    return Score(
        statistics.mean([p for p, _ in rows if p is not None] or [0.0]),
        statistics.mean([r for _, r in rows if r is not None] or [0.0]),
    )


def interval(
    ours: Sequence[PageScore], theirs: Sequence[PageScore], sites: Sequence[str], rounds: int = 1000
) -> tuple[float, float]:
    """95 % bootstrap interval of the difference in F1; sites are resampled, each with all its pages.

    Pages of one site share a template: drawn one by one, they would make the interval too narrow.
    """
    rng = random.Random(1)
    pages: dict[str, list[int]] = {}
    for number, site in enumerate(sites):
        pages.setdefault(site, []).append(number)
    groups = list(pages.values())
    gains = []
    for _ in range(rounds):
        picked = [number for _ in groups for number in rng.choice(groups)]
        gains.append(mean_score([ours[i] for i in picked]).f1 - mean_score([theirs[i] for i in picked]).f1)
    gains.sort()
    return gains[int(0.025 * rounds)], gains[int(0.975 * rounds) - 1]


def key_of(truth: dict[str, Any]) -> str:
    return str(truth.get("path") or truth["id"])


def read_bytes(corpus: Path, key: str) -> bytes:
    for folder in ("html", "pages"):
        path = corpus / folder / key
        if path.exists():
            body = path.read_bytes()
            return gzip.decompress(body) if key.endswith(".gz") else body
    raise FileNotFoundError(f"{corpus}: no page {key}")


def predict(job: tuple[Path, dict[str, Any], str, str]) -> dict[str, Any]:
    """The result of the pipeline (or of extraction alone) for one page, or why it was rejected."""
    corpus, truth, stage, extractor = job
    settings = Settings(extractor=extractor)
    body, url = read_bytes(corpus, key_of(truth)), str(truth.get("url") or "https://page.example/")
    if stage == "extract":
        html = decode_body(body, None, MediaType.HTML)
        try:
            found = extract_html(html, url, FETCHED_AT, settings)
        except DocumentRejected as rejected:
            return {"id": key_of(truth), "text": "", "rejected": str(rejected)}
        text = "\n".join(block.text for block in found.blocks)
        title, authors = found.title, found.authors
        published, offset = found.published_at, found.published_offset
    else:
        outcome = process_document(
            Document(url, url, body, MediaType.HTML, FETCHED_AT, Origin.FILE), settings
        )
        if not isinstance(outcome, Article):
            return {"id": key_of(truth), "text": "", "rejected": f"{outcome.reason}: {outcome.detail}"}
        text, title, authors = outcome.text, outcome.title, outcome.authors
        published, offset = outcome.published_at, outcome.published_offset
    if published:
        # the page prints the day in its own time zone
        published = published.astimezone(timezone(timedelta(minutes=offset or 0)))
    return {
        "id": key_of(truth),
        "text": text,
        "title": title,
        "authors": list(authors),
        "date": published.isoformat() if published else None,
    }


def baseline(job: tuple[Path, dict[str, Any]]) -> str:
    """The result of Trafilatura's default for the same page, without comments."""
    import trafilatura

    corpus, truth = job
    return str(trafilatura.extract(read_bytes(corpus, key_of(truth)), include_comments=False) or "")


def baselines(corpus: Path, truths: Sequence[dict[str, Any]], pool: ProcessPoolExecutor) -> list[str]:
    """Trafilatura's texts, kept between runs in the temporary folder."""
    import trafilatura

    name = f"copydesk-baseline-{trafilatura.__version__}-{corpus.name}.json"
    cache = Path(tempfile.gettempdir()) / name
    known: dict[str, str] = json.loads(cache.read_text()) if cache.exists() else {}
    missing = [truth for truth in truths if key_of(truth) not in known]
    if missing:
        texts = pool.map(baseline, [(corpus, truth) for truth in missing], chunksize=8)
        known |= {key_of(truth): text for truth, text in zip(missing, texts, strict=True)}
        cache.write_text(json.dumps(known))
    return [known[key_of(truth)] for truth in truths]


def fields(truths: Iterable[dict[str, Any]], predicted: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Share of pages whose title, authors and date are right, and of clutter strings left."""
    right: dict[str, list[bool]] = {"title": [], "authors": [], "date": [], "clutter left": []}
    for truth, found in zip(truths, predicted, strict=True):
        if truth.get("title"):
            right["title"].append(same_title(truth["title"], found.get("title")))
        if truth.get("authors"):
            right["authors"].append(same_authors(truth["authors"], found.get("authors") or ()))
        if truth.get("date"):
            stamp = found.get("date")
            right["date"].append(same_day(truth["date"], datetime.fromisoformat(stamp) if stamp else None))
        right["clutter left"] += [line in found["text"] for line in truth.get("clutter") or ()]
    return {name: f"{statistics.mean(values):.3f}" for name, values in right.items() if values}


# --- stage by stage --------------------------------------------------------------------------------

# In the order in which they run, with what each adds to the one before.
STAGES = {
    "trafilatura": "the lines of Trafilatura",
    "prose": "the region with most of the prose",
    "repair": "what that region missed, by structure",
    "rules": "structural rules",
    "model": "block model",
    "clean": "phrase rules and repetition",
    "wire": "datelines, bylines, sign-offs",
}


@cache
def fold_models(folder: Path) -> tuple[BlockModel, ...]:
    """The models of a cross-validation, in the order of their folds."""
    return tuple(load_model(path) for path in sorted(folder.glob("fold-*.npz")))


def unseen_model(folder: Path, corpus: str, truth: dict[str, Any]) -> BlockModel:
    """The model in the folder that was not trained on a page's corpus or, of folds, on its site."""
    without = folder / f"without-{corpus}.npz"
    if without.exists():
        return load_model(without)
    folds = fold_models(folder)
    return folds[fold_of(site_of_page(corpus, truth), len(folds))]


def staged_texts(job: tuple[Path, dict[str, Any], Path | None]) -> dict[str, str]:
    """One page's text under every setting of `settings_of_stages`, by the setting's name."""
    corpus, truth, models = job
    url = str(truth.get("url") or "https://page.example/")
    model = None if models is None else unseen_model(models, corpus.name, truth)
    try:
        html = decode_body(read_bytes(corpus, key_of(truth)), None, MediaType.HTML)
        opened = open_page(html, url, FETCHED_AT, Settings())
    except DocumentRejected:
        return dict.fromkeys(settings_of_stages(), "")
    columns = block_columns([opened.page])
    return {name: _text_with(opened, columns, on, model) for name, on in settings_of_stages().items()}


def settings_of_stages() -> dict[str, frozenset[str]]:
    """Names of the settings that are measured, and the stages that each switches on."""
    names = list(STAGES)
    settings = {f"+ {name}": frozenset(names[: at + 1]) for at, name in enumerate(names)}
    return settings | {f"without {name}": frozenset(names) - {name} for name in names}


def _text_with(opened: OpenPage, columns: BlockColumns, on: frozenset[str], model: BlockModel | None) -> str:
    page, about = opened.page, opened.about
    (region,) = prose_passages(columns) if "prose" in on else [[]]
    if "repair" in on and "prose" in on:
        region = repair(page, region, about)
    found = Candidates(trafilatura_passages(opened) if "trafilatura" in on else None, region)
    judged = [Judged(passage, None) for passage in found.either()]
    if "rules" in on:
        (judged,) = judge([opened], [found])
    if "model" in on:
        (choice,) = choose(columns, [opened], [found], [judged], model)
        judged = choice.passages
    blocks = public_blocks(page, [passage for passage, rule, _ in judged if rule is None])
    language = identify_language("\n".join(block.text for block in blocks), about.html_language)
    numbered = tuple(enumerate(blocks))
    if "clean" in on:
        extraction = Extraction(
            blocks,
            about.title,
            authors=about.authors,
            language=language,
            section=about.section,
            keywords=about.keywords,
        )
        numbered, _ = clean(extraction, Settings())
    if "wire" in on:
        numbered = parse_wire(numbered, about.title).blocks
    return "\n".join(block.text for _, block in numbered)


def report_stages(
    name: str, truths: Sequence[dict[str, Any]], texts: Sequence[dict[str, str]], theirs: Sequence[str]
) -> None:
    rows = {
        setting: [page_score(t["text"], found[setting]) for t, found in zip(truths, texts, strict=True)]
        for setting in settings_of_stages()
    }
    before = [page_score(t["text"], text) for t, text in zip(truths, theirs, strict=True)]
    sites = [site_of_page(name, truth) for truth in truths]
    everything = rows[f"+ {list(STAGES)[-1]}"]
    print(f"{name} ({len(truths)} pages)\n  {'Trafilatura, default':22} {mean_score(before)}")
    for setting, scores in rows.items():
        ours, other = (scores, before) if setting.startswith("+") else (everything, scores)
        low, high = interval(ours, other, sites)
        gain = mean_score(ours).f1 - mean_score(other).f1
        worth = f"worth {gain:+.4f} ({low:+.4f} to {high:+.4f})"
        print(f"  {setting:22} {mean_score(scores)}  {worth}", flush=True)
        if setting.startswith("+"):
            before = scores


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path, help="folder of corpora")
    parser.add_argument("--stage", choices=["extract", "process"], default="process")
    parser.add_argument("--extractor", choices=EXTRACTORS, default=EXTRACTORS[0])
    parser.add_argument("--only", nargs="*", help="names of corpora, default all")
    parser.add_argument("--sample", type=int, default=1, help="every Nth page only")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for NAME.jsonl with the predictions")
    parser.add_argument("--stages", action="store_true", help="what each stage of extraction is worth")
    parser.add_argument("--models", type=Path, help="with --stages: block models, one a fold of sites")
    args = parser.parse_args(arguments)
    names = args.only or sorted(
        path.parent.name
        for path in args.corpora.glob("*/truth.jsonl")
        if any((path.parent / folder).is_dir() for folder in ("html", "pages"))
    )
    if not args.stages:
        print(f"{'corpus':12} {'pages':>5}  {'F1 (P, R)':23}  {'of Trafilatura':23}  gain (95 %)")
    with ProcessPoolExecutor(args.workers) as pool:
        for name in names:
            corpus = args.corpora / name
            with (corpus / "truth.jsonl").open(encoding="utf-8") as lines:
                truths = [json.loads(line) for line in lines if line.strip()][:: args.sample]
            if args.stages:
                staged = pool.map(staged_texts, [(corpus, t, args.models) for t in truths], chunksize=4)
                report_stages(name, truths, list(staged), baselines(corpus, truths, pool))
                continue
            start = time.perf_counter()
            jobs = [(corpus, truth, args.stage, args.extractor) for truth in truths]
            predicted = list(pool.map(predict, jobs, chunksize=4))
            seconds = time.perf_counter() - start
            theirs = baselines(corpus, truths, pool)
            report(name, truths, predicted, theirs, seconds)
            if args.out:
                args.out.mkdir(parents=True, exist_ok=True)
                with (args.out / f"{name}.jsonl").open("w", encoding="utf-8") as out:
                    out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in predicted)


def report(
    name: str,
    truths: Sequence[dict[str, Any]],
    predicted: Sequence[dict[str, Any]],
    theirs: Sequence[str],
    seconds: float,
) -> None:
    mine = [page_score(t["text"], p["text"]) for t, p in zip(truths, predicted, strict=True)]
    other = [page_score(t["text"], text) for t, text in zip(truths, theirs, strict=True)]
    low, high = interval(mine, other, [site_of_page(name, truth) for truth in truths])
    print(f"{name:12} {len(truths):5}  {mean_score(mine)}  {mean_score(other)}  {low:+.4f} to {high:+.4f}")
    notes = [f"{label} {value}" for label, value in fields(truths, predicted).items()]
    notes.append(f"rejected {sum('rejected' in p for p in predicted)}")
    notes.append(f"{seconds * 1000 / max(1, len(truths)):.0f} ms a page")
    print(" " * 13 + ", ".join(notes), flush=True)


if __name__ == "__main__":
    main()
