"""The stages of the pipeline over Arrow tables: what a batch job makes of millions of documents.

Pure functions from tables to tables, without a file, an engine or a connection. Each module has the schemas
of what it makes, and says what each column is. Needs pyarrow (the extra `parquet`), so nothing else imports
it before a batch job begins.
"""

from pipeline.batch.bundles import BUNDLED, BUNDLES, LABELLED, PLACED, bundles, labelled
from pipeline.batch.components import Components, Forest, components
from pipeline.batch.grouping import CUTS, GROUPS, MEMBERS, Grouped, group
from pipeline.batch.neighbours import (
    CANDIDATES,
    NEIGHBOURS,
    STATED,
    WEIGHED,
    candidates,
    neighbours,
    neighbours_of_slices,
    stated_copies,
    summed,
)
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
from pipeline.batch.stories import BANDS, INDEXED, SIGNATURES, STORIES, IndexEntries, index_entries, integers
from pipeline.batch.verification import COMPARED, PAIRS, verify

__all__ = [
    "ARTICLE",
    "BANDS",
    "BUNDLED",
    "BUNDLES",
    "CANDIDATES",
    "COMPARED",
    "CUTS",
    "FINGERPRINT",
    "GROUPS",
    "INDEXED",
    "LABELLED",
    "MEMBERS",
    "NEIGHBOURS",
    "OUTCOMES",
    "PAGES",
    "PAIRS",
    "PLACED",
    "REJECTION",
    "SIGNATURES",
    "STATED",
    "STORIES",
    "WEIGHED",
    "Components",
    "Forest",
    "Grouped",
    "IndexEntries",
    "bundles",
    "candidates",
    "components",
    "group",
    "index_entries",
    "integers",
    "labelled",
    "neighbours",
    "neighbours_of_slices",
    "outcomes_of",
    "outcomes_table",
    "pages_table",
    "shard_of",
    "stated_copies",
    "summed",
    "verify",
]
