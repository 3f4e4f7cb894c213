"""Changes: one row for each article, stored or gone, with the number of its last change.

Triggers write the rows, because writing, grouping, reprocessing and deleting all change what a reader of
`articles` sees. If one of them forgot to write its row, a reader's copy would silently miss a change. The
trigger numbers changes within the transaction that changed the article, and writers of one database take
turns, so the numbers become visible in order. On PostgreSQL the trigger takes the writers' lock itself, so
this also holds for a statement typed by hand. If the transaction has the lock already, this costs nothing.

A migration that recreates the table `article` on SQLite must recreate these triggers.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_VIEW = """
    CREATE VIEW changes AS
    SELECT number AS change, article_id, CASE WHEN gone THEN 'gone' ELSE 'stored' END AS kind, url, at
    FROM change
"""

_NOW_SQLITE = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"

# The triggers compare what `articles` shows; text_hash replaces text and title, because it is shorter.
_TRIGGERS_SQLITE = (
    """
    CREATE TRIGGER article_stored AFTER INSERT ON article BEGIN
        INSERT INTO change (article_id, number, gone, at)
        VALUES (new.id, (SELECT coalesce(max(number), 0) + 1 FROM change), 0,
                strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));
    END
    """,
    """
    CREATE TRIGGER article_changed AFTER UPDATE OF
        url, site, group_id, is_canonical, first_seen_at, updated_at, revision, text_hash, location,
        publisher, authors, byline, dateline, agency, published_at, language, access, word_count
    ON article
    WHEN (old.url, old.site, old.group_id, old.is_canonical, old.first_seen_at, old.updated_at,
          old.revision, old.text_hash, old.location, old.publisher, old.authors, old.byline, old.dateline,
          old.agency, old.published_at, old.language, old.access, old.word_count)
        IS NOT
         (new.url, new.site, new.group_id, new.is_canonical, new.first_seen_at, new.updated_at,
          new.revision, new.text_hash, new.location, new.publisher, new.authors, new.byline, new.dateline,
          new.agency, new.published_at, new.language, new.access, new.word_count)
    BEGIN
        UPDATE change
        SET number = (SELECT max(number) + 1 FROM change), at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        WHERE article_id = new.id;
    END
    """,
    """
    CREATE TRIGGER article_gone AFTER DELETE ON article BEGIN
        UPDATE change
        SET number = (SELECT max(number) + 1 FROM change), gone = 1, url = old.url,
            at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now')
        WHERE article_id = old.id;
    END
    """,
)

# 0x636F70796465736B: the advisory lock that `database.begin_write` holds.
_TRIGGERS_POSTGRESQL = (
    """
    CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
                       was.dateline, was.agency, was.published_at, was.language, was.access, was.word_count)
                    IS DISTINCT FROM
                      (became.url, became.site, became.group_id, became.is_canonical, became.first_seen_at,
                       became.updated_at, became.revision, became.text_hash, became.location,
                       became.publisher, became.authors, became.byline, became.dateline, became.agency,
                       became.published_at, became.language, became.access, became.word_count)
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
    """,
    """
    CREATE TRIGGER article_stored AFTER INSERT ON article
    REFERENCING NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION note_change()
    """,
    """
    CREATE TRIGGER article_changed AFTER UPDATE ON article
    REFERENCING OLD TABLE AS was NEW TABLE AS became FOR EACH STATEMENT EXECUTE FUNCTION note_change()
    """,
    """
    CREATE TRIGGER article_gone AFTER DELETE ON article
    REFERENCING OLD TABLE AS was FOR EACH STATEMENT EXECUTE FUNCTION note_change()
    """,
)


def upgrade() -> None:
    on_postgres = op.get_context().dialect.name == "postgresql"
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time = sa.Text().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
    op.create_table(
        "change",
        sa.Column("article_id", whole, primary_key=True, autoincrement=False),
        sa.Column("number", whole, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("url", sa.Text),
    )
    # Stored articles were stored in the order of their ids. Earlier changes are not known.
    now = "date_trunc('second', now())" if on_postgres else _NOW_SQLITE
    op.execute(
        "INSERT INTO change (article_id, number, gone, at)"  # noqa: S608
        f" SELECT id, id, {'false' if on_postgres else '0'}, {now} FROM article ORDER BY id"
    )
    op.create_index("change_number", "change", ["number"], unique=True)
    for statement in _TRIGGERS_POSTGRESQL if on_postgres else _TRIGGERS_SQLITE:
        op.execute(statement)
    op.execute(_VIEW)
    # A random number that any JSON reader reads exactly. It identifies the database in cursor files.
    op.execute(
        sa.text("INSERT INTO counter (name, value) VALUES ('base', :id)").bindparams(
            id=secrets.randbelow(2**53)
        )
    )


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
