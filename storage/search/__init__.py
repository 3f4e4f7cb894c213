"""Full-text search: words, the query language, and the index that is written with every article."""

from storage.search.index import best, check, compact, drop, put, rebuild
from storage.search.query import Snippet, parse, snippet

__all__ = [
    "Snippet",
    "best",
    "check",
    "compact",
    "drop",
    "parse",
    "put",
    "rebuild",
    "snippet",
]
