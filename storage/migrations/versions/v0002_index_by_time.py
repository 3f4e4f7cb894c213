"""The near-duplicate index is in the order of time: the same table, other keys.

A key begins with the time of its article (see `pipeline.group`), so that what today's news touches does not
grow with the base. Nothing is done here to the rows that there are: their fingerprints are of another version,
whose keys meet no new ones, and `copydesk reprocess --fingerprints` renews them in place, some groups at a
time and from the stored texts, while readers go on reading. Until then nothing is added to the base.
"""

from __future__ import annotations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
