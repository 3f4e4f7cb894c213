"""A small typed way to read a database, for the pipeline, the command line and other programs.

    articles, article, article_by_url, article_by_location    articles, by id, URL, location or a filter
    search                                                    articles by their words, the best first
    groups, group, members, copies                            stories, who carries them, and the evidence
    sketch, sketches                                          signatures as datasketch's objects
    changes, changed_articles, last_change                    what is new, different or gone since then
    removed, rejections, runs, counts                         what was removed or rejected, and how much
    rows                                                      any public view as dictionaries, for exports

Rows are frozen dataclasses with the columns of the public views. What returns an iterator streams: it holds
one connection and some rows (50 of articles, 500 of others) until it is exhausted or closed, and sees the
database as it was when it began. Nothing here waits for a writer, or makes one wait. `storage.export` writes
files.
"""

from storage.base import SourceKey, source_key
from storage.reader.article_rows import (
    article,
    article_by_location,
    article_by_url,
    articles,
    removed,
    rules_version,
)
from storage.reader.change_rows import ChangedArticle, changed_articles, changes, database_id, last_change
from storage.reader.filters import EVERY_ARTICLE, ArticleFilter
from storage.reader.group_rows import copies, group, groups, members
from storage.reader.known_documents import (
    FetchState,
    document,
    document_of,
    fetch_state,
    known,
    known_urls,
)
from storage.reader.run_rows import Counts, counts, rejections, run, runs
from storage.reader.searching import Hit, search
from storage.reader.sketch_rows import sketch, sketches
from storage.reader.view_rows import rows
from storage.schema import Change, Copy, RemovedLine, RunRow, StoredArticle, StoredRejection, StoryGroup
from storage.search import Snippet

__all__ = [
    "EVERY_ARTICLE",
    "ArticleFilter",
    "Change",
    "ChangedArticle",
    "Copy",
    "Counts",
    "FetchState",
    "Hit",
    "RemovedLine",
    "RunRow",
    "Snippet",
    "SourceKey",
    "StoredArticle",
    "StoredRejection",
    "StoryGroup",
    "article",
    "article_by_location",
    "article_by_url",
    "articles",
    "changed_articles",
    "changes",
    "copies",
    "counts",
    "database_id",
    "document",
    "document_of",
    "fetch_state",
    "group",
    "groups",
    "known",
    "known_urls",
    "last_change",
    "members",
    "rejections",
    "removed",
    "rows",
    "rules_version",
    "run",
    "runs",
    "search",
    "sketch",
    "sketches",
    "source_key",
]
