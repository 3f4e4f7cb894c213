"""Watchlists, what they matched, what they have to tell, and the tokens of feeds.

    watchlist      a saved search, and the ways on which news of it goes out
    watch_match    the articles that it matched, and whether their story was told
    notification   the outbox: a message that was decided on, with the bytes that every attempt sends
    delivery       how far a notification has come on one way
    feed_token     tokens that read feeds; only their digests

`change.news` is the number of the change with which a fetch brought the article a text that was not seen at
its URL before. Reprocessing and regrouping leave it alone, so they tell no old news again. It is null in
databases without watchlists: nothing that is stored at the time of this migration is news.

`watch_match` has no foreign key to `article`: that an article is gone is told after it was deleted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
    json = sa.Text().with_variant(postgresql.JSONB(), "postgresql")

    op.add_column("change", sa.Column("news", whole))
    op.create_index(
        "change_news",
        "change",
        ["news"],
        sqlite_where=sa.text("news IS NOT NULL"),
        postgresql_where=sa.text("news IS NOT NULL"),
    )
    op.create_table(
        "watchlist",
        sa.Column("id", whole, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("query", sa.Text),
        sa.Column("site", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("agency", sa.Text),
        sa.Column("min_sites", sa.Integer),
        sa.Column("tells", json, nullable=False),
        sa.Column("outlets", sa.Integer),
        sa.Column("ways", json, nullable=False),
        sa.Column("is_paused", sa.Boolean, nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("since", whole, nullable=False),
    )
    op.create_index("watchlist_name", "watchlist", ["name"], unique=True)
    op.create_table(
        "watch_match",
        sa.Column(
            "watchlist_id",
            whole,
            sa.ForeignKey("watchlist.id", ondelete="CASCADE"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("article_id", whole, primary_key=True, nullable=False),
        sa.Column("matched_at", time, nullable=False),
        sa.Column("is_told", sa.Boolean, nullable=False),
        sa.Column("is_told_of_outlets", sa.Boolean, nullable=False),
        sa.Column("is_told_of_removal", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("watch_match_article", "watch_match", ["article_id"])
    op.create_index("watch_match_latest", "watch_match", ["watchlist_id", "matched_at", "article_id"])
    op.create_table(
        "notification",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("watchlist_id", whole, sa.ForeignKey("watchlist.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("group_id", whole),
        sa.Column("article_id", whole, sa.ForeignKey("article.id", ondelete="CASCADE")),
        sa.Column("created_at", time, nullable=False),
        sa.Column("body", json, nullable=False),
    )
    op.create_index("notification_watchlist", "notification", ["watchlist_id", "created_at"])
    op.create_index("notification_article", "notification", ["article_id"])
    op.create_table(
        "delivery",
        sa.Column(
            "notification_id",
            sa.Text,
            sa.ForeignKey("notification.id", ondelete="CASCADE"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("way", sa.Text, primary_key=True, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", time, nullable=False),
        sa.Column("claimed_until", time),
        sa.Column("last_error", sa.Text),
        sa.Column("delivered_at", time),
    )
    op.create_index("delivery_due", "delivery", ["state", "due_at"])
    op.create_table(
        "feed_token",
        sa.Column("id", whole, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", time, nullable=False),
        sa.Column("last_used_at", time),
        sa.Column("revoked_at", time),
    )
    op.create_index("feed_token_name", "feed_token", ["name"], unique=True)
    op.create_index("feed_token_digest", "feed_token", ["digest"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
