"""The same revision of the code gives the same outcomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import outcomes


@pytest.fixture(scope="module")
def now() -> dict[str, object]:
    return outcomes.current()


def test_outcomes_only_change_with_a_revision(now: dict[str, object]) -> None:
    assert outcomes.changes(outcomes.recorded(), now) == [], (
        "the code changes what pages give: raise RULES_REVISION (or FINGERPRINT_REVISION) in"
        " pipeline/settings.py, then run python -m tests.outcomes"
    )


def test_the_recorded_versions_are_those_of_the_code(now: dict[str, object]) -> None:
    assert outcomes.recorded() == now, "run python -m tests.outcomes"


def test_recording_is_refused_under_the_same_revision(
    now: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "outcomes.json"
    monkeypatch.setattr(outcomes, "RECORDED", path)
    monkeypatch.setattr(outcomes, "current", lambda: now)
    before = json.loads(json.dumps(now))
    before["outcomes"]["article.title"] = "0" * 16
    path.write_text(json.dumps(before))
    assert outcomes.record() == ["article.title"]
    assert outcomes.recorded() == before

    before["rules_version"] = "0-older"
    path.write_text(json.dumps(before))
    assert outcomes.record() == []
    assert outcomes.recorded() == now


def test_fingerprints_are_compared_separately_from_texts(now: dict[str, object]) -> None:
    before = json.loads(json.dumps(now))
    before["fingerprints"] = "0" * 16
    assert outcomes.changes(before, now) == ["article.fingerprint"]
    before["outcomes"]["article.text"] = "0" * 16
    before["rules_version"] = "0-older"
    assert outcomes.changes(before, now) == [], "other texts have other fingerprints"
    before["outcomes"]["article.text"] = json.loads(json.dumps(now))["outcomes"]["article.text"]
    before["fingerprint_revision"] = -1
    assert outcomes.changes(before, now) == []
