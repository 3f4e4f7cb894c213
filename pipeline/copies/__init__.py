"""Near-duplicates: shingles, MinHash signatures and bands, candidates, verification, groups, differences.

Pure functions over texts and signatures; `storage.writing` keeps and looks up what they compute.
"""

from pipeline.copies.article_copy import ArticleCopy
from pipeline.copies.candidates import (
    agreeing_values,
    are_alike,
    band_weight,
    bands_of,
    bucket_keys,
    candidates_among,
    is_candidate,
    is_far,
    near_range,
    order_key,
    row_keys,
    separated,
)
from pipeline.copies.conflicts import Conflicts
from pipeline.copies.differences import Change, ChangeKind, Comparison, compare
from pipeline.copies.fingerprint import fingerprint, shingle_hashes
from pipeline.copies.groups import CanonicalKey, bridges, canonical_key, components
from pipeline.copies.passages import Passage
from pipeline.copies.sketch import Sketch, sketch, sketch_of
from pipeline.copies.tokens import distinct
from pipeline.copies.verification import Judgement, Pair, PreparedText, Refusal, judge, prepare, verify

__all__ = [
    "ArticleCopy",
    "CanonicalKey",
    "Change",
    "ChangeKind",
    "Comparison",
    "Conflicts",
    "Judgement",
    "Pair",
    "Passage",
    "PreparedText",
    "Refusal",
    "Sketch",
    "agreeing_values",
    "are_alike",
    "band_weight",
    "bands_of",
    "bridges",
    "bucket_keys",
    "candidates_among",
    "canonical_key",
    "compare",
    "components",
    "distinct",
    "fingerprint",
    "is_candidate",
    "is_far",
    "judge",
    "near_range",
    "order_key",
    "prepare",
    "row_keys",
    "separated",
    "shingle_hashes",
    "sketch",
    "sketch_of",
    "verify",
]
