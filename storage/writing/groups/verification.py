"""Verifies candidate pairs by exact comparison, with a cache of prepared texts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import (
    Connection,
    select,
)

from pipeline import copies
from pipeline.copies import ArticleCopy, Pair, PreparedText
from pipeline.settings import Settings
from storage import schema
from storage.base import chunks
from storage.writing.groups.index import IdPair
from storage.writing.revisions import IndexedStory

# A prepared text is some arrays of a few KB. New stories are mostly compared with those of the last hours.
_CACHE_SIZE = 4096

_CacheKey = tuple[Any, ...]

_cache: OrderedDict[_CacheKey, PreparedText] = OrderedDict()

_cache_lock = Lock()


def verify_pairs(
    connection: Connection,
    proposed: Iterable[IdPair],
    stories: Mapping[int, IndexedStory],
    settings: Settings,
) -> dict[IdPair, Pair]:
    """The verified ones of the pairs, with their evidence."""
    wanted = sorted(proposed)
    prepared = _prepared_texts(connection, {id for pair in wanted for id in pair}, stories, settings)
    found = {}
    for a, b in wanted:
        if a in prepared and b in prepared:
            pair = copies.verify(prepared[a], prepared[b], settings.group)
            if pair is not None:
                found[a, b] = pair
    return found


def _prepared_texts(
    connection: Connection, ids: Iterable[int], stories: Mapping[int, IndexedStory], settings: Settings
) -> dict[int, PreparedText]:
    """Prepared texts by article id, from the cache if the stored text is the cached one."""
    found: dict[int, PreparedText] = {}
    missing: dict[int, _CacheKey] = {}
    stored = []
    for id in ids:
        if id in stories:
            indexed = stories[id]
            key = _cache_key(indexed.text_hash, indexed.story.published_at, settings)
            found[id] = _cached(key) or _remember(key, _prepared(indexed.story, settings))
        else:
            stored.append(id)
    table = schema.article
    for part in chunks(stored):
        for id, hash, published_at in connection.execute(
            select(table.c.id, table.c.text_hash, table.c.published_at).where(table.c.id.in_(part))
        ):
            key = _cache_key(hash, published_at, settings)
            cached = _cached(key)
            if cached is not None:
                found[id] = cached
            else:
                missing[id] = key
    for part in chunks(missing):
        for row in connection.execute(
            select(
                table.c.id,
                table.c.url,
                table.c.title,
                table.c.text,
                table.c.first_seen_at,
                table.c.published_at,
                table.c.language,
                table.c.agency,
                table.c.site,
            ).where(table.c.id.in_(part))
        ):
            found[row.id] = _remember(missing[row.id], _prepared(ArticleCopy(*row), settings))
    return found


def _prepared(story: ArticleCopy, settings: Settings) -> PreparedText:
    return copies.prepare(story, settings.fingerprint)


def _cache_key(hash: bytes, published_at: datetime | None, settings: Settings) -> _CacheKey:
    # All that a prepared text depends on, so an entry is right for any database, and after any change.
    return (hash, published_at, settings.group, settings.fingerprint)


def _cached(key: _CacheKey) -> PreparedText | None:
    with _cache_lock:
        found = _cache.get(key)
        if found is not None:
            _cache.move_to_end(key)
        return found


def _remember(key: _CacheKey, prepared: PreparedText) -> PreparedText:
    with _cache_lock:
        _cache[key] = prepared
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    return prepared
