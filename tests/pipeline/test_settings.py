"""Settings: wrong values are refused by name, and values that change a result change a version."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from pipeline.settings import MAX_BANDS, FingerprintSettings, GroupSettings, Settings


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (FingerprintSettings, "bands", 0),
        (FingerprintSettings, "shingle_words", 17),
        (FingerprintSettings, "shingle_chars", 17),
        (FingerprintSettings, "lead_bands", MAX_BANDS),
        (FingerprintSettings, "far_bands", 5),  # 5 bands of 6 rows need 30 values, and there are 24
        (FingerprintSettings, "far_lead_bands", 5),
        (GroupSettings, "containment", 0.0),
        (GroupSettings, "particulars", 1.1),
        (GroupSettings, "cycle_days", -1.0),
        (GroupSettings, "window_days", 0.5),  # less than cycle_days
        (GroupSettings, "near_days", 0.0),
        (GroupSettings, "bands_shared", 0),
        (Settings, "max_body_bytes", 0),
        (Settings, "timeout_seconds", 0.0),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(kind: Any, name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"setting (\w+\.)?{name} = "):
        kind(**{name: value})


def test_the_largest_values_that_fit_are_accepted() -> None:
    assert FingerprintSettings(far_bands=4, far_lead_bands=4).far_bands == 4
    assert GroupSettings(containment=1.0, cycle_days=5.0, window_days=5.0).window_days == 5.0


@pytest.mark.parametrize("settings", [FingerprintSettings(), GroupSettings()], ids=["fingerprint", "group"])
def test_every_field_changes_the_version(settings: Any) -> None:
    for name in (field.name for field in fields(settings)):
        value = getattr(settings, name)
        step = -1 if name.startswith("far_") else 1  # there are values for only a few more far bands
        changed = value * 1.125 if isinstance(value, float) else value + step
        assert replace(settings, **{name: changed}).version != settings.version, name


def test_permutations_are_those_of_the_text_and_of_the_lead() -> None:
    settings = FingerprintSettings(bands=10, rows=3, lead_bands=7, lead_rows=2, far_bands=1, far_lead_bands=1)
    assert settings.num_perm == 10 * 3 + 7 * 2


def test_the_index_version_has_both_versions() -> None:
    settings = Settings(group=GroupSettings(near=0.8))
    assert settings.index_version.split(" ") == [settings.fingerprint.version, settings.group.version]
