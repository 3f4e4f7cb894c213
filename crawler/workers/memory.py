"""The memory limit of a process that a stranger's bytes may fill."""

from __future__ import annotations

import contextlib
import resource


def limit_memory(beyond: int) -> int:
    """Limit the address space to its present size and `beyond` bytes; return the most to hold resident.

    What does not get its memory then raises MemoryError, or crashes without a core dump.
    """
    held = held_bytes()
    with contextlib.suppress(OSError, ValueError):  # where the system has no such limit, or a lower one
        limit = _address_bytes() + beyond
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    return held + beyond


def _address_bytes() -> int:
    return _statm(0)


def held_bytes() -> int:
    """The resident memory of this process."""
    return _statm(1)


def _statm(column: int) -> int:
    """Return a figure of /proc/self/statm in bytes; 0 where the system has none."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[column]) * resource.getpagesize()
    except OSError:
        return 0
