"""Full-text search: the search words of each article, also for the articles that are stored already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage import search

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    article_id = sa.Column(
        "article_id",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        sa.ForeignKey("article.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    op.create_table(
        "search_entry",
        article_id,
        sa.Column("digest", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
    )
    if connection.dialect.name == "postgresql":
        op.execute(
            "CREATE TABLE search_words ("
            " article_id bigint PRIMARY KEY REFERENCES article (id) ON DELETE CASCADE,"
            " words tsvector NOT NULL)"
        )
        # A tsvector has each word once, so compression would gain nothing.
        op.execute("ALTER TABLE search_words ALTER COLUMN words SET STORAGE EXTERNAL")
    else:
        # Copydesk prepares the words: `ascii` splits at blanks, and takes every other character as a letter.
        op.execute(
            "CREATE VIRTUAL TABLE search_words USING fts5 (title, text, content = '', tokenize = 'ascii')"
        )
    search.rebuild_index(connection)
    if connection.dialect.name == "postgresql":
        op.execute("CREATE INDEX search_words_words ON search_words USING gin (words)")


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
