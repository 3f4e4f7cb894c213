"""Waits for what another process or thread does, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds after which something is broken, and not just slow.
PATIENCE = 600.0


def wait_until(
    condition: Callable[[], object], failure: Callable[[], str] = lambda: "nothing happened"
) -> None:
    """Wait until the condition holds; fails with what `failure` says when there is no patience left."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, failure()
        time.sleep(0.05)
