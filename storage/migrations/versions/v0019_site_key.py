"""The key in the sites file of the site that an article is on, so that `articles` and `site_runs` join.

It is null until a run knows the site; `copydesk reprocess` fills it from the sites file. The views show it,
so the triggers of `change` compare it as well.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ARTICLES = """
    SELECT id, url, location, publisher, site, title, text, authors, byline, dateline, agency, published_at,
           language, group_id, is_canonical, word_count, access, first_seen_at, updated_at, revision, gone_at,
           published_offset, description, section, keywords, image_url, rights, site_key
    FROM article
"""
_VIEWS = {"articles": _ARTICLES, "unique_articles": _ARTICLES + " WHERE is_canonical"}

_TRIGGER_SQLITE = """
    CREATE TRIGGER article_changed AFTER UPDATE OF
        url, site, group_id, is_canonical, first_seen_at, updated_at, revision, text_hash, location,
        publisher, authors, byline, dateline, agency, published_at, language, access, word_count, gone_at,
        published_offset, description, section, keywords, image_url, rights, site_key
    ON article
    WHEN (old.url, old.site, old.group_id, old.is_canonical, old.first_seen_at, old.updated_at,
          old.revision, old.text_hash, old.location, old.publisher, old.authors, old.byline, old.dateline,
          old.agency, old.published_at, old.language, old.access, old.word_count, old.gone_at,
          old.published_offset, old.description, old.section, old.keywords, old.image_url,
          old.rights, old.site_key)
        IS NOT
         (new.url, new.site, new.group_id, new.is_canonical, new.first_seen_at, new.updated_at,
          new.revision, new.text_hash, new.location, new.publisher, new.authors, new.byline, new.dateline,
          new.agency, new.published_at, new.language, new.access, new.word_count, new.gone_at,
          new.published_offset, new.description, new.section, new.keywords, new.image_url,
          new.rights, new.site_key)
    BEGIN
        UPDATE change
        SET number = (SELECT max(number) + 1 FROM change), at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        WHERE article_id = new.id;
    END
"""

# As in 0012, with site_key. 0x636F70796465736B: the advisory lock that `database.begin_write` holds.
_FUNCTION_POSTGRESQL = """
    CREATE OR REPLACE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        last bigint;
        moment timestamptz := date_trunc('second', clock_timestamp());
    BEGIN
        PERFORM pg_advisory_xact_lock(x'636F70796465736B'::bigint);
        SELECT coalesce(max(number), 0) INTO last FROM change;
        IF TG_OP = 'INSERT' THEN
            INSERT INTO change (article_id, number, gone, at)
            SELECT id, last + row_number() OVER (ORDER BY id), false, moment FROM became;
        ELSIF TG_OP = 'UPDATE' THEN
            UPDATE change SET number = last + differing.n, at = moment
            FROM (
                SELECT became.id, row_number() OVER (ORDER BY became.id) AS n
                FROM became JOIN was ON was.id = became.id
                WHERE (was.url, was.site, was.group_id, was.is_canonical, was.first_seen_at, was.updated_at,
                       was.revision, was.text_hash, was.location, was.publisher, was.authors, was.byline,
                       was.dateline, was.agency, was.published_at, was.language, was.access, was.word_count,
                       was.gone_at, was.published_offset, was.description, was.section, was.keywords,
                       was.image_url, was.rights, was.site_key)
                    IS DISTINCT FROM
                      (became.url, became.site, became.group_id, became.is_canonical, became.first_seen_at,
                       became.updated_at, became.revision, became.text_hash, became.location,
                       became.publisher, became.authors, became.byline, became.dateline, became.agency,
                       became.published_at, became.language, became.access, became.word_count,
                       became.gone_at, became.published_offset, became.description, became.section,
                       became.keywords, became.image_url, became.rights, became.site_key)
            ) AS differing
            WHERE change.article_id = differing.id;
        ELSE
            UPDATE change SET number = last + taken.n, gone = true, url = taken.url, at = moment
            FROM (SELECT id, url, row_number() OVER (ORDER BY id) AS n FROM was) AS taken
            WHERE change.article_id = taken.id;
        END IF;
        RETURN NULL;
    END
    $$
"""


def upgrade() -> None:
    on_postgres = op.get_context().dialect.name == "postgresql"
    op.add_column("article", sa.Column("site_key", sa.Text()))
    for name, query in _VIEWS.items():
        if on_postgres:
            op.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")  # in place: who was granted it keeps it
        else:
            op.execute(f"DROP VIEW {name}")
            op.execute(f"CREATE VIEW {name} AS {query}")
    if on_postgres:
        op.execute(_FUNCTION_POSTGRESQL)
    else:
        op.execute("DROP TRIGGER article_changed")
        op.execute(_TRIGGER_SQLITE)


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
