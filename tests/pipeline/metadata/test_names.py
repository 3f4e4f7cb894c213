"""Names in a byline."""

from __future__ import annotations

import pytest

from pipeline.metadata.names import names_of


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("By Ida Brandt and Per Holm", ["Ida Brandt", "Per Holm"]),
        ("Ida Brandt (Malmö), Per Holm", ["Ida Brandt", "Per Holm"]),
        ("ida.brandt@lindenpost.example Ida Brandt", ["Ida Brandt"]),
        ("Brandt & Holm", ["Brandt & Holm"]),
        ("12 | 34", []),
    ],
)
def test_names_of(value: str, names: list[str]) -> None:
    assert names_of([value]) == names
