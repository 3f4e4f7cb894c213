"""Sketches are datasketch's own objects, from a text and from its stored fingerprint."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.copies.fingerprint import fingerprint, shingle_hashes
from pipeline.copies.sketch import sketch, sketch_of
from pipeline.settings import FingerprintSettings
from tests.pipeline.copies.stories import FERRY, RIVAL

SETTINGS = FingerprintSettings()
STORY = "\n".join(FERRY)


def test_a_user_of_datasketch_gets_the_same() -> None:
    """The only knowledge needed is that of the docs: hashes, sizes, seeds, scheme, length of the lead."""
    from datasketch import LeanMinHash, MinHash

    hashes = shingle_hashes(STORY, SETTINGS).tolist()
    whole = MinHash(24, seed=1, scheme="affine32", hashfunc=int)
    lead = MinHash(24, seed=2, scheme="affine32", hashfunc=int)
    whole.update_batch(hashes)
    lead.update_batch(hashes[:60])
    made = sketch(STORY, SETTINGS)
    assert made is not None
    assert made.whole == LeanMinHash(whole)
    assert made.lead == LeanMinHash(lead)
    assert made.whole.hashvalues.dtype == np.uint32


def test_stored_fingerprint_gives_the_same_sketch() -> None:
    stored = fingerprint(STORY, SETTINGS)
    assert stored is not None
    assert sketch_of(stored, SETTINGS) == sketch(STORY, SETTINGS)


def test_sizes_and_seeds_follow_the_settings() -> None:
    made = sketch(STORY, replace(SETTINGS, bands=10, rows=3, lead_bands=7, seed=5))
    assert made is not None
    assert (len(made.whole), len(made.lead)) == (30, 14)
    assert (made.whole.seed, made.lead.seed) == (5, 6)


def test_sketches_are_compared_and_serialised_by_datasketch() -> None:
    story, cut, rival = (sketch(text, SETTINGS) for text in (STORY, "\n".join(FERRY[:3]), RIVAL))
    assert story is not None
    assert cut is not None
    assert rival is not None
    assert story.lead.jaccard(cut.lead) == 1.0
    assert 0.2 < story.whole.jaccard(cut.whole) < 1.0
    assert story.whole.jaccard(rival.whole) < 0.2
    written = bytearray(story.whole.bytesize())
    story.whole.serialize(written)
    from datasketch import LeanMinHash

    assert LeanMinHash.deserialize(written) == story.whole


def test_different_versions_are_not_mixed() -> None:
    stored = fingerprint(STORY, replace(SETTINGS, shingle_words=4))
    assert stored is not None
    with pytest.raises(ValueError, match="w4c5"):
        sketch_of(stored, SETTINGS)


def test_no_word_no_sketch() -> None:
    assert sketch(" … ", SETTINGS) is None
