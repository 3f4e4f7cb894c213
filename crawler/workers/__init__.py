"""Worker processes: each document, call and input file in a process that may die of it, with hard limits.

`WorkerPool` processes documents and makes single calls of functions that read what strangers sent, such as
feeds. `FileReader` reads files. Both fork from one server, which imports the pipeline and nothing of storage,
which would be a fifth of its start. Without Scrapy and Twisted.
"""

from crawler.workers.fork_server import safe_path_variables
from crawler.workers.messages import TaskFailed
from crawler.workers.pool import Account, BudgetSpent, PoolBroken, PoolClosed, WorkerPool
from crawler.workers.reading import FileReader, ReadAhead, body_size, reading_ahead
from crawler.workers.worker import Process, process_document

__all__ = [
    "Account",
    "BudgetSpent",
    "FileReader",
    "PoolBroken",
    "PoolClosed",
    "Process",
    "ReadAhead",
    "TaskFailed",
    "WorkerPool",
    "body_size",
    "process_document",
    "reading_ahead",
    "safe_path_variables",
]
