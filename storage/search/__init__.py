"""Full-text search: the query language, and the index that is written with every article.

The words themselves are made in `pipeline.text.search_words`.
"""

from storage.search.index import (
    add_to_index,
    compact_index,
    count_matches,
    find_index_faults,
    matching_articles,
    rank_matches,
    rebuild_index,
    remove_from_index,
    tsvector,
    words_digest,
)
from storage.search.query import Query, Snippet, Term, make_snippet, parse_query

__all__ = [
    "Query",
    "Snippet",
    "Term",
    "add_to_index",
    "compact_index",
    "count_matches",
    "find_index_faults",
    "make_snippet",
    "matching_articles",
    "parse_query",
    "rank_matches",
    "rebuild_index",
    "remove_from_index",
    "tsvector",
    "words_digest",
]
