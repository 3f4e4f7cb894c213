"""Processes of multiprocessing have the import path of this process (see also tests of
copydesk.safe_path).
"""

from __future__ import annotations

import os
import sys

import pytest

from crawler.runs.fork_server import safe_start


def test_started_processes_have_the_path_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    main = sys.modules["__main__"]
    monkeypatch.setattr(sys, "path", ["/a", "", "mark.of.an.editable.install", "/b:c", "/d"])
    monkeypatch.setenv("PYTHONPATH", "/own")
    monkeypatch.setenv("FIRST", "kept")
    before = dict(os.environ)
    with safe_start({"FIRST": "1", "SECOND": "1"}):
        assert os.environ == {
            **before,
            "SECOND": "1",
            "PYTHONSAFEPATH": "1",
            "PYTHONPATH": f"/a:{os.getcwd()}:/d",
        }
    assert os.environ == before
    assert sys.modules["__main__"] is main
