"""Made entries of the index: the same in any parts, with copies that are candidates."""

from __future__ import annotations

import pyarrow as pa
import pytest

from benchmarks.made_bands import made_bucket, made_entries, main
from pipeline.batch import BANDS, SIGNATURES, neighbours
from pipeline.settings import Settings

SETTINGS = Settings()


def test_parts_of_an_index_are_the_whole() -> None:
    whole = made_entries(1, 300, total=1000)
    parts = [made_entries(first, 100, total=1000) for first in (1, 101, 201)]
    assert pa.concat_tables(part.signatures for part in parts).equals(whole.signatures)
    assert pa.concat_tables(part.bands for part in parts).equals(whole.bands)
    assert (whole.signatures.schema, whole.bands.schema) == (SIGNATURES, BANDS)


def test_some_are_candidates_and_most_are_not() -> None:
    made = made_entries(1, 1000, total=1000)
    rows = made.bands.sort_by([(name, "ascending") for name in BANDS.names])
    pairs = neighbours(rows, SETTINGS.group)
    weights = pairs["weight"].to_pylist()
    assert {len(signature) for signature in made.signatures["signature"].to_pylist()} == {
        4 * SETTINGS.fingerprint.num_perm
    }
    enough = sum(weight >= SETTINGS.group.bands_shared for weight in weights)
    assert 300 < enough < 10_000
    assert len(weights) > enough


def test_buckets_are_the_whole() -> None:
    rows = [tuple(row.values()) for n in range(3) for row in made_bucket(50, n, 3).to_pylist()]
    whole = [tuple(row.values()) for row in made_entries(1, 50, total=50).bands.to_pylist()]
    assert sorted(rows) == sorted(whole)
    assert [tuple(row.values()) for row in made_bucket(50, 0, 1).to_pylist()] == sorted(whole)


def test_costs_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--articles", "1000"])
    assert capsys.readouterr().out.splitlines()[-1].startswith("| 1,000 | 3")
