"""Fills the column `site_key` of stored articles from the sites file, for all articles of a site at once."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection, Engine, select, update

from pipeline.sites import SiteRulebook
from storage import schema
from storage.database import in_transaction

# Articles of one transaction, for which other writers wait.
_AT_ONCE = 5000


def renew_site_keys(engine: Engine, site_rules: SiteRulebook) -> int:
    """Gives the articles on each host the key that the sites file has for it; returns how many changed.

    Hosts that the sites file does not name keep what is stored. Each part is a transaction, so an interrupted
    call is completed by the next one.
    """
    table = schema.article
    with engine.connect() as connection:
        stored = connection.execute(select(table.c.site, table.c.site_key).distinct()).all()
    changed = 0
    for host, known in stored:
        key = site_rules.key_of(host)
        if key is None or key == known:
            continue
        while count := in_transaction(engine, partial(_renew, host=host, key=key)):
            changed += count
    return changed


def _renew(connection: Connection, host: str, key: str) -> int:
    table = schema.article
    other = select(table.c.id).where(table.c.site == host, table.c.site_key.is_distinct_from(key))
    ids = connection.execute(other.limit(_AT_ONCE)).scalars().all()
    connection.execute(update(table).where(table.c.id.in_(ids)).values(site_key=key))
    return len(ids)
