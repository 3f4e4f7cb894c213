"""The offset from UTC that a page states with its date of publication."""

from __future__ import annotations

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
