"""The first tables, their indexes and the public views.

This file never changes; later migrations change what it creates. PostgreSQL's b-trees refuse values of more
than 2,700 bytes, and URLs and paths may be longer. So hash indexes find them there and keep them unique.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ARTICLES = """
    SELECT id, url, location, publisher, site, title, text, authors, byline, dateline, agency, published_at,
           language, group_id, is_canonical, word_count, access, first_seen_at, updated_at, revision
    FROM article
"""

_VIEWS = {
    "articles": _ARTICLES,
    "unique_articles": _ARTICLES + " WHERE is_canonical",
    "story_groups": """
        SELECT group_id AS id,
               count(*) AS size,
               count(DISTINCT site) AS sites,
               coalesce(max(CASE WHEN is_canonical THEN agency END), min(agency)) AS agency,
               min(published_at) AS first_published_at,
               max(CASE WHEN is_canonical THEN id END) AS canonical_article_id
        FROM article GROUP BY group_id
    """,
    "copies": "SELECT a AS article_id, b AS other_id, kind, jaccard, containment FROM pair",
    "removed_text": "SELECT article_id, position, rule, text FROM removal",
    "rejections": "SELECT location, url, stage, reason, detail, run_id, at FROM rejection",
    "runs": """
        SELECT id, command, started_at, finished_at, seen, stored, revised, updated, unchanged, rejected,
               grouped, reasons
        FROM run
    """,
}


def _time() -> sa.types.TypeEngine[Any]:
    return sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def _json() -> sa.types.TypeEngine[Any]:
    return sa.Text().with_variant(postgresql.JSONB(), "postgresql")


def _whole() -> sa.types.TypeEngine[Any]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("text_hash", sa.LargeBinary, nullable=False),
        sa.Column("fetched_us", _whole(), nullable=False),
        sa.Column("seen_at", _time(), nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("publisher", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("authors", _json(), nullable=False),
        sa.Column("byline", sa.Text),
        sa.Column("dateline", sa.Text),
        sa.Column("agency", sa.Text),
        sa.Column("published_at", _time()),
        sa.Column("published_source", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("access", sa.Text, nullable=False),
        sa.Column("syndicated_from", sa.Text),
        sa.Column("word_count", _whole(), nullable=False),
        sa.Column("rules_version", sa.Text, nullable=False),
        sa.Column("page_id", _whole(), sa.ForeignKey("page.id")),
        sa.Column("text", sa.Text, nullable=False),
    ]


def _article_id() -> sa.Column[Any]:
    return sa.Column("article_id", _whole(), sa.ForeignKey("article.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    on_postgres = op.get_context().dialect.name == "postgresql"

    op.create_table(
        "counter",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        sa.Column("value", _whole(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run",
        sa.Column("id", _whole(), primary_key=True, autoincrement=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("started_at", _time(), nullable=False),
        sa.Column("finished_at", _time()),
        *(
            sa.Column(name, _whole(), nullable=False)
            for name in ("seen", "stored", "revised", "updated", "unchanged", "rejected", "grouped")
        ),
        sa.Column("reasons", _json(), nullable=False),
    )
    op.create_table(
        "page",
        sa.Column("id", _whole(), primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("encoding", sa.Text),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("fetched_us", _whole(), nullable=False),
        sa.Column("publisher", sa.Text),
        sa.Column("claims", _json()),
        sa.Column("size", _whole(), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "article",
        sa.Column("id", _whole(), primary_key=True, autoincrement=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("group_id", _whole(), nullable=False),
        sa.Column("is_canonical", sa.Boolean, nullable=False),
        sa.Column("first_seen_at", _time(), nullable=False),
        sa.Column("updated_at", _time(), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        *_text_columns(),
    )
    op.create_table(
        "revision",
        _article_id(),
        *_text_columns(),
        sa.Column("removed", _json(), nullable=False),
        sa.Column("sketch", sa.Text),
        sa.Column("signature", sa.LargeBinary),
        sa.Column("bands", sa.LargeBinary),
        sa.PrimaryKeyConstraint("article_id", "text_hash"),
    )
    # The primary keys of PostgreSQL's `document` and `rejection` are the hash indexes below.
    op.create_table(
        "document",
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("fetched_us", _whole(), nullable=False),
        _article_id(),
        sa.Column("text_hash", sa.LargeBinary, nullable=False),
        sa.Column("rules_version", sa.Text, nullable=False),
        sa.Column("alias", sa.Text),
        *([] if on_postgres else [sa.PrimaryKeyConstraint("location", "digest")]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rejection",
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("at_us", _whole(), nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("run_id", _whole(), sa.ForeignKey("run.id"), nullable=False),
        sa.Column("at", _time(), nullable=False),
        sa.Column("rules_version", sa.Text, nullable=False),
        sa.Column("page_id", _whole(), sa.ForeignKey("page.id")),
        *([] if on_postgres else [sa.PrimaryKeyConstraint("location")]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "removal",
        _article_id(),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("position", _whole(), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("article_id", "line"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sketch",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "signature",
        _article_id(),
        sa.Column("sketch_id", sa.Integer, sa.ForeignKey("sketch.id"), nullable=False),
        sa.Column("position", _whole(), nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("article_id"),
    )
    op.create_table(
        "band",
        sa.Column("key", _whole(), nullable=False),
        sa.Column("position", _whole(), nullable=False),
        sa.Column("article_id", _whole(), nullable=False),
        sa.PrimaryKeyConstraint("key", "position", "article_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pair",
        sa.Column("a", _whole(), sa.ForeignKey("article.id", ondelete="CASCADE"), nullable=False),
        sa.Column("b", _whole(), sa.ForeignKey("article.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("jaccard", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("containment", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("a", "b"),
        sa.CheckConstraint("a < b", name="pair_once"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fetch_state",
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("etag", sa.Text),
        sa.Column("last_modified", sa.Text),
        sa.Column("fetched_at", _time(), nullable=False),
        *([] if on_postgres else [sa.PrimaryKeyConstraint("url")]),
        sqlite_with_rowid=False,
    )

    if on_postgres:
        op.execute("ALTER TABLE article ADD CONSTRAINT article_url EXCLUDE USING hash (url WITH =)")
        op.execute(
            "ALTER TABLE rejection ADD CONSTRAINT rejection_location EXCLUDE USING hash (location WITH =)"
        )
        op.execute("ALTER TABLE fetch_state ADD CONSTRAINT fetch_state_url EXCLUDE USING hash (url WITH =)")
        op.execute("CREATE INDEX document_location ON document USING hash (location)")
        op.execute("CREATE INDEX document_alias ON document USING hash (alias) WHERE alias IS NOT NULL")
        op.execute(
            "CREATE INDEX article_syndicated_from ON article USING hash (syndicated_from)"
            " WHERE syndicated_from IS NOT NULL"
        )
        # The bodies are compressed already, so a second compression would only cost time.
        op.execute("ALTER TABLE page ALTER COLUMN body SET STORAGE EXTERNAL")
    else:
        op.create_index("article_url", "article", ["url"], unique=True)
        op.execute("CREATE INDEX document_alias ON document (alias) WHERE alias IS NOT NULL")
        op.execute(
            "CREATE INDEX article_syndicated_from ON article (syndicated_from)"
            " WHERE syndicated_from IS NOT NULL"
        )
    op.create_index("article_group", "article", ["group_id"])
    op.create_index("article_published", "article", ["published_at", "id"])
    op.create_index("article_site", "article", ["site", "published_at"])
    op.create_index("article_language", "article", ["language", "published_at"])
    op.create_index("article_updated", "article", ["updated_at", "id"])
    op.create_index("article_page", "article", ["page_id"])
    op.create_index("revision_page", "revision", ["page_id"])
    op.create_index("rejection_page", "rejection", ["page_id"])
    op.create_index("rejection_run", "rejection", ["run_id"])
    op.create_index("document_article", "document", ["article_id"])
    op.create_index("pair_b", "pair", ["b"])
    for name, query in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
