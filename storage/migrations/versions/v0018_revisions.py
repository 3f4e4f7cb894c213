"""The view `revisions`: every text that was seen at a URL, the current one and the older ones, numbered.

The number counts the texts that were seen before, by the key of the table `revision`. A window function would
number all texts of the database where somebody asks for the first fifty.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TEXTS = (
    "location",
    "publisher",
    "title",
    "text",
    "authors",
    "byline",
    "dateline",
    "agency",
    "published_at",
    "language",
    "word_count",
    "access",
    "published_offset",
    "description",
    "section",
    "keywords",
    "image_url",
    "rights",
)

# Texts that were first seen within the same second come in the order of their last fetch.
_VIEW = """
    CREATE VIEW revisions AS
    SELECT present.id AS article_id,
           (SELECT count(*) + 1 FROM revision AS earlier
            WHERE earlier.article_id = present.id
              AND (earlier.seen_at, earlier.fetched_us, earlier.text_hash)
                  < (present.seen_at, present.fetched_us, present.text_hash)) AS revision,
           {true} AS is_current, present.seen_at, {present}
    FROM article AS present
    UNION ALL
    SELECT older.article_id,
           (SELECT count(*) + 1 FROM revision AS earlier
            WHERE earlier.article_id = older.article_id
              AND (earlier.seen_at, earlier.fetched_us, earlier.text_hash)
                  < (older.seen_at, older.fetched_us, older.text_hash))
           + (SELECT count(*) FROM article AS present
              WHERE present.id = older.article_id
                AND (present.seen_at, present.fetched_us, present.text_hash)
                    < (older.seen_at, older.fetched_us, older.text_hash)),
           {false}, older.seen_at, {older}
    FROM revision AS older
"""


def upgrade() -> None:
    on_postgres = op.get_context().dialect.name == "postgresql"
    op.execute(
        _VIEW.format(
            true="true" if on_postgres else "1",
            false="false" if on_postgres else "0",
            present=", ".join(f"present.{name}" for name in _TEXTS),
            older=", ".join(f"older.{name}" for name in _TEXTS),
        )
    )


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
