"""Frozen, validated settings of the pipeline. A wrong value raises ValueError when made, not when used.

Three version strings tell stored rows apart: `Settings.rules_version` changes when the same page could give
another text, `FingerprintSettings.version` when the same text could give another signature or other bands,
`GroupSettings.version` when the same signatures could give other groups.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from pipeline.sites import SiteRulebook

# Raised by hand when code (not data) changes what text a page gives.
RULES_REVISION = 3

# Raised by hand when code changes what tokens, shingles or band keys a text gives.
FINGERPRINT_REVISION = 3

# Raised by hand when code changes which pairs are neighbours, candidates or copies.
GROUP_REVISION = 1

# A near band is a number of this many bits; a far band a negative one of 64 (`pipeline.copies.candidates`).
BAND_BITS = 47

# Bands have their number mixed in; so many numbers there are.
MAX_BANDS = 1024


def _require(condition: bool, name: str, value: object, wanted: str) -> None:
    if not condition:
        raise ValueError(f"setting {name} = {value!r}: must be {wanted}")


@dataclass(frozen=True, slots=True)
class FingerprintSettings:
    """How a text becomes a signature and band keys. Every field changes the stored version.

    An article costs bands + lead_bands + far_bands + far_lead_bands = 29 index rows, with its signature 1,270
    bytes on SQLite and 3,620 on PostgreSQL, whose rows have a header and stand in the table and in its index.
    Of these rows 24 lie with those of the same days and 5 anywhere (`python -m benchmarks.growth`). On the
    wire, means of five seeds, pair precision, recall and adjusted Rand index:

        12 + 12 bands, lead of 60 words     .9964   .9634   .9751   29 rows
        12 + 12, lead of 50                 .9959   .9649   .9754   29
        12 + 12, lead of 80                 .9953   .9609   .9733   29
        14 + 14, lead of 80                 .9943   .9689   .9765   33
        16 + 16, lead of 80                 .9933   .9704   .9773   37

    The seed alone moves recall by .006 either way, so what more rows find is hardly to be told from chance;
    18 + 6 and 9 + 15 bands do as well as 12 + 12. Syndicated pages: 1.0, .9944, .9972 with any of them.

    shingle_words: words a shingle; shingle_chars: characters a shingle where the script writes no
        spaces (Chinese, Japanese, Thai).
    bands x rows: bands of the MinHash signature of the whole text.
    lead_words: length of the lead that has a signature of its own; lead_bands x lead_rows: its bands.
    far_bands x far_rows, far_lead_bands x far_rows: bands of the same values in which copies are found at any
        distance in time (see `pipeline.copies.candidates`), of the whole text and of the lead: two texts that
        share nine tenths of their shingles meet in one with .98. On the wire 3 + 2 find what every band
        would find if six had to be shared; 5 + 0 and 4 + 0 (8 values) half of it, as copies that are cut
        keep their lead.
    """

    shingle_words: int = 3
    shingle_chars: int = 5
    bands: int = 12
    rows: int = 2
    lead_words: int = 60
    lead_bands: int = 12
    lead_rows: int = 2
    far_bands: int = 3
    far_lead_bands: int = 2
    far_rows: int = 6
    seed: int = 1

    def __post_init__(self) -> None:
        for f in fields(self):
            _require(getattr(self, f.name) >= 1, f"fingerprint.{f.name}", getattr(self, f.name), "at least 1")
        _require(self.shingle_words <= 16, "fingerprint.shingle_words", self.shingle_words, "at most 16")
        _require(self.shingle_chars <= 16, "fingerprint.shingle_chars", self.shingle_chars, "at most 16")
        _require(
            self.bands + self.lead_bands + self.far_bands + self.far_lead_bands <= MAX_BANDS,
            "fingerprint.lead_bands",
            self.lead_bands,
            f"at most {MAX_BANDS} together with the other bands",
        )
        for name, values in (
            ("far_bands", self.bands * self.rows),
            ("far_lead_bands", self.lead_bands * self.lead_rows),
        ):
            _require(
                getattr(self, name) * self.far_rows <= values,
                f"fingerprint.{name}",
                getattr(self, name),
                f"at most {values // self.far_rows}: {values} values make no more bands of {self.far_rows}",
            )

    @property
    def num_perm(self) -> int:
        """MinHash permutations: those of the whole text, then those of the lead."""
        return self.bands * self.rows + self.lead_bands * self.lead_rows

    @property
    def version(self) -> str:
        """Names the scheme and every setting, e.g. `affine32-r3-w3c5-12x2-60-12x2-f3x6-2x6-s1`."""
        return (
            f"affine32-r{FINGERPRINT_REVISION}-w{self.shingle_words}c{self.shingle_chars}-{self.bands}x{self.rows}"
            f"-{self.lead_words}-{self.lead_bands}x{self.lead_rows}"
            f"-f{self.far_bands}x{self.far_rows}-{self.far_lead_bands}x{self.far_rows}-s{self.seed}"
        )


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """When two candidates are copies of one story.

    Chosen on 13,536 items of Reuters newswire of 1987 with 1,186 pairs labelled copy or other, and on 294
    syndicated pages (`python -m benchmarks.grouping` measures them). Thresholds chosen on a random half of
    the wire pairs score F1 .977 on the other half, mean of 16 (P .974, R .980); what was chosen lies on a
    plateau: containment .53 to .60 and particulars .76 to .84 all score above .97. With candidates found by
    bands, not all pairs: P .997, R .962, adjusted Rand index .975; without dates P .979, R .920; syndicated
    P 1.0, R .994.

    containment: least share of the shorter text's shingles that stand in the longer. At .45 it lets in
        stories that share their background paragraphs; at .65 rewritten leads are lost (recall .95).
    particulars: least share of the shorter text's figures and capitalised words that stand in the longer.
        Without it precision on the wire falls to .89, and without the dates as well to .49: templates
        print other figures and names each week.
    near: a pair of at least this Jaccard similarity is called near, else partial.
    cycle_days, window_days: the two thresholds are for texts published within `cycle_days` of each other;
        they are higher for undated texts, for a longer gap, and higher again beyond `window_days`. Of the
        wire's copies 95 % are a day apart at most, of the look-alikes 12 %.
    band_window: in each band an article is a neighbour of this many before and as many after it in
        time: what a band that a whole base shares costs (see `pipeline.copies.candidates`). On the wire 2
        found as much as 16; a crowded base needs more.
    near_days: so far apart in time are neighbours in a near band at most, later copies being found by far
        bands. On the wire 1 day finds .975 of the labelled copies as candidates, 1.5 to 3 .980 and 4 or 5
        .982; recall is .967 with 1 day and .972 with 3 or 5. Each day is as much more of the index that
        today's news has to have at hand.
    bands_shared: neighbours in so many near bands, or in one far band, are compared. 2 compare 0.06 pairs
        an article, of which half are copies.
    """

    containment: float = 0.55
    particulars: float = 0.8
    near: float = 0.7
    cycle_days: float = 1.0
    window_days: float = 5.0
    band_window: int = 16
    near_days: float = 3.0
    bands_shared: int = 2

    def __post_init__(self) -> None:
        for name in ("containment", "particulars", "near"):
            _require(
                0.0 < getattr(self, name) <= 1.0,
                f"group.{name}",
                getattr(self, name),
                "above 0 and at most 1",
            )
        _require(self.cycle_days >= 0, "group.cycle_days", self.cycle_days, "at least 0")
        _require(
            self.window_days >= self.cycle_days,
            "group.window_days",
            self.window_days,
            f"at least cycle_days ({self.cycle_days})",
        )
        _require(self.near_days > 0, "group.near_days", self.near_days, "above 0")
        for name in ("band_window", "bands_shared"):
            _require(getattr(self, name) >= 1, f"group.{name}", getattr(self, name), "at least 1")

    @property
    def version(self) -> str:
        """Names every setting, as each can make other pairs of the same texts, e.g.
        `g1-c0.55-p0.8-n0.7-d1-5-b16-3-2`.
        """
        return (
            f"g{GROUP_REVISION}-c{self.containment:.9g}-p{self.particulars:.9g}-n{self.near:.9g}"
            f"-d{self.cycle_days:.9g}-{self.window_days:.9g}-b{self.band_window}-{self.near_days:.9g}-{self.bands_shared}"
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a worker needs to know to process a document.

    max_body_bytes: a larger document is rejected before it is parsed (after decompression).
    timeout_seconds: hard limit of one document in a worker.
    site_rules: rules of their own that sites have, beside the general ones.
    """

    max_body_bytes: int = 20_000_000
    timeout_seconds: float = 30.0
    fingerprint: FingerprintSettings = field(default_factory=FingerprintSettings)
    group: GroupSettings = field(default_factory=GroupSettings)
    site_rules: SiteRulebook = field(default_factory=SiteRulebook)

    def __post_init__(self) -> None:
        _require(self.max_body_bytes >= 1, "max_body_bytes", self.max_body_bytes, "at least 1")
        _require(self.timeout_seconds > 0, "timeout_seconds", self.timeout_seconds, "above 0")

    @property
    def index_version(self) -> str:
        """Names all that makes the near-duplicate index and the groups: both versions, a blank between."""
        return f"{self.fingerprint.version} {self.group.version}"

    @property
    def rules_version(self) -> str:
        """Names the general rules that make the text: code revision and rule data digest, e.g. `1-9f2c04ab`.

        What a site's own rules helped to make is stored with those as well (see `pipeline.sites.rules`).
        """
        return f"{RULES_REVISION}-{_rule_data_digest()}"


@cache
def _rule_data_digest() -> str:
    digest = hashlib.sha256()
    for entry in sorted(_rule_files(resources.files("pipeline")), key=lambda e: e.name):
        digest.update(entry.name.encode())
        digest.update(entry.read_bytes())
    return digest.hexdigest()[:8]


def _rule_files(folder: Traversable) -> Iterator[Traversable]:
    """Rule data and models of all stages, wherever their package is: a file that moves is still counted."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _rule_files(entry)
        elif entry.name.endswith((".toml", ".npz")):
            yield entry
