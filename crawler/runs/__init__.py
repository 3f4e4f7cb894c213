"""What drives documents through the pipeline into the database, in processes that may die of one.

`ingest` reads files, `reprocess` reads stored pages; both use `drive`. No Scrapy, no Twisted.
"""

from crawler.runs.drive import Progress, stopping
from crawler.runs.ingest import ingest
from crawler.runs.messages import TaskFailed
from crawler.runs.pool import PoolBroken, WorkerPool
from crawler.runs.reprocess import Changes, Regrouped, Sample, What, refingerprint, reprocess

__all__ = [
    "Changes",
    "PoolBroken",
    "Progress",
    "Regrouped",
    "Sample",
    "TaskFailed",
    "What",
    "WorkerPool",
    "ingest",
    "refingerprint",
    "reprocess",
    "stopping",
]
