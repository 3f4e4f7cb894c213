"""Makes of a large number of documents what `copydesk ingest` stores, on one machine or on Spark, as Parquet.

Every stage is a pure function from Parquet files to Parquet files. An engine runs tasks and exchanges rows
between them; both engines run the same functions and the same queries, so they give the same rows. Needs the
extra `backfill`, and `spark` for a cluster; PySpark, DuckDB and fsspec are imported here alone.
"""

from crawler.backfill.engines import Progress, Silent, Stopped
from crawler.backfill.folder import Folder, FolderBusy
from crawler.backfill.inputs import Part, RemoteFile, find_parts
from crawler.backfill.job import Job, run_job
from crawler.backfill.manifest import Manifest, read_manifest
from crawler.backfill.plan import Result, backfill

__all__ = [
    "Folder",
    "FolderBusy",
    "Job",
    "Manifest",
    "Part",
    "Progress",
    "RemoteFile",
    "Result",
    "Silent",
    "Stopped",
    "backfill",
    "find_parts",
    "read_manifest",
    "run_job",
]
