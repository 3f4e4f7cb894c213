"""From bytes to blocks: the page as a browser would read it, before anything is judged.

`decode` turns bytes into text, `segment` cuts the parsed tree into typed blocks, `align` finds the lines of
an extractor in these blocks again, `find` answers CSS selectors.
"""

from pipeline.page.align import Piece, align
from pipeline.page.blocks import (
    PROSE_WORDS,
    Page,
    RawBlock,
    common_container,
    is_layout_row,
    is_within_line,
    segment,
    segment_around,
)
from pipeline.page.decode import decode, decoded, sniff
from pipeline.page.selectors import check_selector, find

__all__ = [
    "PROSE_WORDS",
    "Page",
    "Piece",
    "RawBlock",
    "align",
    "check_selector",
    "common_container",
    "decode",
    "decoded",
    "find",
    "is_layout_row",
    "is_within_line",
    "segment",
    "segment_around",
    "sniff",
]
