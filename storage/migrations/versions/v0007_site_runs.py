"""The figures of each run at each site, one row for each run and site, and the view `site_runs`.

The primary key finds rows by run (the last weeks are one stretch of it), and the index finds them by site.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COUNTS = (
    "discovered",
    "fetched",
    "not_modified",
    "revisited",
    "gone",
    "stored",
    "revised",
    "updated",
    "unchanged",
    "rejected",
    "without_date",
    "without_author",
    "bytes",
    "sources",
    "sources_failed",
    "put_off",
)

_VIEW = """
    CREATE VIEW site_runs AS
    SELECT s.run_id, s.site, r.started_at, s.ended, s.discovered, s.fetched, s.not_modified, s.revisited,
           s.gone, s.stored, s.revised, s.updated, s.unchanged, s.rejected, s.reasons, s.words,
           s.without_date, s.without_author, s.bytes, s.seconds, s.sources, s.sources_failed, s.put_off,
           s.alerts
    FROM site_run AS s JOIN run AS r ON r.id = s.run_id
"""


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    json = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "site_run",
        sa.Column(
            "run_id", whole, sa.ForeignKey("run.id"), primary_key=True, autoincrement=False, nullable=False
        ),
        sa.Column("site", sa.Text, primary_key=True, nullable=False),
        sa.Column("ended", sa.Text),
        *(sa.Column(name, whole, nullable=False) for name in _COUNTS),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("words", sa.Double),
        sa.Column("reasons", json, nullable=False),
        sa.Column("alerts", json),
        sqlite_with_rowid=False,
    )
    op.create_index("site_run_site", "site_run", ["site", "run_id"])
    op.execute(_VIEW)


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
