"""Signatures are datasketch's, and restyled text has the signature of its source."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fingerprint import fingerprint, signatures
from pipeline.settings import FingerprintSettings

SETTINGS = FingerprintSettings()


def datasketchs(hashes: list[int], settings: FingerprintSettings) -> list[int]:
    reference = MinHash(num_perm=settings.num_perm, seed=settings.seed, scheme="affine32", hashfunc=int)
    reference.update_batch(hashes)
    values: list[int] = reference.hashvalues.tolist()
    return values


@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=300),
    st.builds(
        FingerprintSettings,
        bands=st.integers(1, 20),
        rows=st.integers(1, 4),
        lead_words=st.integers(1, 200),
        lead_bands=st.integers(1, 20),
        lead_rows=st.integers(1, 4),
        seed=st.integers(1, 5),
    ),
)
def test_signatures_are_datasketchs(hashes: list[int], settings: FingerprintSettings) -> None:
    whole, lead = signatures(np.array(hashes, dtype=np.uint32), settings)
    own = settings.bands * settings.rows
    assert whole.dtype == lead.dtype == np.uint32
    assert whole.tolist() == datasketchs(hashes, settings)[:own]
    assert lead.tolist() == datasketchs(hashes[: settings.lead_words], settings)[own:]


def test_signature_of_a_long_text() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**32, 10_000, dtype=np.uint32)
    whole, _ = signatures(hashes, SETTINGS)
    assert whole.tolist() == datasketchs(hashes.tolist(), SETTINGS)[: whole.size]


@pytest.mark.parametrize("text", ["", "  \n", "— … !", "\u200b"])
def test_nothing_to_shingle(text: str) -> None:
    assert fingerprint(text, None, SETTINGS) is None
