"""What a page states about its article: title, authors, date, language, address, access.

Statements are gathered first (JSON-LD, meta elements, visible text) and judged after that, field by field.
"""

from pipeline.metadata.dates import Stamp, parse_stamp
from pipeline.metadata.read import Metadata, read_metadata

__all__ = [
    "Metadata",
    "Stamp",
    "parse_stamp",
    "read_metadata",
]
