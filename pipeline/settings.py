"""Frozen, validated settings of the pipeline. The constructors raise ValueError for a wrong value.

Stored rows carry three version strings. `Settings.rules_version` changes if the same page could give a
different text, `FingerprintSettings.version` if the same text could give a different signature or different
bands, `GroupSettings.version` if the same signatures could give different groups.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable

from pipeline.errors import OperatorError
from pipeline.sites import EXTRACTORS, SiteRulebook, SiteRules, combined_version

DEFAULT_EXTRACTOR = EXTRACTORS[0]

# Raised by hand when code (not data) changes the text of a page.
RULES_REVISION = 7

# Raised by hand when code changes the tokens, shingles or band keys of a text.
FINGERPRINT_REVISION = 5

# Raised by hand when code changes which pairs are neighbours, candidates or copies, or the canonical copies.
GROUP_REVISION = 4

# A near or winnowed band is a number of this many bits, a far band a negative 64-bit one. The first of these
# bits is set in winnowed bands alone (`pipeline.copies.candidates`).
BAND_BITS = 47
WINNOWED_BIT = 1 << (BAND_BITS - 1)

# The number of a band is mixed into its key, and is below this.
MAX_BANDS = 1024


class WrongSetting(OperatorError, ValueError):
    """Raised for a setting that is outside its range, also one of the environment."""


def _require(condition: bool, name: str, value: object, wanted: str) -> None:
    if not condition:
        raise WrongSetting(f"setting {name} = {value!r}: must be {wanted}")


@dataclass(frozen=True, slots=True)
class FingerprintSettings:
    """Parameters of signatures and band keys. Every field changes the stored version.

    An article has bands + lead_bands + far_bands + far_lead_bands rows in the index, and up to about
    winnow_most for its passages. The values were chosen by pair quality and index size.
    docs/tuning.md: FingerprintSettings, Parts of longer texts

    shingle_words: words per shingle.
    shingle_chars: characters per shingle in scripts written without spaces (Chinese, Japanese, Thai).
    bands x rows: bands of the MinHash signature of the whole text.
    lead_words: length of the lead, which has a signature of its own; lead_bands x lead_rows: its bands.
    far_bands x far_rows, far_lead_bands x far_rows: bands of the whole text and of the lead, made of the same
        values, that find copies at any distance in time (see `pipeline.copies.candidates`). Two texts that
        share nine tenths of their shingles share one of these bands with probability .98.
    winnow_words, winnow_chars: words or characters per shingle of which winnowed bands are made (see
        `pipeline.copies.shingles`); winnow_window: least number of shingles in a window; winnow_most: number
        of shingles that are selected of a long text, about, as its windows are longer; winnow_most_of_long:
        the same of a text of more than winnow_long shingles.
    seed: datasketch's seed of the signature of the whole text; the lead has the next one, so that both err
        independently.
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
    winnow_words: int = 8
    winnow_chars: int = 13
    winnow_window: int = 100
    winnow_most: int = 12
    winnow_long: int = 1500
    winnow_most_of_long: int = 10
    seed: int = 1

    def __post_init__(self) -> None:
        for f in fields(self):
            _require(getattr(self, f.name) >= 1, f"fingerprint.{f.name}", getattr(self, f.name), "at least 1")
        for name in ("shingle_words", "shingle_chars", "winnow_words", "winnow_chars"):
            _require(getattr(self, name) <= 16, f"fingerprint.{name}", getattr(self, name), "at most 16")
        _require(
            self.bands + self.lead_bands + self.far_bands + self.far_lead_bands <= MAX_BANDS,
            "fingerprint.lead_bands",
            self.lead_bands,
            f"at most {MAX_BANDS} together with the other bands",
        )
        for name, values in (
            ("far_bands", self.whole_size),
            ("far_lead_bands", self.lead_size),
        ):
            _require(
                getattr(self, name) * self.far_rows <= values,
                f"fingerprint.{name}",
                getattr(self, name),
                f"at most {values // self.far_rows}: {values} values make no more bands of {self.far_rows}",
            )

    @property
    def whole_size(self) -> int:
        """MinHash values of the whole text."""
        return self.bands * self.rows

    @property
    def lead_size(self) -> int:
        """MinHash values of the lead."""
        return self.lead_bands * self.lead_rows

    @property
    def num_perm(self) -> int:
        """MinHash values of both."""
        return self.whole_size + self.lead_size

    @property
    def version(self) -> str:
        """The scheme and every setting: `affine32-r5-w3c5-12x2-60-12x2-f3x6-2x6-p8c13-100-12-1500-10-s1`."""
        return (
            f"affine32-r{FINGERPRINT_REVISION}-w{self.shingle_words}c{self.shingle_chars}-{self.bands}x{self.rows}"
            f"-{self.lead_words}-{self.lead_bands}x{self.lead_rows}"
            f"-f{self.far_bands}x{self.far_rows}-{self.far_lead_bands}x{self.far_rows}"
            f"-p{self.winnow_words}c{self.winnow_chars}-{self.winnow_window}-{self.winnow_most}"
            f"-{self.winnow_long}-{self.winnow_most_of_long}-s{self.seed}"
        )


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """Thresholds that decide whether two candidates are copies of one story. docs/tuning.md: GroupSettings

    containment: least share of the shorter text's shingles that are in the longer. A lower value accepts
        stories that share background paragraphs; a higher value loses copies with a rewritten lead.
    particulars: least share of the shorter text's numbers and capitalised words that are in the longer. It
        separates stories made from one template, which have different numbers and names each week.
    near: a pair of at least this Jaccard similarity is called near, else partial.
    cycle_days, window_days: the two thresholds are for texts published within `cycle_days` of each other.
        They are higher for undated texts and for longer gaps, and higher again beyond `window_days`.
    band_window: in each band an article is compared with this many articles before and as many after it in
        time. It limits the cost of a band that many articles share (see `pipeline.copies.candidates`).
    near_days: neighbours in a near or winnowed band are at most so many days apart; far bands find later
        copies. Each day adds to the part of the index that current news needs in memory.
    bands_shared: neighbours in so many near bands, or in one winnowed or far band, are compared.
    values_shared: one near band is enough where so many values of the two signatures agree.
    """

    containment: float = 0.55
    particulars: float = 0.8
    near: float = 0.7
    cycle_days: float = 1.0
    window_days: float = 5.0
    band_window: int = 16
    near_days: float = 3.0
    bands_shared: int = 2
    values_shared: int = 4

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
        for name in ("band_window", "bands_shared", "values_shared"):
            _require(getattr(self, name) >= 1, f"group.{name}", getattr(self, name), "at least 1")

    @property
    def version(self) -> str:
        """Names every setting, as each can change the pairs, e.g. `g4-c0.55-p0.8-n0.7-d1-5-b16-3-2-4`."""
        return (
            f"g{GROUP_REVISION}-c{self.containment:.9g}-p{self.particulars:.9g}-n{self.near:.9g}"
            f"-d{self.cycle_days:.9g}-{self.window_days:.9g}"
            f"-b{self.band_window}-{self.near_days:.9g}-{self.bands_shared}-{self.values_shared}"
        )


@dataclass(frozen=True, slots=True)
class ReadingSettings:
    """Limits of the process that reads files; a file that runs into one costs itself.

    memory_bytes: what the process may use beyond what it has at its start.
    seconds, seconds_per_mb: processor time for a file, and how much more for each megabyte of it.
    stall_seconds: how long a file may neither give a document nor be read further. Pipes are waited for.
    fields: keys of records that an operator has named, each as (our key, the record's key).
    """

    memory_bytes: int = 1 << 30
    seconds: float = 30.0
    seconds_per_mb: float = 5.0
    stall_seconds: float = 120.0
    fields: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "seconds", "stall_seconds"):
            _require(getattr(self, name) > 0, f"reading.{name}", getattr(self, name), "above 0")
        _require(self.seconds_per_mb >= 0, "reading.seconds_per_mb", self.seconds_per_mb, "at least 0")


def _default_min_words() -> int:
    text = os.environ.get("COPYDESK_MIN_WORDS") or "0"
    _require(text.isascii() and text.isdecimal() and len(text) < 10, "COPYDESK_MIN_WORDS", text, "a number")
    return int(text)


def _default_extractor() -> str:
    return os.environ.get("COPYDESK_EXTRACTOR") or DEFAULT_EXTRACTOR


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that a worker needs to process a document.

    max_body_bytes: a larger document is rejected before it is parsed (after decompression).
    timeout_seconds: hard time limit for one document in a worker.
    reading: limits of the process that reads files.
    site_rules: the rules of single sites, which apply in addition to the general ones.
    extractor: one of `EXTRACTORS`, which finds the article of a page. The rules of a site may name a
        different one for that site. The default is what COPYDESK_EXTRACTOR names in the environment.
    min_words: an article with fewer words is rejected. The default is COPYDESK_MIN_WORDS, or 0.
    """

    max_body_bytes: int = 20_000_000
    timeout_seconds: float = 30.0
    fingerprint: FingerprintSettings = field(default_factory=FingerprintSettings)
    group: GroupSettings = field(default_factory=GroupSettings)
    reading: ReadingSettings = field(default_factory=ReadingSettings)
    site_rules: SiteRulebook = field(default_factory=SiteRulebook)
    extractor: str = field(default_factory=_default_extractor)
    min_words: int = field(default_factory=_default_min_words)

    def __post_init__(self) -> None:
        _require(self.extractor in EXTRACTORS, "extractor", self.extractor, f"one of {', '.join(EXTRACTORS)}")
        _require(self.min_words >= 0, "min_words", self.min_words, "at least 0")
        _require(self.max_body_bytes >= 1, "max_body_bytes", self.max_body_bytes, "at least 1")
        _require(self.timeout_seconds > 0, "timeout_seconds", self.timeout_seconds, "above 0")

    @property
    def index_version(self) -> str:
        """Version of the near-duplicate index and the groups: both versions, separated by a blank."""
        return f"{self.fingerprint.version} {self.group.version}"

    @property
    def rules_version(self) -> str:
        """Version of the general rules: code revision and rule data digest, e.g. `1-9f2c04ab`.

        If a site's own rules were used, their version is stored too (see `pipeline.sites.rules`). An
        extractor that is not the default is named last, e.g. `1-9f2c04ab-trafilatura`.
        """
        own = "" if self.extractor == DEFAULT_EXTRACTOR else f"-{self.extractor}"
        return f"{RULES_REVISION}-{_rule_data_digest()}{own}"

    def extractor_for(self, rules: SiteRules | None) -> str:
        """The extractor for pages of a site. rules: of the site."""
        return rules.extractor or self.extractor if rules is not None else self.extractor


def attempt_version(rules_version: str, site_rules: SiteRulebook, host: str) -> str:
    """Version of what makes a page hang or kill a worker, e.g. `4-a43f515f copydesk-0.1.0 lxml-5.3 …`.

    The rules for the host, without what was learned of it, and the releases of Copydesk and its parsers.
    """
    return f"{combined_version(rules_version, site_rules.of_host(host))} {_code_version()}"


@cache
def _code_version() -> str:
    """The releases of Copydesk and of the libraries that read pages."""
    return " ".join(f"{name}-{_release(name)}" for name in ("copydesk", "lxml", "trafilatura"))


def _release(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # run from a folder, not installed
        return "unknown"


@cache
def _rule_data_digest() -> str:
    digest = hashlib.sha256()
    for entry in sorted(_rule_files(resources.files("pipeline")), key=lambda e: e.name):
        digest.update(entry.name.encode())
        digest.update(entry.read_bytes())
    return digest.hexdigest()[:8]


def _rule_files(folder: Traversable) -> Iterator[Traversable]:
    """Rule data and models of all stages, in any package, so that a moved file is still included."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _rule_files(entry)
        elif entry.name.endswith((".toml", ".npz")):
            yield entry
