"""Agencies and sites in the index of groups, so that choosing a group's canonical copy reads no article.

Whenever a copy joins a group, the agencies and sites of the group are read. For a text that was printed
100,000 times, every batch read as many rows of `article`. Now it reads a stretch of the index.
docs/tuning.md: Index of groups.
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("article_group", "article")
    op.create_index("article_group", "article", ["group_id", "is_canonical", "agency", "site"])


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
