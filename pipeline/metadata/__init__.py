"""Reads the metadata of an article from its page: title, authors, date, language, address, access, summary.

`structured_data` collects the statements of JSON-LD and meta elements. `headline`, `authors`, `dates` and
`outlet` choose each value from these statements and the visible text; `summary` has description, section,
keywords and image. `read` puts all of them together.
"""

from pipeline.metadata.dates import StatedTime, parse_time
from pipeline.metadata.read import Metadata, read_metadata
from pipeline.metadata.summary import clean_description, clean_image_url, clean_keywords, clean_section

__all__ = [
    "Metadata",
    "StatedTime",
    "clean_description",
    "clean_image_url",
    "clean_keywords",
    "clean_section",
    "parse_time",
    "read_metadata",
]
