"""Site learning: the lines of each article as digests, and the lines that were learned from them.

    sight_block   a quarter of a year of one site, the unit of learning; how many articles it had when it was
                  last evaluated, and how many have changed since
    sighting      one row for each article: its lines, 4 bytes each (`pipeline.sites.evidence`)
    learned_line  what a block says about a line: how many of its stories have it

No text is stored: the wording of a learned line is read from the article in `example`. `sighting` has no
foreign key, because it must stay when its article is deleted: its block and group are evaluated again then.
The counter `learned` is the last number of `change` that was evaluated. An upgraded database begins at its
first article.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "sight_block",
        sa.Column("id", whole, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("quarter", sa.Integer, nullable=False),
        sa.Column("articles", whole, nullable=False),
        sa.Column("changes", whole, nullable=False),
    )
    op.create_index("sight_block_site", "sight_block", ["site", "quarter"], unique=True)
    op.create_table(
        "sighting",
        sa.Column("article_id", whole, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("block_id", whole, nullable=False),
        sa.Column("group_id", whole, nullable=False),
        sa.Column("title", whole, nullable=False),
        sa.Column("lines", sa.LargeBinary, nullable=False),
    )
    op.create_index("sighting_block", "sighting", ["block_id"])
    op.create_table(
        "learned_line",
        sa.Column("block_id", whole, primary_key=True, nullable=False),
        sa.Column("hash", whole, primary_key=True, nullable=False),
        sa.Column("stories", whole, nullable=False),
        sa.Column("is_shared", sa.Boolean, nullable=False),
        sa.Column("example", whole, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
