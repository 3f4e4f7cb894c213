"""Headers of the response beside each page, beside the command of a run the job that it did, and an index of
rejections by time.

Pages from before have no headers. A run was named by its job, which is now a column of its own, so that
`command` can be what was given.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("page", sa.Column("headers", json))
    op.add_column("run", sa.Column("job", sa.Text()))
    op.execute("UPDATE run SET job = command")
    # The desk lists the latest rejections first.
    op.create_index("rejection_at", "rejection", ["at_us"])


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
