"""Loads the folder of a backfill into a database, so that it is as after `ingest` of the same documents.

`load` looks whether the database is empty. An empty one is filled by `sqlite` or `postgresql` with rows that
`rows` reads from the folder; `bare_tables` takes indexes, keys and triggers off before, and says how they are
put back. Others are merged (`merging`): what the documents gave is written as `ingest` writes it.
"""

from storage.bulk.loading.folder import FOLDER_FORMAT, BackfillFolder, open_folder, site_rules_digest
from storage.bulk.loading.load import CONNECTIONS, Loaded, LoadPlan, load, plan_load

__all__ = [
    "CONNECTIONS",
    "FOLDER_FORMAT",
    "BackfillFolder",
    "LoadPlan",
    "Loaded",
    "load",
    "open_folder",
    "plan_load",
    "site_rules_digest",
]
