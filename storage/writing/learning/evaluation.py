"""Evaluates the blocks of a site, without a database: which lines they show to belong to the page.

`storage.writing.learning.blocks` calls it with what is stored, `storage.bulk` with files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.sites import (
    ArticleLines,
    LineCodes,
    RepeatedLine,
    find_repeated_lines,
    is_learnable,
    line_codes,
    line_hash,
    short_line_hash,
    title_key,
)
from pipeline.text import words_key

# Most articles that are read to find the full hash of a line. Sightings keep 29 bits, which rarely collide.
_ASKED = 3

# Rows of `learned_line`, by block and hash.
BlockRows = dict[int, dict[int, dict[str, Any]]]

# The sightings of a block, by article.
SightingsOf = Callable[[int], Sequence[ArticleLines]]

# The hashes of the learnable lines of articles, by article.
HashesOf = Callable[[Iterable[int]], Mapping[int, Collection[int]]]


@dataclass(frozen=True, slots=True)
class Inspected:
    """The sighting of an article by itself. block: site and quarter. lines: none is marked as shared."""

    id: int
    block: tuple[str, int]
    group_id: int
    title: int
    lines: LineCodes


def inspect_text(
    id: int, site: str, group_id: int, title: str, first_seen_at: datetime, lines: Sequence[str]
) -> Inspected:
    """The sighting of an article. lines: as if none had been learned (`restore_learned_lines`)."""
    quarter = first_seen_at.year * 4 + (first_seen_at.month - 1) // 3
    return Inspected(id, (site, quarter), group_id, title_key(title), line_codes(lines))


def learnable_lines_of(lines: Sequence[str]) -> dict[int, str]:
    """The learnable lines of an article, by hash. lines: as in `inspect_text`."""
    distinct = {words_key(line): line for line in reversed(lines)}
    return {line_hash(fold): line for fold, line in distinct.items() if is_learnable(fold)}


def evaluate_blocks(
    rows: BlockRows, changed: Collection[int], sightings_of: SightingsOf, hashes_of: HashesOf
) -> BlockRows:
    """The rows of `learned_line` of a site after the changed blocks were evaluated.

    The other blocks are evaluated for the lines that are new, because they may have come with a story there.
    rows: before, of every block of the site.
    """
    rows = dict(rows)
    known = furniture(rows)
    todo = set(changed)
    while todo:
        id = min(todo)
        todo.discard(id)
        rows[id] = _evidence_rows(id, sightings_of(id), known, hashes_of)
        new = furniture({id: rows[id]}) - known
        if new:
            known |= new
            todo |= rows.keys() - {id}
    known = furniture(rows)
    return {id: {hash: row for hash, row in said.items() if hash in known} for id, said in rows.items()}


def clutter(rows: BlockRows) -> set[int]:
    """The learned lines of a site. rows: its rows of `learned_line`, by block and hash."""
    shared = {hash for said in rows.values() for hash, row in said.items() if row["is_shared"]}
    return furniture(rows) - shared


def furniture(rows: BlockRows) -> set[int]:
    """The lines that some block shows to belong to the page and not to its stories."""
    return {hash for said in rows.values() for hash, row in said.items() if row["stories"]}


def _evidence_rows(
    block_id: int, sightings: Sequence[ArticleLines], known: set[int], hashes_of: HashesOf
) -> dict[int, dict[str, Any]]:
    """What a block says about lines, as rows of `learned_line` by hash. known: learned lines of the site."""
    of_short = {short_line_hash(hash): hash for hash in sorted(known)}
    seen = find_repeated_lines(sightings, of_short.keys())
    hashes = _hashes({key: one for key, one in seen.items() if key not in of_short}, hashes_of)
    rows = {}
    for key, one in seen.items():
        hash = of_short.get(key, hashes.get(key))
        if hash is not None:
            rows[hash] = {
                "block_id": block_id,
                "hash": hash,
                "stories": one.stories,
                "is_shared": one.is_shared,
                "example": one.bearers[0],
            }
    return rows


def _hashes(seen: Mapping[int, RepeatedLine], hashes_of: HashesOf) -> dict[int, int]:
    """The full hashes of lines by their short ones: those that most of some articles with the line have."""
    asked = {key: _some_bearers(one.bearers) for key, one in seen.items()}
    read = hashes_of({id for ids in asked.values() for id in ids}) if asked else {}
    found: dict[int, int] = {}
    for key, ids in asked.items():
        said = Counter(hash for id in ids for hash in read.get(id, ()) if short_line_hash(hash) == key)
        if said:
            found[key] = min(said, key=lambda hash: (-said[hash], hash))
    return found


def _some_bearers(bearers: Sequence[int]) -> set[int]:
    step = max(1, (len(bearers) - 1) // (_ASKED - 1))
    return set(bearers[::step][:_ASKED])
