"""Tombstones: articles and sites that were forgotten, and must not be stored again.

Pruned pages need no table: the row of the page is deleted, and references to it become null.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tombstone",
        sa.Column("key", sa.LargeBinary, primary_key=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column(
            "at", sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql"), nullable=False
        ),
        sa.Column("reason", sa.Text),
        sa.Column("alias_of", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_index("tombstone_alias", "tombstone", ["alias_of"])


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
