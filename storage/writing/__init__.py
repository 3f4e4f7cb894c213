"""What one write transaction changes: revisions, groups, learned lines, tombstones, quarantine.

Only `storage.writer` and upkeep call it, within a transaction that is theirs.
"""

from storage.writing import groups, learning, quarantine, revisions, tombstones
from storage.writing.learning import Lesson, SiteLine, learn, with_learned
from storage.writing.quarantine import Quarantined, held_locations, list_quarantine
from storage.writing.revisions import unpack_keys
from storage.writing.tombstones import (
    SITE,
    URL,
    list_tombstones,
    parse_site,
    stones_at,
    withheld_by,
    withheld_urls,
)

__all__ = [
    "SITE",
    "URL",
    "Lesson",
    "Quarantined",
    "SiteLine",
    "groups",
    "held_locations",
    "learn",
    "learning",
    "list_quarantine",
    "list_tombstones",
    "parse_site",
    "quarantine",
    "revisions",
    "stones_at",
    "tombstones",
    "unpack_keys",
    "with_learned",
    "withheld_by",
    "withheld_urls",
]
