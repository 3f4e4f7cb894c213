"""datasketch's objects of a text or of a stored signature, for use with datasketch itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.copies.fingerprint import SCHEME, Values, shingle_hashes, signature
from pipeline.document import Fingerprint
from pipeline.settings import FingerprintSettings

if TYPE_CHECKING:
    from datasketch import LeanMinHash


@dataclass(frozen=True, slots=True)
class Sketch:
    """The MinHash of a whole text and that of its lead, as datasketch's objects.

    version: of Copydesk's fingerprints. Only sketches of one version may be compared.
    whole, lead: `datasketch.LeanMinHash` of the scheme affine32; the lead's seed is one above the whole's.
    """

    version: str
    whole: LeanMinHash
    lead: LeanMinHash


def sketch(text: str, settings: FingerprintSettings) -> Sketch | None:
    """The sketch of a text; None if it has no word."""
    hashes = shingle_hashes(text, settings)
    return _sketch(signature(hashes, settings), settings) if hashes.size else None


def sketch_of(fingerprint: Fingerprint, settings: FingerprintSettings) -> Sketch:
    """The sketch of a text from its fingerprint. Raises ValueError if the settings made another version, or
    if it has not as many values."""
    if fingerprint.version != settings.version:
        raise ValueError(f"fingerprint of version {fingerprint.version}, not {settings.version}")
    values = np.frombuffer(fingerprint.signature, dtype="<u4")
    if values.size != settings.num_perm:
        raise ValueError(f"{values.size} values")
    return _sketch(values, settings)


def _sketch(values: Values, settings: FingerprintSettings) -> Sketch:
    from datasketch import LeanMinHash

    whole, lead = np.split(values, [settings.whole_size])
    return Sketch(
        settings.version,
        LeanMinHash(seed=settings.seed, hashvalues=whole, scheme=SCHEME),
        LeanMinHash(seed=settings.seed + 1, hashvalues=lead, scheme=SCHEME),
    )
