"""The only write path: runs, batches of outcomes, deleted articles, new fingerprints, states of sources."""

from storage.writer.batches import write_batch
from storage.writer.fetch_states import put_fetch_state, put_fetch_states
from storage.writer.refingerprinting import (
    count_refingerprint,
    other_fingerprints,
    refingerprint_batch,
    refingerprint_revisions,
    require_one_fingerprint,
)
from storage.writer.removal import remove_articles, remove_in
from storage.writer.runs import BatchCounts, finish_in, finish_run, killed_run_before, start_in, start_run

__all__ = [
    "BatchCounts",
    "count_refingerprint",
    "finish_in",
    "finish_run",
    "killed_run_before",
    "other_fingerprints",
    "put_fetch_state",
    "put_fetch_states",
    "refingerprint_batch",
    "refingerprint_revisions",
    "remove_articles",
    "remove_in",
    "require_one_fingerprint",
    "start_in",
    "start_run",
    "write_batch",
]
