"""Copydesk as a library (`copydesk.library`), and the command line: one file for each command.

copydesk.extract(page)          the article of a page
copydesk.ingest(paths, db)      store the articles of files, folders or records
copydesk.crawl(sites, db)       store the news of sites
copydesk.backfill(paths, out)   what ingest would store of very many documents, as Parquet; on a cluster too
copydesk.load(folder, db)       store what a backfill made
copydesk.open(db)               a database: articles, stories, search, changes, feeds, watchlists, signatures
copydesk.compare(a, b)          whether two texts are copies, and how they differ
copydesk.sketch(text)           the signature of a text as datasketch's objects
copydesk.shingle_hashes(text)   what a signature is made of

DocumentRejected, DatabaseError and OperatorError are what they raise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copydesk.library import (
        Article,
        ChangedArticle,
        Copy,
        Database,
        DatabaseError,
        DocumentRejected,
        Hit,
        MatchedStory,
        OperatorError,
        RemovedLine,
        Sketch,
        StoredArticle,
        StoredRevision,
        Story,
        TextComparison,
        Watchlist,
        Watchlists,
        backfill,
        compare,
        crawl,
        extract,
        ingest,
        load,
        open,
        shingle_hashes,
        sketch,
    )

    __version__: str

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
    "__version__",
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


def __getattr__(name: str) -> object:
    """Imports the library when it is used: commands start without it."""
    if name == "__version__":
        from importlib.metadata import version

        return version("copydesk")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from copydesk import library

    return getattr(library, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
