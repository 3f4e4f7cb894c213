"""Near-duplicates: shingles, MinHash signatures and bands, verification, groups, differences.

Pure functions over texts and signatures; `storage.writing` keeps and looks up what they compute.
"""

from pipeline.copies import group
from pipeline.copies.differences import Change, ChangeKind, Comparison, compare
from pipeline.copies.fingerprint import fingerprint, fingerprints
from pipeline.copies.group import Comparable, Pair, Story, bands_of
from pipeline.copies.shingles import distinct

__all__ = [
    "Change",
    "ChangeKind",
    "Comparable",
    "Comparison",
    "Pair",
    "Story",
    "bands_of",
    "compare",
    "distinct",
    "fingerprint",
    "fingerprints",
    "group",
]
