"""The folder of a backfill, made of a database: what loading has to bring back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, select

from pipeline.batch import outcomes_table, pages_table
from pipeline.document import Outcome
from pipeline.settings import Settings
from pipeline.text import make_search_words
from storage import schema, search
from storage.base import claims_json, microseconds
from storage.bulk import LEARNED, PUBLIC, ROWS
from storage.bulk.loading import site_rules_digest
from tests.storage.news import SETTINGS, view

# Parts of each dataset.
PARTS = 3

Rows = list[dict[str, Any]]

_SCHEMAS = {**ROWS, **LEARNED}


def folder_of(engine: Engine, outcomes: Sequence[Outcome], path: Path, settings: Settings = SETTINGS) -> Path:
    """Writes the folder. engine: a database that was empty, and got these outcomes in this order."""
    tables = {name: _rows(engine, name) for name in _SCHEMAS}
    public = {name: view(engine, name) for name in PUBLIC}
    by_id = {row["id"]: row for row in tables["article"]}
    at_location = {row["location"]: row for row in tables["rejection"]}
    pages = _pages(tables["page"], outcomes)
    for name in ("article", "revision", "rejection"):
        for row in tables[name]:
            row["page_id"] = pages[row["page_id"]][0] if row["page_id"] is not None else None
    tables["page"] = sorted((page for _, page in pages.values()), key=lambda row: row["id"])
    public["articles"].sort(key=lambda row: row["id"])
    public["rejections"].sort(key=lambda row: row["location"])
    public["copies"].sort(key=lambda row: (row["article_id"], row["other_id"]))
    tables["article"] = [by_id[row["id"]] for row in public["articles"]]
    tables["rejection"] = [at_location[row["location"]] for row in public["rejections"]]
    public["removed_text"] = tables["removal"]
    versions = {row["id"]: row["version"] for row in _rows(engine, "sketch")}
    for row in tables["signature"]:
        row["sketch"] = versions[row["sketch_id"]]
    for row in tables["search_entry"]:
        article = by_id[row["article_id"]]
        words = make_search_words(article["title"], article["text"])
        assert search.words_digest(words) == row["digest"]
        row |= {"title": words.title, "text": words.text}
    for row in tables["revision"]:
        row["removed"] = [
            dict(zip(("position", "text", "rule"), line, strict=True)) for line in row["removed"]
        ]
    key = {"sighting": "block_id", "article": "id", "page": "id", "sight_block": "id"}
    for name, rows in tables.items():
        beside = {"article": "id", "rejection": "location", "removal": "article_id", "pair": "a"}
        kind = _SCHEMAS[name]
        _write(path / "rows" / name, rows, kind, beside.get(name) or key.get(name) or kind.names[0])
    for name, by in (
        ("articles", "id"),
        ("rejections", "location"),
        ("removed_text", "article_id"),
        ("copies", "article_id"),
        ("story_groups", "id"),
        ("revisions", "article_id"),
    ):
        _write(path / name, public[name], PUBLIC[name], by)
    sequences = range(len(outcomes))
    for name, table in (
        ("outcomes", outcomes_table(outcomes, sequences)),
        ("pages", pages_table(outcomes, sequences)),
    ):
        (path / name).mkdir()
        half = len(table) // 2
        for n, part in enumerate((table.slice(0, half), table.slice(half))):
            pq.write_table(part, path / name / f"{n:06}.parquet", row_group_size=7)
    _write_manifest(engine, path, settings)
    return path


def _write_manifest(engine: Engine, path: Path, settings: Settings) -> None:
    (run,) = view(engine, "runs")
    grouped = sum(row["size"] for row in view(engine, "story_groups") if row["size"] > 1)
    ends = ("stored", "revised", "updated", "unchanged", "rejected")
    manifest = {
        "format": 1,
        "is_complete": True,
        "versions": {
            "rules": settings.rules_version,
            "fingerprint": settings.fingerprint.version,
            "group": settings.group.version,
        },
        "settings": {"site_rules": site_rules_digest(settings)},
        "counts": {
            "documents": {end: run[end] for end in ends},
            "reasons": run["reasons"],
            "grouped": grouped,
        },
    }
    (path / "manifest.json").write_text(json.dumps(manifest))


def _rows(engine: Engine, name: str) -> Rows:
    table = schema.metadata.tables[name]
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(table)).mappings()]
    return sorted(rows, key=lambda row: tuple(row[column.name] for column in table.primary_key))


def _pages(stored: Rows, outcomes: Sequence[Outcome]) -> dict[int, tuple[int, dict[str, Any]]]:
    """By id in the database: the rank of its outcome among pages, and its row as a folder has it."""
    found = {}
    for row in stored:
        last = max(
            n
            for n, outcome in enumerate(outcomes)
            if (page := outcome.page) is not None
            and (outcome.location, page.sha256, microseconds(page.fetched_at))
            == (row["location"], row["sha256"], row["fetched_us"])
        )
        page = outcomes[last].page
        assert page is not None
        claims = claims_json(page.claims)
        assert claims == row["claims"]
        texts = {
            "claims": claims and json.dumps(claims),
            "headers": row["headers"] and json.dumps(row["headers"]),
        }
        found[row["id"]] = (last, {**row, **texts, "sequence": last})
    rank = {sequence: n for n, sequence in enumerate(sorted(last for last, _ in found.values()), 1)}
    return {id: (rank[last], {**row, "id": rank[last]}) for id, (last, row) in found.items()}


def _write(folder: Path, rows: Rows, kind: pa.Schema, by: str) -> None:
    """The rows in parts, sorted as they come; those with the same value of `by` in one part."""
    folder.mkdir(parents=True)
    names = kind.names
    for part in range(PARTS):
        chosen = [row for row in rows if hash(_stable(row, by)) % PARTS == part]
        values = [{name: _plain(row[name], kind.field(name).type) for name in names} for row in chosen]
        pq.write_table(
            pa.Table.from_pylist(values, schema=kind), folder / f"{part:06}.parquet", row_group_size=5
        )


def _stable(row: Mapping[str, Any], by: str) -> int:
    value = row[by]
    return value if isinstance(value, int) else sum(str(value).encode())


def _plain(value: Any, kind: pa.DataType) -> Any:
    if hasattr(value, "year") and pa.types.is_integer(kind):
        return microseconds(value)
    return value
