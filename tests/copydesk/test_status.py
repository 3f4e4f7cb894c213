"""Exit statuses never change, because scripts compare the numbers."""

from __future__ import annotations

from copydesk.status import Status


def test_the_numbers_stay() -> None:
    assert {status.name: int(status) for status in Status} == {
        "DONE": 0,
        "FAULTS": 1,
        "USAGE": 2,
        "ALERT": 3,
        "BUSY": 75,
        "INTERRUPTED": 130,
    }
