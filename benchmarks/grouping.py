"""Measures how well copies are grouped on labelled corpora, and the usual libraries on the same texts.

    python -m benchmarks.grouping CORPORA [--only NAME…] [--stage process|text] [--undated]
        [--measure quality|cost|storing…]

CORPORA is a folder of corpora. One with `documents.jsonl` (or .gz: "id", "title", "text", "date") and
`pairs.tsv` ("a-b", a tab, "copy" or "other") is scored on those pairs; one with `truth.jsonl` whose objects
have a "story" is scored on all pairs of its pages. With `--stage text` the texts of the corpus are
used; by default they go through the pipeline first.

Copydesk's line does in memory what the database does: the same bands, neighbours, candidates, verification
and components. "All pairs" verifies every pair that shares a shingle, without the index. The difference
between these two lines is what the index misses. The other methods group whatever their index proposes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
import zstandard

from benchmarks.extraction import FETCHED_AT, read_bytes
from benchmarks.measures import Score, adjusted_rand, pair_score, partition_score
from crawler.runs.drive import BATCH_SIZE
from pipeline.copies import (
    ArticleCopy,
    Pair,
    Passage,
    are_alike,
    bridges,
    candidates_among,
    components,
    fingerprint,
    is_enough,
    is_far,
    near_range,
    order_key,
    prepare,
    verify,
)
from pipeline.document import Access, Article, Claims, Document, Fingerprint, MediaType, Origin, PageBytes
from pipeline.metadata.dates import parse_date
from pipeline.process import process_document
from pipeline.settings import FingerprintSettings, Settings
from pipeline.text import make_search_words
from storage.database import Engine, open_database
from storage.writer import start_run, write_batch

if TYPE_CHECKING:
    from datasketch import MinHash

IdPair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Stories numbered from 0, and their labels: labelled pairs, or the true story of each."""

    name: str
    stories: list[ArticleCopy]
    labelled: list[tuple[int, int, bool]] | None = None
    truth: list[int] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Pairs of one method; what it cost: index rows and candidates a document."""

    pairs: list[IdPair]
    rows: float | None = None
    candidates: float | None = None


# --- corpora ------------------------------------------------------------------------------------------------


def read_corpora(folder: Path, only: Sequence[str], stage: str) -> Iterator[Corpus]:
    for path in sorted(p for p in folder.iterdir() if p.is_dir() and (not only or p.name in only)):
        if (path / "pairs.tsv").exists():
            yield read_labelled(path, stage)
        elif (path / "truth.jsonl").exists():
            truths = [json.loads(line) for line in open_text(path / "truth.jsonl")]
            if truths and "story" in truths[0]:
                stories = [page_story(path, n, truth, stage) for n, truth in enumerate(truths)]
                yield Corpus(path.name, stories, truth=[truth["story"] for truth in truths])


def open_text(path: Path) -> Iterator[str]:
    compressed = path.with_name(path.name + ".gz")
    with gzip.open(compressed, "rt") if compressed.exists() else path.open(encoding="utf-8") as lines:
        yield from (line for line in lines if line.strip())


def read_labelled(path: Path, stage: str) -> Corpus:
    records = [json.loads(line) for line in open_text(path / "documents.jsonl")]
    numbers = {str(record["id"]): n for n, record in enumerate(records)}
    labelled = []
    for line in open_text(path / "pairs.tsv"):
        ids, label, *_ = line.rstrip("\n").split("\t")
        a, b = ids.split("-")
        if label in ("copy", "other"):
            labelled.append((numbers[a], numbers[b], label == "copy"))
    return Corpus(path.name, [record_story(n, r, stage) for n, r in enumerate(records)], labelled=labelled)


def record_story(n: int, record: dict[str, Any], stage: str) -> ArticleCopy:
    url, title, text = f"https://record.example/{n}", record.get("title") or "", record["text"]
    claims = Claims(title=title, published_at=record.get("date"))
    document = Document(
        url, url, text.encode(), MediaType.TEXT, FETCHED_AT, Origin.JSONL, encoding="utf-8", claims=claims
    )
    if stage == "process":
        return processed(n, document)
    published = parse_date(record.get("date") or "", FETCHED_AT)
    return ArticleCopy(n, url, title, text, FETCHED_AT, published)


def page_story(path: Path, n: int, truth: dict[str, Any], stage: str) -> ArticleCopy:
    url = truth.get("url") or f"https://page.example/{n}"
    if stage == "process":
        body = read_bytes(path, str(truth.get("path") or truth["id"]))
        return processed(n, Document(url, url, body, MediaType.HTML, FETCHED_AT, Origin.FILE))
    return ArticleCopy(n, url, truth.get("title") or "", truth["text"], FETCHED_AT)


def processed(n: int, document: Document) -> ArticleCopy:
    """The story as it would be stored; if it would be rejected, an empty one, which has no copies."""
    outcome = process_document(document, Settings())
    if not isinstance(outcome, Article):
        return ArticleCopy(n, document.url, "", "", document.fetched_at)
    return ArticleCopy(
        n,
        outcome.url,
        outcome.title,
        outcome.text,
        document.fetched_at,
        outcome.published_at,
        outcome.language,
        outcome.agency,
        outcome.site,
    )


# --- methods ------------------------------------------------------------------------------------------------


def copydesk(stories: Sequence[ArticleCopy]) -> Found:
    settings = Settings()
    proposed, rows = candidates(stories, settings)
    return Found(verified(stories, proposed, settings), rows / len(stories), len(proposed) / len(stories))


def candidates(stories: Sequence[ArticleCopy], settings: Settings) -> tuple[list[IdPair], int]:
    """The pairs that the index proposes, and how many rows it has."""
    orders = {story.id: order_key(story) for story in stories}
    bands: dict[int, list[int]] = defaultdict(list)
    signatures: dict[int, bytes] = {}
    for story in sorted(stories, key=lambda s: orders[s.id]):
        found = fingerprint(story.text, settings.fingerprint)
        if found:
            signatures[story.id] = found.signature
            for key in found.bands:
                bands[key].append(story.id)
    near: dict[int, list[int]] = defaultdict(list)
    sure: dict[int, list[int]] = defaultdict(list)
    for band, row in bands.items():
        for at, id in enumerate(row):
            later = row[at + 1 : at + 1 + settings.group.band_window]
            if not is_far(band):
                latest = near_range(orders[id], settings.group)[1]
                later = [other for other in later if orders[other] <= latest]
            (sure if is_enough(band) else near)[id] += later
    proposed: list[IdPair] = []
    for id in signatures:
        certain, if_alike = candidates_among(near.get(id, ()), sure.get(id, ()), settings.group)
        alike = {o for o in if_alike if are_alike(signatures[id], signatures[o], settings.group)}
        proposed += [(id, other) for other in sorted(certain | alike)]
    return proposed, sum(map(len, bands.values()))


def all_pairs(stories: Sequence[ArticleCopy]) -> Found:
    """Every pair with enough containment, found with an inverted index of all shingles."""
    settings = Settings()
    sets = [prepare(story, settings.fingerprint).shingles for story in stories]
    sizes = np.array([s.size for s in sets])
    postings: dict[int, list[int]] = defaultdict(list)
    proposed: list[IdPair] = []
    for n, hashes in enumerate(sets):
        lists = [postings[h] for h in hashes.tolist()]
        others = np.array([other for posting in lists for other in posting], dtype=np.int64)
        shared = np.bincount(others, minlength=1)
        enough = np.flatnonzero(
            shared >= np.maximum(1, settings.group.containment * np.minimum(sizes[: shared.size], sizes[n]))
        )
        proposed += [(other, n) for other in enough.tolist()]
        for posting in lists:
            posting.append(n)
    return Found(verified(stories, proposed, settings))


def verified(stories: Sequence[ArticleCopy], proposed: Iterable[IdPair], settings: Settings) -> list[IdPair]:
    """Those of the pairs that are copies and join."""
    wanted = list(proposed)
    read = {id: prepare(stories[id], settings.fingerprint) for id in {i for p in wanted for i in p}}
    found = {(a, b): verify(read[a], read[b], settings.group) for a, b in wanted}
    return joining({ids: pair for ids, pair in found.items() if pair})


def joining(found: Mapping[IdPair, Pair]) -> list[IdPair]:
    """The pairs that are no bridge between two stories."""
    shared: dict[int, dict[int, Passage]] = {}
    held = [(a, b) if pair.holds else (b, a) for (a, b), pair in found.items() if pair.holds or pair.is_held]
    for holder, _ in held:
        shared[holder] = {}
    for (a, b), pair in found.items():
        if a in shared:
            shared[a][b] = pair.passage
        if b in shared:
            shared[b][a] = pair.other_passage
    verified_pairs = {(min(ids), max(ids)) for ids in found}
    cut = bridges(shared, held, verified_pairs)
    return [(a, b) for a, b in found if (a, b) not in cut and (b, a) not in cut]


def word_shingles(text: str, size: int) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[n : n + size]) for n in range(max(1, len(words) - size + 1))] if words else []


def minhash(shingles: Iterable[str], num_perm: int = 128) -> MinHash:
    from datasketch import MinHash  # here, because it imports SciPy

    made = MinHash(num_perm=num_perm, hashfunc=xxhash.xxh32_intdigest)
    made.update_batch([shingle.encode() for shingle in shingles])
    return made


def datasketch_lsh(size: int, threshold: float) -> Callable[[Sequence[ArticleCopy]], Found]:
    def run(stories: Sequence[ArticleCopy]) -> Found:
        from datasketch import MinHashLSH

        index, pairs = MinHashLSH(threshold=threshold, num_perm=128), []
        for story in stories:
            shingles = word_shingles(story.text, size)
            if shingles:
                sketch = minhash(shingles)
                pairs += [(other, story.id) for other in index.query(sketch)]
                index.insert(story.id, sketch)
        return Found(pairs, index.b, len(pairs) / len(stories))

    return run


def rensa_lsh(size: int, threshold: float, bands: int) -> Callable[[Sequence[ArticleCopy]], Found]:
    def run(stories: Sequence[ArticleCopy]) -> Found:
        import rensa

        index, pairs = rensa.RMinHashLSH(threshold=threshold, num_perm=128, num_bands=bands), []
        for story in stories:
            shingles = word_shingles(story.text, size)
            if shingles:
                sketch = rensa.RMinHash(num_perm=128, seed=1)
                sketch.update(shingles)
                pairs += [(other, story.id) for other in index.query(sketch)]
                index.insert(story.id, sketch)
        return Found(pairs, bands, len(pairs) / len(stories))

    return run


def methods() -> dict[str, Callable[[Sequence[ArticleCopy]], Found]]:
    lines = {
        "copydesk": copydesk,
        "copydesk, all pairs": all_pairs,
        "datasketch 5-word .7": datasketch_lsh(5, 0.7),
        "datasketch 3-word .5": datasketch_lsh(3, 0.5),
    }
    try:
        import rensa  # noqa: F401
    except ImportError:
        return lines
    return lines | {
        "rensa 5-word, 16 bands": rensa_lsh(5, 0.7, 16),
        "rensa 3-word, 32 bands": rensa_lsh(3, 0.5, 32),
    }


# --- scores -------------------------------------------------------------------------------------------------


def groups_of(stories: Sequence[ArticleCopy], pairs: Iterable[IdPair]) -> dict[Hashable, Hashable]:
    """The number of each story's group."""
    parts = components((story.id for story in stories), pairs)
    return {id: n for n, part in enumerate(parts) for id in part}


def score(corpus: Corpus, pairs: Iterable[IdPair]) -> tuple[Score, float]:
    """Pair precision and recall, and the adjusted Rand index over all documents."""
    ids = range(len(corpus.stories))
    group = groups_of(corpus.stories, pairs)
    found = [group[id] for id in ids]
    if corpus.truth is not None:
        return partition_score(corpus.truth, found), adjusted_rand(corpus.truth, found)
    labelled = corpus.labelled or []
    parts = components(ids, [(a, b) for a, b, is_copy in labelled if is_copy])
    truth = {id: n for n, part in enumerate(parts) for id in part}
    return pair_score(labelled, group), adjusted_rand([truth[id] for id in ids], found)


def quality(corpus: Corpus) -> None:
    print(f"\n{corpus.name}: {len(corpus.stories)} documents")
    print(f"{'':26}{'P':>8}{'R':>8}{'ARI':>8}{'rows':>8}{'cand.':>8}{'s':>8}")
    for name, method in methods().items():
        began = time.process_time()
        found = method(corpus.stories)
        seconds = time.process_time() - began
        pairs, rand = score(corpus, found.pairs)
        rows = "" if found.rows is None else f"{found.rows:.0f}"
        compared = "" if found.candidates is None else f"{found.candidates:.2f}"
        print(
            f"{name:26}{pairs.precision:8.4f}{pairs.recall:8.4f}{rand:8.4f}{rows:>8}{compared:>8}{seconds:8.1f}",
            flush=True,
        )


# Lengths in words at which the cost of a signature is measured, on texts within a tenth of that length.
LENGTHS = (150, 500, 850)
MEASURES = ("quality", "cost", "storing")


def cost(corpus: Corpus, rounds: int = 9) -> None:
    """Text to signature: at several lengths, and over the whole corpus."""
    texts = [story.text for story in corpus.stories if story.text]
    counts = [len(text.split()) for text in texts]
    for length in LENGTHS:
        fit = [text for text, n in zip(texts, counts, strict=True) if abs(n - length) <= length / 10]
        if len(fit) >= 10:
            signature_cost(f"{length} words", fit[:300], rounds)
    signature_cost("whole corpus", texts, max(3, rounds // 3))


def signature_cost(name: str, texts: Sequence[str], rounds: int) -> None:
    """Measure the methods on the same texts in turn: medians of the rounds, and ratios to our time.

    The other methods get the fastest list of shingles, from words between blanks. Ours has no case, marks and
    spellings of figures. "rensa, lower case" also gets words without case and marks, by the usual regular
    expression. "with bands" is everything that an article's index entry needs.
    """
    settings = FingerprintSettings()
    size, num_perm = settings.shingle_words, settings.num_perm

    def split(text: str) -> list[str]:
        words = text.split()
        return [" ".join(words[n : n + size]) for n in range(max(1, len(words) - size + 1))]

    def one_by_one(of_text: Callable[[str], object]) -> Callable[[Sequence[str]], object]:
        return lambda texts: [of_text(text) for text in texts]

    ways: dict[str, Callable[[Sequence[str]], object]] = {
        "copydesk, with bands": one_by_one(lambda text: fingerprint(text, settings)),
        "datasketch, xxhash": one_by_one(lambda text: minhash(split(text), num_perm)),
    }
    try:
        import rensa

        def rensas(shingles: list[str]) -> object:
            sketch = rensa.RMinHash(num_perm=num_perm, seed=1)
            sketch.update(shingles)
            return sketch.digest()

        ways["rensa"] = one_by_one(lambda text: rensas(split(text)))
        ways["rensa, lower case"] = one_by_one(lambda text: rensas(word_shingles(text, size)))
    except ImportError:
        pass
    spent: dict[str, list[float]] = {way: [] for way in ways}
    # Short turns, so that other work of the machine affects all methods alike.
    for turn in range(rounds * max(1, len(texts) // 100)):
        some = texts[turn % max(1, len(texts) // 100) :: max(1, len(texts) // 100)]
        for way, run in ways.items():
            began = time.process_time()
            run(some)
            spent[way].append((time.process_time() - began) / len(some))
    ours = statistics.median(spent["copydesk, with bands"])
    words = statistics.mean(len(text.split()) for text in texts)
    print(f"  text to signature, {name} (mean {words:.0f}), {num_perm} permutations: ", end="")
    print(
        ", ".join(
            f"{way} {statistics.median(times) * 1e6:.0f} µs ({statistics.median(times) / ours:.2f})"
            for way, times in spent.items()
        ),
        flush=True,
    )


def storing(corpus: Corpus, rounds: int = 3) -> None:
    """Measure text to committed rows of a SQLite database, and datasketch's loop in memory, in turn.

    Ours fingerprints as many texts at once as a worker does, compresses the page, writes in batches as an
    ingest does, verifies, groups, and commits. The database exists and is empty. The loop makes the list of
    shingles, and calls update_batch, query and insert. Prints elapsed time, and processor time, which depends
    less on other programs.
    """
    with_text = [story for story in corpus.stories if story.text]
    compressor = zstandard.ZstdCompressor()
    settings = Settings()

    def ours(engine: Engine) -> None:
        run = start_run(engine, "benchmark", FETCHED_AT)
        for start in range(0, len(with_text), BATCH_SIZE):
            some = with_text[start : start + BATCH_SIZE]
            write_batch(engine, run, as_articles(some, compressor, settings), settings)
        engine.dispose()

    def theirs() -> None:
        datasketch_lsh(settings.fingerprint.shingle_words, 0.5)(with_text)

    spent: dict[str, list[float]] = {"copydesk": [], "datasketch": []}
    used: dict[str, list[float]] = {"copydesk": [], "datasketch": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            empty = open_database(f"sqlite:///{folder}/wire.db")
            for name, run in (("copydesk", partial(ours, empty)), ("datasketch", theirs)):
                began, began_used = time.perf_counter(), time.process_time()
                run()
                spent[name].append(time.perf_counter() - began)
                used[name].append(time.process_time() - began_used)
    mine, other = (statistics.median(spent[name]) for name in ("copydesk", "datasketch"))
    my_use, their_use = (statistics.median(used[name]) for name in ("copydesk", "datasketch"))
    print(
        f"  text to committed rows, {len(with_text)} documents in batches of {BATCH_SIZE}: {mine:.1f} s,"
        f" datasketch's loop in memory {other:.1f} s ({other / mine:.2f}); of the processor {my_use:.1f} s,"
        f" {their_use:.1f} s ({their_use / my_use:.2f})",
        flush=True,
    )


def as_articles(
    stories: Sequence[ArticleCopy], compressor: zstandard.ZstdCompressor, settings: Settings
) -> list[Article]:
    return [
        as_article(story, fingerprint(story.text, settings.fingerprint), compressor, settings)
        for story in stories
    ]


def as_article(
    story: ArticleCopy, print_: Fingerprint | None, compressor: zstandard.ZstdCompressor, settings: Settings
) -> Article:
    body = story.text.encode()
    page = PageBytes(
        sha256=hashlib.sha256(body).digest(),
        compressed=compressor.compress(body),
        size=len(body),
        media_type=MediaType.TEXT,
        encoding="utf-8",
        origin=Origin.JSONL,
        fetched_at=story.fetched_at,
        url=story.url,
        publisher=None,
        claims=Claims(),
    )
    return Article(
        url=story.url,
        location=story.url,
        publisher=None,
        site=story.site or "record.example",
        title=story.title,
        text=story.text,
        authors=(),
        byline=None,
        dateline=None,
        agency=story.agency,
        published_at=story.published_at,
        published_offset=None,
        published_source="claim" if story.published_at else None,
        language=story.language,
        access=Access.FREE,
        syndicated_from=None,
        word_count=story.text.count(" ") + 1,
        search_words=make_search_words(story.title, story.text),
        removed=(),
        fingerprint=print_,
        rules_version=settings.rules_version,
        page=page,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--stage", choices=["process", "text"], default="process")
    parser.add_argument("--undated", action="store_true", help="as if no text said when it was published")
    parser.add_argument("--measure", nargs="+", choices=MEASURES, default=MEASURES)
    options = parser.parse_args(arguments)
    for corpus in read_corpora(options.corpora, options.only, options.stage):
        if options.undated:
            undated = [replace(story, published_at=None) for story in corpus.stories]
            corpus = replace(corpus, stories=undated)
        dated = Counter(story.published_at is not None for story in corpus.stories)
        if "quality" in options.measure:
            quality(corpus)
        print(f"  {corpus.name}: {len(corpus.stories)} documents, {dated[True]} dated", flush=True)
        if "cost" in options.measure:
            cost(corpus)
        if "storing" in options.measure:
            storing(corpus)


if __name__ == "__main__":
    main()
