"""Revisions: which texts each URL has, and how each location ended.

`load` reads what a batch of outcomes can change, `settle` decides in memory what each outcome means, and
`flush` writes the difference. `index_changes` says what the near-duplicate index has to learn of it.
"""

from storage.writing.revisions.fingerprints import load_fingerprints, pack_keys, unpack_keys
from storage.writing.revisions.flushing import flush, index_changes, note_news
from storage.writing.revisions.loading import load, load_stories
from storage.writing.revisions.pending import IndexChanges, IndexedStory, PendingArticle, PendingBatch
from storage.writing.revisions.rows import article_values, page_row
from storage.writing.revisions.settling import settle

__all__ = [
    "IndexChanges",
    "IndexedStory",
    "PendingArticle",
    "PendingBatch",
    "article_values",
    "flush",
    "index_changes",
    "load",
    "load_fingerprints",
    "load_stories",
    "note_news",
    "pack_keys",
    "page_row",
    "settle",
    "unpack_keys",
]
