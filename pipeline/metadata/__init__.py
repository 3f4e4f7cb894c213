"""What a page states about its article: title, authors, date, language, address, access.

Statements are gathered first (JSON-LD, meta elements, visible text) and judged after that, field by field.
"""

from pipeline.metadata.dates import StatedTime, parse_time
from pipeline.metadata.read import Metadata, read_metadata

__all__ = [
    "Metadata",
    "StatedTime",
    "parse_time",
    "read_metadata",
]
