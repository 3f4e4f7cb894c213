"""Brings documents through the pipeline into the database, in worker processes that a document may kill.

`ingest` reads files, `reprocess` reads stored pages; both use `drive`. `WorkerPool` also makes single calls
of functions that read what strangers sent, such as feeds. Without Scrapy and Twisted.
"""

from crawler.runs.changes import ChangeKind, Changes, ChangeSample
from crawler.runs.drive import Finished, Progress
from crawler.runs.fork_server import safe_path_variables
from crawler.runs.ingest import ingest, ingest_documents
from crawler.runs.messages import TaskFailed
from crawler.runs.pool import Account, BudgetSpent, PoolBroken, PoolClosed, WorkerPool
from crawler.runs.reading import FileReader
from crawler.runs.refingerprint import refingerprint
from crawler.runs.regrouped import Regrouped
from crawler.runs.reprocess import reprocess
from crawler.runs.stopping import stopping
from crawler.runs.worker import Process, process_document

__all__ = [
    "Account",
    "BudgetSpent",
    "ChangeKind",
    "ChangeSample",
    "Changes",
    "FileReader",
    "Finished",
    "PoolBroken",
    "PoolClosed",
    "Process",
    "Progress",
    "Regrouped",
    "TaskFailed",
    "WorkerPool",
    "ingest",
    "ingest_documents",
    "process_document",
    "refingerprint",
    "reprocess",
    "safe_path_variables",
    "stopping",
]
