"""The members of a group in the order of their times, and the agency that most of its outlets credit.

The indexes give the earliest copies of a group, among which its canonical copy is chosen, without reading the
others. They are partial on what always holds and no other query says, so that none takes them instead of the
indexes for readers. Canonical copies that are stored already stay until their group changes;
`copydesk reprocess --fingerprints` chooses all of them anew.

The agency of a group is the one that copies of most sites credit, of equals the canonical copy's own, and
null if that decides nothing. Sorting is avoided: the canonical copy adds half a site to its agency.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_AGENCY = """
           (SELECT CASE count(*) FILTER (WHERE score = most) WHEN 1
                   THEN min(agency) FILTER (WHERE score = most) END
            FROM (SELECT agency, score, max(score) OVER () AS most
                  FROM (SELECT member.agency,
                               2 * count(DISTINCT member.site)
                               + CASE WHEN member.agency = canonical.agency THEN 1 ELSE 0 END AS score
                        FROM article AS member
                        WHERE member.group_id = canonical.group_id AND member.agency IS NOT NULL
                        GROUP BY member.agency) AS credited) AS compared)
"""

_GROUPS_SQLITE = """
    CREATE VIEW story_groups AS
    SELECT canonical.group_id AS id,
           (SELECT count(*) FROM article AS member WHERE member.group_id = canonical.group_id) AS size,
           (SELECT count(DISTINCT member.site) FROM article AS member
            WHERE member.group_id = canonical.group_id) AS sites,
           AGENCY AS agency,
           (SELECT min(member.published_at) FROM article AS member
            WHERE member.group_id = canonical.group_id) AS first_published_at,
           canonical.id AS canonical_article_id
    FROM article AS canonical WHERE canonical.is_canonical
"""

_GROUPS_POSTGRESQL = """
    CREATE OR REPLACE VIEW story_groups AS
    SELECT canonical.group_id AS id, members.size, members.sites,
           AGENCY AS agency, members.first_published_at,
           canonical.id AS canonical_article_id
    FROM article AS canonical
    CROSS JOIN LATERAL (
        SELECT count(*) AS size, count(DISTINCT site) AS sites, min(published_at) AS first_published_at
        FROM article WHERE group_id = canonical.group_id
    ) AS members
    WHERE canonical.is_canonical
"""


def upgrade() -> None:
    for name, time, condition in (
        ("article_group_time", "published_at", "published_at IS NOT NULL AND word_count >= 0"),
        ("article_group_undated", "first_seen_at", "published_at IS NULL AND word_count >= 0"),
    ):
        of = sa.text(condition)
        op.create_index(name, "article", ["group_id", time], sqlite_where=of, postgresql_where=of)
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            _GROUPS_POSTGRESQL.replace("AGENCY", _AGENCY.strip())
        )  # in place, so that granted rights stay
    else:
        op.execute("DROP VIEW story_groups")
        op.execute(_GROUPS_SQLITE.replace("AGENCY", _AGENCY.strip()))


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
