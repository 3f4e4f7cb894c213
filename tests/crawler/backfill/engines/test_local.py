"""The engine of one machine does what engines must do. Spark: `tests.crawler.backfill.test_plan`."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.backfill import Folder
from crawler.backfill.engines import LocalEngine
from pipeline.errors import OperatorError
from tests.crawler.backfill.engines.checks import CHECKS, Check
from tests.crawler.backfill.engines.squares import number_tasks, square

MEMORY = 256 << 20


@pytest.mark.parametrize("check", CHECKS)
def test_local(check: Check, tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "out"))
    check(lambda **more: LocalEngine(folder, workers=2, memory_bytes=MEMORY, **more), folder)


def test_a_task_that_always_kills_its_process_ends_the_stage(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    tasks = number_tasks(folder, 1, deaths=99)
    engine = LocalEngine(folder, workers=1, memory_bytes=MEMORY)
    with engine, pytest.raises(OperatorError) as raised:
        engine.tasks("square", tasks, square)
    assert str(raised.value) == "n0: worker died: the worker was ended by SIGKILL"
