"""The stages of the pipeline over Arrow tables: what a batch job makes of millions of documents.

Pure functions from tables to tables, without a file, an engine or a connection. Each module has the schemas
of what it makes, and says what each column is. Needs pyarrow (the extra `parquet`), so nothing else imports
it before a batch job begins.
"""

from pipeline.batch.outcomes import (
    ARTICLE,
    FINGERPRINT,
    OUTCOMES,
    PAGES,
    REJECTION,
    outcomes_of,
    outcomes_table,
    pages_table,
    shard_of,
)
from pipeline.batch.records import microseconds, time_of

__all__ = [
    "ARTICLE",
    "FINGERPRINT",
    "OUTCOMES",
    "PAGES",
    "REJECTION",
    "microseconds",
    "outcomes_of",
    "outcomes_table",
    "pages_table",
    "shard_of",
    "time_of",
]
