"""Helpers for all of storage/: keys, values that both databases accept, lists in parts, counters, disk
space.
"""

from pipeline.times import from_microseconds, microseconds
from storage.base.chunks import chunks
from storage.base.commands import without_secrets
from storage.base.counters import counter_value, last_change_number, set_counter
from storage.base.keys import (
    FAILURES,
    TRANSIENT,
    SourceKey,
    UnstorableError,
    as_rejection,
    check_storable,
    checked,
    claims_json,
    claims_of,
    page_digest,
    source_key,
    storable,
    storable_name,
    storable_text,
    stored_page_digest,
    text_hash,
    tombstone_key,
)
from storage.base.space import disk_space, empty_log, rewrite, securely

__all__ = [
    "FAILURES",
    "TRANSIENT",
    "SourceKey",
    "UnstorableError",
    "as_rejection",
    "check_storable",
    "checked",
    "chunks",
    "claims_json",
    "claims_of",
    "counter_value",
    "disk_space",
    "empty_log",
    "from_microseconds",
    "last_change_number",
    "microseconds",
    "page_digest",
    "rewrite",
    "securely",
    "set_counter",
    "source_key",
    "storable",
    "storable_name",
    "storable_text",
    "stored_page_digest",
    "text_hash",
    "tombstone_key",
    "without_secrets",
]
