"""Indexes for the queries of readers, and a view of groups that computes each group by itself.

The purpose of each index of `article`. Indexes with rows in random order cost the writer most.

    article_url               the article of a URL: every batch, every crawl
    article_group             the members of a group: grouping, `story_groups`; with `is_canonical`, counting
                              groups and unique articles does not have to read the articles
    article_published         newest first, and between two times; `unique_articles` too, more than half of
                              whose rows any stretch of time has
    article_site, _language   the same within a site, within a language
    article_updated           what is new or changed since
    article_page              foreign key of the pages that are dropped; the order of reprocessing
    article_syndicated_from   who states to be a copy of this URL (partial: most state nothing)

New articles extend all but the first and the last at their end, or at one place for each site.

`story_groups` was an aggregate over all articles, so a join computed every group even if it needed one. Now
it reads the canonical copies, and for each an index finds the figures of its group. A join reads only the
groups that it names, but a list of all groups takes twice as long as before.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# SQLite flattens it into the outer query, and does not compute columns that this does not read.
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
        op.execute(_GROUPS_POSTGRESQL)  # in place, so that granted rights stay
    else:
        op.execute("DROP VIEW story_groups")
        op.execute(_GROUPS_SQLITE)


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
