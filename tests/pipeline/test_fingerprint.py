"""Signatures are datasketch's, and restyled text has the signature of its source."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fingerprint import fingerprint, signature
from pipeline.settings import FingerprintSettings

SETTINGS = FingerprintSettings()


def datasketchs(hashes: list[int], settings: FingerprintSettings) -> list[int]:
    reference = MinHash(num_perm=settings.num_perm, seed=settings.seed, scheme="affine32", hashfunc=int)
    reference.update_batch(hashes)
    values: list[int] = reference.hashvalues.tolist()
    return values


@given(st.lists(st.integers(0, 2**32 - 1), max_size=300), st.integers(64, 130), st.integers(1, 5))
def test_signature_is_datasketchs(hashes: list[int], num_perm: int, seed: int) -> None:
    settings = FingerprintSettings(num_perm=num_perm, seed=seed)
    ours = signature(np.array(hashes, dtype=np.uint32), settings)
    assert ours.dtype == np.uint32
    assert ours.tolist() == datasketchs(hashes, settings)
    lead = signature(np.array(hashes, dtype=np.uint32), settings, start=20)
    assert lead.tolist() == datasketchs(hashes, settings)[20:]


def test_text_longer_than_a_chunk() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**32, 10_000, dtype=np.uint32)
    assert signature(hashes, SETTINGS).tolist() == datasketchs(hashes.tolist(), SETTINGS)


@pytest.mark.parametrize("text", ["", "  \n", "— … !", "\u200b"])
def test_nothing_to_shingle(text: str) -> None:
    assert fingerprint(text, None, SETTINGS) is None
