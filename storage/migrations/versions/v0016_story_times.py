"""An index of stories by their time: the front page of the desk reads the newest fifty, and not all of them.

The time of a story is that of its canonical copy; see `storage.reader.story_rows`.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # PostgreSQL tells a boolean from a number, SQLite has numbers only.
    canonical = "is_canonical" if op.get_bind().dialect.name == "postgresql" else "is_canonical = 1"
    op.execute(
        "CREATE INDEX article_story ON article (coalesce(published_at, first_seen_at), group_id)"
        f" WHERE {canonical}"
    )


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
