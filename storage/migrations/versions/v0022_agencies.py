"""An index of agencies, and on SQLite one of the sizes of pages, for the desk.

article_agency   the articles that credit an agency, the newest first: a list of an agency nobody credits
                 read all stories, and one of its articles all articles. Partial: most credit none.
page_size        how many pages are stored, and their bytes. Without it SQLite reads every page for that.
                 PostgreSQL counts them by its primary key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    credited = sa.text("agency IS NOT NULL")
    op.create_index(
        "article_agency",
        "article",
        ["agency", "published_at"],
        sqlite_where=credited,
        postgresql_where=credited,
    )
    if op.get_context().dialect.name == "sqlite":
        op.create_index("page_size", "page", ["size"])


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
