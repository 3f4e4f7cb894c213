"""Indexes of the downstream queries, and groups that are worked out one at a time.

What each index of `article` is for, a random one being what costs the writer most:

    article_url               who is at this URL: every batch, every crawl
    article_group             the members of a group: grouping, `story_groups`; with `is_canonical`, counting
                              groups and unique articles does not have to read the articles
    article_published         newest first, and between two times; `unique_articles` too, more than half of
                              whose rows any stretch of time has
    article_site, _language   the same within a site, within a language
    article_updated           what is new or changed since
    article_page              foreign key of the pages that are dropped; the order of reprocessing
    article_syndicated_from   who states to be a copy of this URL (partial: most state nothing)

All but the first and the last grow at their end, or at one place a site, as articles come in.

`story_groups` was an aggregate over all articles, of which a join computed every group before it took one.
Now it is the canonical copies, each with what an index finds for its group: a join reads the groups that it
names, a list of all of them takes twice as long as before.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Flattened into the query around it; what that does not ask for is not computed.
_GROUPS_SQLITE = """
    CREATE VIEW story_groups AS
    SELECT canonical.group_id AS id,
           (SELECT count(*) FROM article AS member WHERE member.group_id = canonical.group_id) AS size,
           (SELECT count(DISTINCT member.site) FROM article AS member
            WHERE member.group_id = canonical.group_id) AS sites,
           coalesce(canonical.agency,
                    (SELECT min(member.agency) FROM article AS member
                     WHERE member.group_id = canonical.group_id)) AS agency,
           (SELECT min(member.published_at) FROM article AS member
            WHERE member.group_id = canonical.group_id) AS first_published_at,
           canonical.id AS canonical_article_id
    FROM article AS canonical WHERE canonical.is_canonical
"""

_GROUPS_POSTGRESQL = """
    CREATE OR REPLACE VIEW story_groups AS
    SELECT canonical.group_id AS id, members.size, members.sites,
           coalesce(canonical.agency, members.agency) AS agency, members.first_published_at,
           canonical.id AS canonical_article_id
    FROM article AS canonical
    CROSS JOIN LATERAL (
        SELECT count(*) AS size, count(DISTINCT site) AS sites, min(agency) AS agency,
               min(published_at) AS first_published_at
        FROM article WHERE group_id = canonical.group_id
    ) AS members
    WHERE canonical.is_canonical
"""


def upgrade() -> None:
    op.drop_index("article_group", "article")
    op.create_index("article_group", "article", ["group_id", "is_canonical"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(_GROUPS_POSTGRESQL)  # in place: who was granted the view keeps it
    else:
        op.execute("DROP VIEW story_groups")
        op.execute(_GROUPS_SQLITE)


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
