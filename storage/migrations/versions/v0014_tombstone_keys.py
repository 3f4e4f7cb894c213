"""New keys of tombstones: they are found by every port, encoding, cache and archive of a URL.

A key is a hash, so it is made anew from the URL beside it. Where two tombstones of URLs now have one key, the
older one stays. Hosts that are percent-encoded are decoded now, so articles that were stored by such a host
get their canonical URL; if that has an article already, `copydesk reprocess` brings both together.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from alembic import op

from pipeline.urls import canonical_url, site_of
from storage.base import tombstone_key

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ENCODED_HOST = re.compile(r"https?://[^/?#]*%")


def upgrade() -> None:
    connection = op.get_bind()
    _renew_tombstones(connection)
    _decode_hosts(connection)


def _renew_tombstones(connection: sa.Connection) -> None:
    names = ("key", "kind", "value", "at", "reason", "alias_of")
    # Times stay as they are written: both databases give back what they take.
    rows = [
        dict(zip(names, row, strict=True))
        for row in connection.execute(sa.text("SELECT key, kind, value, at, reason, alias_of FROM tombstone"))
    ]
    new_keys = {bytes(row["key"]): tombstone_key(row["kind"], row["value"]) for row in rows}
    if all(old == new for old, new in new_keys.items()):
        return
    kept: dict[bytes, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["alias_of"] is not None, row["at"])):
        key = new_keys[bytes(row["key"])]
        of = None if row["alias_of"] is None else bytes(row["alias_of"])
        of = None if of is None else new_keys.get(of, of)
        if of != key:
            kept.setdefault(key, {**row, "key": key, "alias_of": of})
    connection.execute(sa.text("DELETE FROM tombstone"))
    for row in kept.values():
        connection.execute(
            sa.text(
                "INSERT INTO tombstone (key, kind, value, at, reason, alias_of)"
                " VALUES (:key, :kind, :value, :at, :reason, :alias_of)"
            ),
            row,
        )


def _decode_hosts(connection: sa.Connection) -> None:
    articles = connection.execute(sa.text("SELECT id, url FROM article WHERE site LIKE '%|%%' ESCAPE '|'"))
    for id, url in articles.all():
        canonical = canonical_url(url)
        taken = connection.execute(sa.text("SELECT id FROM article WHERE url = :url"), {"url": canonical})
        if taken.first() is None:
            connection.execute(
                sa.text("UPDATE article SET url = :url, site = :site WHERE id = :id"),
                {"url": canonical, "site": site_of(canonical), "id": id},
            )
    given = sa.text("SELECT DISTINCT alias FROM document WHERE alias LIKE 'http%|%%' ESCAPE '|'")
    aliases = connection.execute(given)
    for (alias,) in aliases.all():
        if _ENCODED_HOST.match(alias):
            connection.execute(
                sa.text("UPDATE document SET alias = :new WHERE alias = :old"),
                {"new": canonical_url(alias), "old": alias},
            )
    states = connection.execute(sa.text("SELECT url FROM fetch_state WHERE url LIKE 'http%|%%' ESCAPE '|'"))
    for (url,) in states.all():
        if _ENCODED_HOST.match(url):  # the next crawl requests it again
            connection.execute(sa.text("DELETE FROM fetch_state WHERE url = :url"), {"url": url})


def downgrade() -> None:
    raise NotImplementedError("a Copydesk database is never downgraded; restore a backup")
