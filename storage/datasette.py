"""Metadata for Datasette (https://datasette.io), which shows a SQLite database in the browser and as JSON.

It has the documentation of the views and their columns from `storage.schema`, with facets, a sort order and a
few queries. The private tables are hidden, but Datasette still serves a table to anybody who knows its name.
So if some readers may not see the whole database, export the views instead. `examples/datasette.json` is made
for `copydesk.db`.
"""

from __future__ import annotations

import json
from typing import Any

from storage.schema import VIEWS, View, metadata

# How each view is first shown. Datasette sorts views only by the columns listed here.
_SHOWN: dict[str, dict[str, Any]] = {
    "articles": {
        "facets": ["site", "language", "agency", "access"],
        "sort_desc": "published_at",
        "sortable_columns": ["id", "published_at", "first_seen_at", "updated_at", "group_id", "word_count"],
        "size": 25,
    },
    "unique_articles": {
        "facets": ["site", "language", "agency", "access"],
        "sort_desc": "published_at",
        "sortable_columns": ["id", "published_at", "first_seen_at", "updated_at", "word_count"],
        "size": 25,
    },
    "story_groups": {"facets": ["agency"], "sortable_columns": ["id", "size", "sites", "first_published_at"]},
    "copies": {"facets": ["kind"], "sortable_columns": ["article_id", "other_id", "jaccard", "containment"]},
    "removed_text": {"facets": ["rule"], "sortable_columns": ["article_id", "rule"]},
    "rejections": {"facets": ["stage", "reason"], "sortable_columns": ["location", "at", "run_id"]},
    "changes": {"facets": ["kind"], "sort_desc": "change", "sortable_columns": ["change", "article_id"]},
    "runs": {"sort_desc": "id", "sortable_columns": ["id", "started_at"]},
    "site_runs": {
        "facets": ["site"],
        "sort_desc": "run_id",
        "sortable_columns": ["run_id", "site", "started_at", "stored", "rejected", "words", "bytes"],
    },
    "revisions": {"facets": ["is_current"], "sortable_columns": ["article_id", "revision", "seen_at"]},
}

_QUERIES = {
    "stories": {
        "title": "Stories with most copies",
        "description": "Each with its canonical copy. `sites`: how many outlets carry it.",
        "sql": """
            SELECT g.size, g.sites, a.title, g.agency, g.first_published_at, a.site, a.url, g.id AS group_id
            FROM story_groups g JOIN articles a ON a.id = g.canonical_article_id
            WHERE g.size > 1
            ORDER BY g.size DESC, g.id
            LIMIT 100""",
    },
    "copies_of_a_story": {
        "title": "All copies of a story",
        "description": "`group_id` as in stories and articles; the earliest first.",
        "sql": """
            SELECT published_at, site, title, word_count, is_canonical, agency, url
            FROM articles
            WHERE group_id = CAST(:group_id AS INTEGER)
            ORDER BY published_at IS NULL, published_at, id""",
    },
    "latest": {
        "title": "Latest articles of a site",
        "description": "`site` as in articles, like example.com.",
        "sql": """
            SELECT published_at, title, agency, language, word_count, is_canonical, url
            FROM articles
            WHERE site = :site
            ORDER BY published_at DESC, id DESC
            LIMIT 100""",
    },
    "search": {
        "title": "Articles with these words",
        "description": "The best first. Words in lower case and without accents, in the syntax of FTS5:"
        ' ferry AND strike, "port callan", harb*. copydesk search takes words as they are typed.',
        "sql": """
            SELECT a.title, a.site, a.published_at, a.agency, a.url, substr(a.text, 1, 300) AS beginning
            FROM search_words JOIN articles a ON a.id = search_words.rowid
            WHERE search_words MATCH :words
            ORDER BY bm25(search_words, 5.0, 1.0)
            LIMIT 50""",
    },
    "rules": {
        "title": "What was removed, by rule",
        "description": "How many lines each rule took out of how many articles, with an example.",
        "sql": """
            SELECT rule, count(*) AS lines, count(DISTINCT article_id) AS articles, min(text) AS example
            FROM removed_text
            GROUP BY rule
            ORDER BY lines DESC""",
    },
    "removed_by_rule": {
        "title": "The lines that a rule removed",
        "description": "`rule` as in rules, like phrase.en.register-now; the latest articles first.",
        "sql": """
            SELECT r.text, r.position, a.title, a.site, a.url
            FROM removed_text r JOIN articles a ON a.id = r.article_id
            WHERE r.rule = :rule
            ORDER BY r.article_id DESC, r.position
            LIMIT 200""",
    },
    "rejected": {
        "title": "Rejections by reason",
        "description": "How many documents were rejected at which stage, with an example.",
        "sql": """
            SELECT stage, reason, count(*) AS documents, min(location) AS example, min(detail) AS detail
            FROM rejections
            GROUP BY stage, reason
            ORDER BY documents DESC, stage, reason""",
    },
    "cut_short": {
        "title": "Copies that were cut short",
        "description": "The longer text has nine tenths of the shorter one and is half as long again.",
        "sql": """
            SELECT c.containment, a.site AS one, a.word_count AS one_words, b.site AS other,
                   b.word_count AS other_words, a.title, a.url AS one_url, b.url AS other_url
            FROM copies c
            JOIN articles a ON a.id = c.article_id
            JOIN articles b ON b.id = c.other_id
            WHERE c.containment >= 0.9
              AND (a.word_count >= 1.5 * b.word_count OR b.word_count >= 1.5 * a.word_count)
            ORDER BY c.article_id DESC
            LIMIT 100""",
    },
    "changed_since": {
        "title": "What changed since",
        "description": "`change`: the last one that you have seen, 0 for all.",
        "sql": """
            SELECT c.change, c.kind, c.article_id, coalesce(a.url, c.url) AS url, a.title, a.group_id,
                   a.is_canonical, c.at
            FROM changes c LEFT JOIN articles a ON a.id = c.article_id
            WHERE c.change > CAST(:change AS INTEGER)
            ORDER BY c.change
            LIMIT 1000""",
    },
}


def datasette_metadata(name: str = "copydesk") -> dict[str, Any]:
    """The metadata for `datasette --metadata`. name: the database's file name without its ending."""
    hidden = sorted({*metadata.tables, "alembic_version", "search_words"})
    shown = {view.name: _described(view) for view in VIEWS}
    queries = {key: {**query, "sql": _dedented(query["sql"])} for key, query in _QUERIES.items()}
    return {
        "title": "News articles, and who copied them",
        "description": "Made by Copydesk: clean articles, with the copies of one story grouped.",
        "databases": {
            name: {
                "description": "The views are for reading: their columns are a promise, and are documented.",
                "tables": {**shown, **{table: {"hidden": True} for table in hidden}},
                "queries": queries,
            }
        },
    }


def as_json(name: str = "copydesk") -> str:
    """The metadata as the text of a file."""
    return json.dumps(datasette_metadata(name), ensure_ascii=False, indent=2) + "\n"


def _described(view: View) -> dict[str, Any]:
    columns = {}
    for column in view.columns:
        unit = f"; {column.unit}" if column.unit else ""
        columns[column.name] = f"{column.meaning}{unit} (null: {column.null})"
    return {
        "description": f"{view.meaning[0].upper()}{view.meaning[1:]}.",
        "columns": columns,
        **_SHOWN.get(view.name, {}),
    }


def _dedented(sql: str) -> str:
    lines = sql.strip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines)
