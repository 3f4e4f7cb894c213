"""Brings documents through the pipeline into the database.

`ingest` reads files, `reprocess` reads stored pages; both use `drive` and the processes of
`crawler.workers`. Without Scrapy and Twisted.
"""

from crawler.runs.changes import ChangeKind, Changes, ChangeSample
from crawler.runs.drive import Finished, Progress
from crawler.runs.ingest import ingest, ingest_documents
from crawler.runs.refingerprint import refingerprint
from crawler.runs.regrouped import Regrouped
from crawler.runs.reprocess import reprocess
from crawler.runs.stopping import stopping

__all__ = [
    "ChangeKind",
    "ChangeSample",
    "Changes",
    "Finished",
    "Progress",
    "Regrouped",
    "ingest",
    "ingest_documents",
    "refingerprint",
    "reprocess",
    "stopping",
]
