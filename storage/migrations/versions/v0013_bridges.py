"""What two copies share of each, and which pairs do not join a group because a text holds several stories.

New last columns of `copies`. Pairs that are stored already join as before, and their passages are not known;
`copydesk reprocess --fingerprints` makes them anew. The indexes are partial: most pairs hold nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COPIES = """
    SELECT a AS article_id, b AS other_id, kind, jaccard, containment,
           a_start AS article_from, a_end AS article_to, b_start AS other_from, b_end AS other_to,
           cut IS NULL AS joins
    FROM pair
"""


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for name in ("a_start", "a_end", "b_start", "b_end", "holder", "cut"):
        op.add_column("pair", sa.Column(name, whole))
    for column in ("holder", "cut"):
        for end in ("a", "b"):
            known = sa.text(f"{column} IS NOT NULL")
            name = f"pair_{column}_{end}"
            op.create_index(name, "pair", [end], sqlite_where=known, postgresql_where=known)
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"CREATE OR REPLACE VIEW copies AS {_COPIES}")  # in place: who was granted it keeps it
    else:
        op.execute("DROP VIEW copies")
        op.execute(f"CREATE VIEW copies AS {_COPIES}")


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
