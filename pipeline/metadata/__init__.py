"""Reads the metadata of an article from its page: title, authors, date, language, address, access, summary.

`structured_data` collects the statements of JSON-LD and meta elements. `headline`, `authors`, `dates` and
`outlet` choose each value from these statements and the visible text; `summary` has description, section,
keywords and image, `rights` and `site_rights` what is said of the rights. `read` puts all of them together.
"""

from pipeline.metadata.dates import StatedTime, parse_time
from pipeline.metadata.read import Metadata, read_metadata
from pipeline.metadata.rights import (
    RIGHTS_HEADERS,
    clean_rights,
    header_rights,
    joined_rights,
)
from pipeline.metadata.site_rights import (
    MAX_TDMREP_BYTES,
    TDMREP_PATH,
    RobotsRights,
    SiteFiles,
    TdmRights,
    is_site_file,
    may_have_rights,
    read_robots_rights,
    read_tdm_rights,
)
from pipeline.metadata.summary import clean_description, clean_image_url, clean_keywords, clean_section

__all__ = [
    "MAX_TDMREP_BYTES",
    "RIGHTS_HEADERS",
    "TDMREP_PATH",
    "Metadata",
    "RobotsRights",
    "SiteFiles",
    "StatedTime",
    "TdmRights",
    "clean_description",
    "clean_image_url",
    "clean_keywords",
    "clean_rights",
    "clean_section",
    "header_rights",
    "is_site_file",
    "joined_rights",
    "may_have_rights",
    "parse_time",
    "read_metadata",
    "read_robots_rights",
    "read_tdm_rights",
]
