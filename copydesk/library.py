"""What a program may use of Copydesk; `copydesk` itself exports it.

import copydesk

article = copydesk.extract(html, url="https://example.com/news/1")
copydesk.ingest(["pages/"], "sqlite:///copydesk.db")
with copydesk.open("sqlite:///copydesk.db") as db:
    for article in db.articles(since="yesterday"):
        print(article.published_at, article.site, article.title)

Three exceptions, and no others on purpose: DocumentRejected (a page holds no article, with the reason),
DatabaseError (a database that cannot be opened, read or written), and OperatorError for whatever else the
caller can put right: a path, a time, a query, a sites file. A DatabaseError is an OperatorError too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from copydesk.filters import Time, article_filter, aware
from copydesk.options import DEFAULT_DATABASE
from copydesk.watchlists import Watchlists
from pipeline import copies
from pipeline.copies import ArticleCopy, Comparison, Sketch
from pipeline.document import Article, DocumentRejected, Outcome, Rejection
from pipeline.errors import OperatorError
from pipeline.settings import FingerprintSettings, GroupSettings, Settings
from storage import reader
from storage.database import DatabaseError, Engine, open_database
from storage.reader import (
    ChangedArticle,
    Copy,
    Hit,
    RemovedLine,
    StoredArticle,
    StoredRevision,
    Story,
    StoryOrder,
)
from storage.watching import MatchedStory, Watchlist

if TYPE_CHECKING:
    from crawler.backfill import Result
    from crawler.crawl import CrawlResult
    from crawler.runs import Finished
    from storage.bulk import Loaded

__all__ = [
    "Article",
    "ChangedArticle",
    "Copy",
    "Database",
    "DatabaseError",
    "DocumentRejected",
    "Hit",
    "MatchedStory",
    "OperatorError",
    "RemovedLine",
    "Sketch",
    "StoredArticle",
    "StoredRevision",
    "Story",
    "TextComparison",
    "Watchlist",
    "Watchlists",
    "backfill",
    "compare",
    "crawl",
    "extract",
    "ingest",
    "load",
    "open",
    "shingle_hashes",
    "sketch",
]

Record = Mapping[str, object]


# --- texts --------------------------------------------------------------------------------------------


def extract(
    page: str | bytes,
    url: str | None = None,
    *,
    fetched_at: datetime | None = None,
    extractor: str | None = None,
    sites_file: str | os.PathLike[str] | None = None,
) -> Article:
    """The article of a page, clean, with the lines that were removed from it. Nothing is fetched or stored.

    page: HTML or text, as it was fetched. url: where from; it decides which rules of a sites file apply, and
    completes relative links. fetched_at: aware; no date of publication is after it; the present for None.
    extractor: "copydesk" or "trafilatura"; the default for None.
    Raises DocumentRejected if the page holds no article; its `reason` and `detail` say why.
    """
    from crawler.files import read_page
    from crawler.sites import read_rulebook
    from pipeline.process import process_document
    from pipeline.sites import EXTRACTORS

    settings = Settings()
    if sites_file is not None:
        settings = replace(settings, site_rules=read_rulebook(os.fspath(sites_file)))
    if extractor is not None:
        if extractor not in EXTRACTORS:
            raise OperatorError(f"there is no extractor {extractor!r}: write one of {', '.join(EXTRACTORS)}")
        settings = replace(settings, extractor=extractor)
    document = read_page(page, url, aware(fetched_at) or datetime.now(UTC), settings)
    if isinstance(document, Rejection):
        outcome: Outcome = document
    else:
        outcome = process_document(document, settings, fingerprinted=False)
    if isinstance(outcome, Rejection):
        raise DocumentRejected(outcome.stage, outcome.reason, outcome.detail)
    return outcome


@dataclass(frozen=True, slots=True)
class TextComparison:
    """How two texts compare.

    is_copy: whether grouping takes them for copies of one story. refusal: why not, in words; None if it does.
    jaccard: shared shingles over all shingles of the two; containment: over those of the shorter; 0 to 1.
    differences: sentences that the second text added, dropped and changed against the first.
    """

    is_copy: bool
    refusal: str | None
    jaccard: float
    containment: float
    differences: Comparison


def compare(text: str, other: str, *, title: str = "", other_title: str = "") -> TextComparison:
    """Compare two texts as grouping does, as if both were published at one time.

    Titles matter for texts of fewer than 60 words, whose headline says what they are about.
    """
    now = datetime(2000, 1, 1, tzinfo=UTC)  # the same for both: no doubt by time
    one = ArticleCopy(1, "", title, text, now, now)
    two = ArticleCopy(2, "", other_title, other, now, now)
    prepared = [copies.prepare(each, FingerprintSettings()) for each in (one, two)]
    found = copies.judge(prepared[0], prepared[1], GroupSettings())
    refusal = None if found.refusal is None else str(found.refusal)
    differences = copies.compare(text, other)
    return TextComparison(refusal is None, refusal, found.jaccard, found.containment, differences)


def shingle_hashes(text: str) -> NDArray[np.uint32]:
    """The hashes of a text's shingles in order, repeats included, as Copydesk gives them to datasketch.

    A MinHash of them with an identity for its hash function is the stored signature, bit for bit. The text is
    taken as it is: stored articles have no dateline, byline and sign-off.
    """
    return copies.shingle_hashes(text, FingerprintSettings())


def sketch(text: str) -> Sketch | None:
    """The signature of a text as datasketch's objects, `.whole` and `.lead`; None if it has no word."""
    return copies.sketch(text, FingerprintSettings())


# --- databases ----------------------------------------------------------------------------------------


class Database:
    """A Copydesk database, open for reading, and for its watchlists. `with` closes it.

    Times are datetimes (without a zone: UTC), or words: "2h", "yesterday", "monday", "2026-03-01". What
    returns an iterator streams, in the same memory for any number of rows, and sees the database as it was
    when it began. Every method raises DatabaseError if the database cannot be read.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. The database opens them again if it is asked again."""
        self._engine.dispose()

    @property
    def watchlists(self) -> Watchlists:
        """Saved searches that tell of news: to list, add, edit, test and remove."""
        return Watchlists(self._engine)

    def article(self, id_or_url: int | str) -> StoredArticle | None:
        """An article by its id, or by its URL as it is stored; None if there is none."""
        if isinstance(id_or_url, int):
            return reader.article(self._engine, id_or_url)
        return reader.article_by_url(self._engine, id_or_url)

    def articles(
        self,
        *,
        since: Time | None = None,
        until: Time | None = None,
        site: str | None = None,
        language: str | None = None,
        agency: str | None = None,
        changed_since: Time | None = None,
        unique: bool = False,
        limit: int | None = None,
    ) -> Iterator[StoredArticle]:
        """Articles by id.

        since, until: published from then on, and before then; articles without a date are in neither. A day
        is included in `until`. changed_since: their text is new or changed from then on. site, language,
        agency: as in the columns of the view `articles`; a site also by its key in the sites
        file; OperatorError for an unknown one. unique: canonical copies only.
        """
        where = article_filter(
            self._engine,
            site=site,
            agency=agency,
            language=language,
            since=since,
            until=until,
            changed_since=changed_since,
        )
        return reader.articles(self._engine, where, canonical_only=unique, limit=limit)

    def stories(
        self,
        *,
        since: Time | None = None,
        until: Time | None = None,
        site: str | None = None,
        language: str | None = None,
        agency: str | None = None,
        min_sites: int = 1,
        min_size: int = 1,
        sort: str = "newest",
        limit: int | None = None,
    ) -> Iterator[Story]:
        """Stories, each with its outlets: the newest first, or by "size" (copies) or "spread" (sites).

        since, until: of the canonical copy. site, agency: one copy is enough. min_sites, min_size: on at
        least so many sites, of at least so many copies. They are
        read a page at a time: a story that is stored meanwhile may be among them.
        """
        where = article_filter(
            self._engine, site=site, agency=agency, language=language, since=since, until=until
        )
        if sort not in tuple(StoryOrder):
            raise OperatorError(f"sort {sort!r}: write one of {', '.join(StoryOrder)}")
        found = reader.every_story(
            self._engine, where, min_size=min_size, min_sites=min_sites, order=StoryOrder(sort)
        )
        return islice(found, limit)

    def members(self, story_id: int) -> list[StoredArticle]:
        """The articles of a story, the earliest published first; empty if there is no such story."""
        return reader.members(self._engine, story_id)

    def search(
        self,
        query: str,
        *,
        since: Time | None = None,
        until: Time | None = None,
        site: str | None = None,
        language: str | None = None,
        agency: str | None = None,
        unique: bool = False,
        limit: int = 20,
        offset: int = 0,
    ) -> list[Hit]:
        """Articles by words of their title and text, the best first; `copydesk search` has the syntax.

        unique: one article of each story that matches. Other filters: as in `articles`. Raises OperatorError
        for a query that looks for nothing.
        """
        where = article_filter(
            self._engine, site=site, agency=agency, language=language, since=since, until=until
        )
        return reader.search(self._engine, query, where, canonical_only=unique, limit=limit, offset=offset)

    def feed(
        self,
        query: str | None = None,
        *,
        format: str = "atom",
        since: Time | None = None,
        until: Time | None = None,
        site: str | None = None,
        language: str | None = None,
        agency: str | None = None,
        min_sites: int = 1,
        watchlist: str | None = None,
        limit: int = 50,
        full_text: bool = False,
        desk: str = "http://127.0.0.1:8017/",
    ) -> bytes:
        """The newest stories as a feed in UTF-8, one entry a story, as `copydesk feed` prints it.

        query: words that a copy has, as in `search`; all stories for None. format: "atom", "rss" (2.0) or
        "json" (JSON Feed 1.1). since, until: of the story. watchlist: what the one of this name looks for,
        alone. limit: 1 to 500 stories. full_text: whole texts, except of articles whose rights are reserved.
        desk: address of the desk, for links to its pages. Other filters: as in `stories`. Raises
        OperatorError for a format, query, site, time or watchlist that is none.
        """
        from copydesk.feeds import Question, printed

        first, last = (str(aware(time)) if isinstance(time, datetime) else time for time in (since, until))
        asked = Question(query, site, language, agency, min_sites, first, last, watchlist)
        return printed(self._engine, asked, format, desk=desk, limit=limit, full_text=full_text)

    def changes(self, after: int = 0, *, unique: bool = False) -> Iterator[ChangedArticle]:
        """What is new, changed or gone since a change, each article at its last change, in their order.

        after: the `change` of the last one that was seen, 0 for all. A reader that goes on from there misses
        nothing. `article` is None for what is gone, or with `unique` is no canonical copy any more.
        """
        return reader.changed_articles(self._engine, after, canonical_only=unique)

    def revisions(self, article_id: int) -> list[StoredRevision]:
        """Every text that was seen of an article, the first one first; `is_current` is the present one."""
        return reader.revisions(self._engine, article_id)

    def removed(self, article_id: int) -> list[RemovedLine]:
        """The lines that were removed from an article's text, each with its rule, in the page's order."""
        return reader.removed(self._engine, article_id)

    def copies(self, article_id: int) -> list[Copy]:
        """The verified pairs that an article is part of, with their evidence."""
        return reader.copies(self._engine, article_id)

    def sketch(self, article_id: int) -> Sketch | None:
        """The stored signature of an article as datasketch's objects.

        None if there is no such article, or if it has no signature: a paywalled stub, a text without words.
        Raises DatabaseError if another version of Copydesk made it.
        """
        return reader.sketch(self._engine, article_id)

    def sketches(self) -> Iterator[tuple[int, Sketch]]:
        """Id and signature of every article that has one, by id. Raises DatabaseError as `sketch` does."""
        return reader.sketches(self._engine)


def open(db: str | None = None) -> Database:
    """Opens a database that exists: `sqlite:///FILE` or `postgresql://USER@HOST/NAME`.

    db: falls back to $COPYDESK_DB, then to sqlite:///copydesk.db. Raises DatabaseError if there is none, or
    if it is older or newer than this Copydesk.
    """
    return Database(open_database(_url(db), create=False))


def _url(db: str | None) -> str:
    return db or os.environ.get("COPYDESK_DB") or DEFAULT_DATABASE


# --- what writes --------------------------------------------------------------------------------------


def ingest(
    documents: str | Path | Iterable[str | Path | Record],
    db: str | None = None,
    *,
    sites_file: str | os.PathLike[str] | None = None,
    workers: int | None = None,
) -> Finished:
    """Store the articles of files, folders or records, grouped; returns when everything is committed.

    documents: one path, several paths, or records with the keys of JSON Lines (docs/how-to/files.md), at
    least `html` or `text`; records may come from a generator. db: as in `open`, and made if there is none.
    workers: processes; one a core for None.
    What is stored already is skipped. A document that is no article is counted by reason in
    `counts.reasons`, and in the view `rejections`. Ctrl-C ends it in order, with what was finished stored, if
    it runs in the main thread; `is_interrupted` says so. Raises OperatorError if a path does not exist, or if
    paths and records are mixed.
    """
    from crawler.files import read_records
    from crawler.notifications import deliver_after_run
    from crawler.runs import ingest as ingest_paths
    from crawler.runs import ingest_documents
    from crawler.sites import read_rulebook

    paths, records = _paths_or_records(documents)
    rules = read_rulebook(None if sites_file is None else os.fspath(sites_file))
    settings = Settings(site_rules=rules)
    count = workers or os.cpu_count() or 1
    engine = open_database(_url(db))
    try:
        if records is None:
            done = ingest_paths(engine, paths, workers=count, settings=settings)
        else:
            source = read_records(records, settings)
            done = ingest_documents(engine, source, workers=count, settings=settings)
        deliver_after_run(engine)
        return done
    finally:
        engine.dispose()


def _paths_or_records(
    documents: str | Path | Iterable[str | Path | Record],
) -> tuple[list[str], Iterator[Record] | None]:
    """The paths, or the records, of which only the first has been taken from an iterator."""
    if isinstance(documents, str | Path):
        return [str(documents)], None
    if isinstance(documents, Mapping):
        return [], iter([documents])
    given = iter(documents)
    first = next(given, None)
    if first is None:
        return [], iter(())
    if isinstance(first, Mapping):
        return [], _all_records(first, given)
    rest = list(given)
    if not isinstance(first, str | Path) or not all(isinstance(path, str | Path) for path in rest):
        raise OperatorError("give paths alone, or records alone: they are read in different ways")
    return [str(first), *map(str, rest)], None


def _all_records(first: Record, rest: Iterator[object]) -> Iterator[Record]:
    yield first
    for record in rest:
        if not isinstance(record, Mapping):
            raise OperatorError("give paths alone, or records alone: they are read in different ways")
        yield record


def crawl(
    sites: str | Sequence[str] = (),
    db: str | None = None,
    *,
    sites_file: str | os.PathLike[str] | None = None,
    refetch: bool = False,
    workers: int | None = None,
) -> CrawlResult:
    """Fetch the news of sites of the sites file, all for none, and store the articles, grouped.

    Runs in a process of its own, with the crawler's settings from the environment ($COPYDESK_CONTACT,
    $COPYDESK_SITES, …); its log goes to the logger `copydesk.crawl`. Ctrl-C ends the crawl in order and then
    raises KeyboardInterrupt. Raises OperatorError for mistakes in the sites file and unknown names.
    """
    import logging

    from crawler.crawl_process import crawl_in_process

    names = (sites,) if isinstance(sites, str) else tuple(sites)
    return crawl_in_process(
        _url(db),
        names,
        sites_file=None if sites_file is None else os.fspath(sites_file),
        refetch=refetch,
        workers=workers or 0,
        log=logging.getLogger("copydesk.crawl").info,
    )


def backfill(
    inputs: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    engine: str = "local",
    master: str | None = None,
    workers: int | None = None,
    memory_bytes: int | None = None,
    rows_per_bucket: int = 20_000,
    prefix: str = "",
    is_listing: bool = False,
    sites_file: str | os.PathLike[str] | None = None,
) -> Result:
    """Fill a folder with Parquet tables of what `ingest` would store of very many documents, or continue.

    inputs: files, folders, patterns, URLs that fsspec opens, and listings (`….paths`, `….paths.gz`, or all of
    them if is_listing), before whose lines the prefix stands. engine: "local", or "spark" with its master;
    None for that of spark-submit. workers: processes, one a core for None; on Spark of each task, one for
    None. memory_bytes: what sorting may use before it goes to the disk, 2 GiB for None; on Spark of each
    task, 512 MiB for None. rows_per_bucket: documents that are settled at once. `manifest.counts` of the
    result says what came of the documents.
    Ctrl-C ends it in order and then raises KeyboardInterrupt, if it runs in the main thread; the next call
    does the rest. Raises OperatorError if an input cannot be read, if the folder was begun with other inputs,
    settings or versions, if another process fills it, and if the extra `backfill` or `spark` is missing.
    """
    from crawler.sites import read_rulebook

    try:
        from crawler.backfill import Job, Silent, Stopped, run_job
    except ImportError as error:
        raise OperatorError(f"backfill needs {error.name}: pip install 'copydesk[backfill]'") from error
    given = [inputs] if isinstance(inputs, str | Path) else inputs
    job = Job(
        [str(one) for one in given],
        str(out),
        Settings(site_rules=read_rulebook(None if sites_file is None else os.fspath(sites_file))),
        engine=engine,
        master=master,
        workers=workers,
        memory_bytes=memory_bytes,
        rows_per_bucket=rows_per_bucket,
        prefix=prefix,
        is_listing=is_listing,
    )
    try:
        return run_job(job, Silent())
    except Stopped:
        raise KeyboardInterrupt from None


def load(
    folder: str | Path,
    db: str | None = None,
    *,
    sites_file: str | os.PathLike[str] | None = None,
    connections: int | None = None,
) -> Loaded:
    """Bring the folder of a `backfill` into a database, which is then as after `ingest` of the same inputs.

    db: as in `open`, and made if there is none. An empty one is filled in bulk; one with articles gets one
    document after another. sites_file: that of the backfill. connections: to an empty PostgreSQL database;
    one a core, at most four, for None.
    Ctrl-C ends it in order, if it runs in the main thread; `is_interrupted` says so, and the next call does
    the rest. Raises OperatorError if the folder is none of a backfill, is not complete, or was made by other
    versions; DatabaseError as `open`, and if the database has an unfinished load of another folder.
    """
    import shlex

    from crawler.notifications import deliver_after_run
    from crawler.runs import stopping
    from crawler.sites import read_rulebook

    try:
        from storage import bulk
    except ImportError as error:
        raise OperatorError(f"load needs {error.name}: pip install 'copydesk[parquet]'") from error
    path = Path(folder)
    settings = Settings(site_rules=read_rulebook(None if sites_file is None else os.fspath(sites_file)))
    bulk.open_folder(path)  # a folder that is none is a mistake before there is a database
    engine = open_database(_url(db), unfinished=True)
    try:
        plan = bulk.plan_load(engine, path, settings)
        job = shlex.join(["load", str(folder)])
        with stopping() as is_stopped:
            done = bulk.load(
                engine,
                plan,
                settings,
                connections=connections or bulk.CONNECTIONS,
                command=job,
                job=job,
                is_stopped=is_stopped,
            )
        if done.merged:
            deliver_after_run(engine)
        return done
    finally:
        engine.dispose()
