"""The block model: evidence of each block as numbers, and the trees that weigh it.

Columns hold the blocks of pages as arrays; text, page and name features are computed from them; `trees` gives
each block a probability and decides which blocks are the article.
"""

from pipeline.extract.model.columns import KEPT, Columns, columns_of, first_sight
from pipeline.extract.model.page_features import Stated
from pipeline.extract.model.text_features import folded_before
from pipeline.extract.model.trees import BlockModel, Decision, decide, keep_probabilities, shares

__all__ = [
    "KEPT",
    "BlockModel",
    "Columns",
    "Decision",
    "Stated",
    "columns_of",
    "decide",
    "first_sight",
    "folded_before",
    "keep_probabilities",
    "shares",
]
