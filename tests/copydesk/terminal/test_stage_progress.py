"""Progress of a backfill without a terminal."""

from __future__ import annotations

import pytest

from copydesk.terminal import stage_progress, watching_stages


def test_a_long_stage_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stage_progress, "_LOG_EVERY", 0.0)
    with watching_stages() as progress:
        progress.stage("process", 3)
        progress.advance(documents=20)
        progress.advance(tasks=1)
        progress.stage("settle: outcomes by URL", 0)
        progress.advance()
    assert capsys.readouterr().err.splitlines() == [
        "process: 3 tasks",
        "process: 0 of 3 tasks, 20 documents",
        "process: 1 of 3 tasks, 20 documents",
        "settle: outcomes by URL",
        "settle: outcomes by URL: not done yet",
    ]
