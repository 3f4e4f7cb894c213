"""Reads the metadata of an article from its page: title, authors, date, language, address, access.

`structured_data` collects the statements of JSON-LD and meta elements. `headline`, `authors`, `dates` and
`outlet` choose each value from these statements and the visible text. `read` puts all of them together.
"""

from pipeline.metadata.dates import StatedTime, parse_time
from pipeline.metadata.read import Metadata, read_metadata

__all__ = [
    "Metadata",
    "StatedTime",
    "parse_time",
    "read_metadata",
]
