"""Near-duplicates: shingles, MinHash signatures, winnowing, candidates, verification, groups, differences.

Pure functions over texts and signatures; `storage.writing` keeps and looks up what they compute.
"""

from pipeline.copies.article_copy import ArticleCopy
from pipeline.copies.candidates import (
    IndexRows,
    agreeing_values,
    are_alike,
    are_enough,
    are_far,
    are_within_reach,
    band_weight,
    bands_of,
    bucket_keys,
    candidates_among,
    index_rows,
    index_version,
    is_candidate,
    is_enough,
    is_far,
    is_winnowed,
    near_range,
    order_key,
    order_of,
    row_keys,
    salted,
    separated,
)
from pipeline.copies.canonical import LOOKED_AT, Contender, Shared, choose_canonical
from pipeline.copies.conflicts import Conflicts
from pipeline.copies.differences import (
    AlignedSentence,
    Change,
    ChangeKind,
    Comparison,
    align_sentences,
    compare,
    comparison_of,
)
from pipeline.copies.fingerprint import fingerprint, shingle_hashes
from pipeline.copies.groups import OVERLAP, Cut, bridges, components
from pipeline.copies.passages import Passage
from pipeline.copies.sketch import Sketch, sketch, sketch_of
from pipeline.copies.tokens import distinct
from pipeline.copies.verification import (
    Judgement,
    Pair,
    PreparedText,
    Refusal,
    judge,
    pair_values,
    prepare,
    verify,
)
from pipeline.copies.word_changes import Part, PartKind

__all__ = [
    "LOOKED_AT",
    "OVERLAP",
    "AlignedSentence",
    "ArticleCopy",
    "Change",
    "ChangeKind",
    "Comparison",
    "Conflicts",
    "Contender",
    "Cut",
    "IndexRows",
    "Judgement",
    "Pair",
    "Part",
    "PartKind",
    "Passage",
    "PreparedText",
    "Refusal",
    "Shared",
    "Sketch",
    "agreeing_values",
    "align_sentences",
    "are_alike",
    "are_enough",
    "are_far",
    "are_within_reach",
    "band_weight",
    "bands_of",
    "bridges",
    "bucket_keys",
    "candidates_among",
    "choose_canonical",
    "compare",
    "comparison_of",
    "components",
    "distinct",
    "fingerprint",
    "index_rows",
    "index_version",
    "is_candidate",
    "is_enough",
    "is_far",
    "is_winnowed",
    "judge",
    "near_range",
    "order_key",
    "order_of",
    "pair_values",
    "prepare",
    "row_keys",
    "salted",
    "separated",
    "shingle_hashes",
    "sketch",
    "sketch_of",
    "verify",
]
