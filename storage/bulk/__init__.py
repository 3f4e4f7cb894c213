"""The tables of a batch job: a database's rows made as Arrow tables, bucket by bucket, and loaded into one.

A bucket has all outcomes of its URLs. It is settled by the rules of `storage.writing.revisions`; once ids and
groups are known, its public tables and the rows of its private tables follow. pyarrow is needed (the extra
`parquet`).
"""

from storage.bulk.learning import (
    BLOCKS_QUERY,
    FLAGGED,
    GROUPED_QUERY,
    LEARNED,
    SIGHTED,
    SIGHTED_QUERY,
    SIGHTINGS,
    flag_groups,
    hashes_in,
    learn_sites,
    sightings_of_articles,
)
from storage.bulk.loading import (
    CONNECTIONS,
    FOLDER_FORMAT,
    Loaded,
    LoadPlan,
    load,
    open_folder,
    plan_load,
    site_rules_digest,
)
from storage.bulk.schemas import GROUPS, IDS, PAGE_IDS, PUBLIC, ROWS, SETTLED
from storage.bulk.settling import Settled, settle_bucket
from storage.bulk.tables import (
    Tables,
    band_rows,
    signature_rows,
    story_groups,
    tables_of_bucket,
    tables_of_pairs,
)

__all__ = [
    "BLOCKS_QUERY",
    "CONNECTIONS",
    "FLAGGED",
    "FOLDER_FORMAT",
    "GROUPED_QUERY",
    "GROUPS",
    "IDS",
    "LEARNED",
    "PAGE_IDS",
    "PUBLIC",
    "ROWS",
    "SETTLED",
    "SIGHTED",
    "SIGHTED_QUERY",
    "SIGHTINGS",
    "LoadPlan",
    "Loaded",
    "Settled",
    "Tables",
    "band_rows",
    "flag_groups",
    "hashes_in",
    "learn_sites",
    "load",
    "open_folder",
    "plan_load",
    "settle_bucket",
    "sightings_of_articles",
    "signature_rows",
    "site_rules_digest",
    "story_groups",
    "tables_of_bucket",
    "tables_of_pairs",
]
