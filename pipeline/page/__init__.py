"""From bytes to blocks: the page as a browser would read it, before anything is judged.

`decode_body` turns bytes into text, `segment_page` cuts the parsed tree into typed blocks, `align_lines`
finds an extractor's lines among these blocks, `find_by_selector` answers CSS selectors, `compressed_page`
compresses the bytes for the database, `kept_headers` chooses what is kept of a response beside them.
"""

from pipeline.page.align import Passage, align_lines
from pipeline.page.attributes import without_excessive_attributes
from pipeline.page.blocks import (
    PROSE_WORDS,
    Page,
    RawBlock,
    common_container,
    is_inline,
    is_layout_row,
    segment_page,
    segment_with_places,
)
from pipeline.page.compress import compressed_page
from pipeline.page.decode import decode_body, is_web_charset, sniff_media_type
from pipeline.page.headers import CONTENT_HEADERS, RENAMED, kept_headers, restored_headers
from pipeline.page.selectors import check_selector, find_by_selector
from pipeline.page.source import SOURCE_HEADER, document_of_source, source_line

__all__ = [
    "CONTENT_HEADERS",
    "PROSE_WORDS",
    "RENAMED",
    "SOURCE_HEADER",
    "Page",
    "Passage",
    "RawBlock",
    "align_lines",
    "check_selector",
    "common_container",
    "compressed_page",
    "decode_body",
    "document_of_source",
    "find_by_selector",
    "is_inline",
    "is_layout_row",
    "is_web_charset",
    "kept_headers",
    "restored_headers",
    "segment_page",
    "segment_with_places",
    "sniff_media_type",
    "source_line",
    "without_excessive_attributes",
]
