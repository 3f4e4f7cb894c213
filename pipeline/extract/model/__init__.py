"""The block model: how likely each block of a page belongs to the article, and which blocks to keep.

`columns` holds the blocks of pages as arrays. Features are computed from them: `text_features` of the texts,
`page_features` of their place in the page, `reader_features` of what the two readers took, `name_features` of
class and id names. `trees` evaluates the
model, `predict` gives the probabilities, and `selection` chooses the blocks. training/ makes the model.
"""

from pipeline.extract.model.columns import (
    KEPT,
    LANDMARK_BITS,
    BlockColumns,
    BlockEvidence,
    block_columns,
    main_containers,
    rule_number,
)
from pipeline.extract.model.page_features import StatedTexts
from pipeline.extract.model.predict import keep_probabilities, shares_of_blocks
from pipeline.extract.model.selection import BlockSelection, select_blocks
from pipeline.extract.model.trees import BlockModel

__all__ = [
    "KEPT",
    "LANDMARK_BITS",
    "BlockColumns",
    "BlockEvidence",
    "BlockModel",
    "BlockSelection",
    "StatedTexts",
    "block_columns",
    "keep_probabilities",
    "main_containers",
    "rule_number",
    "select_blocks",
    "shares_of_blocks",
]
