"""What may not happen: an exception that is not declared, time that is not linear, too much memory.

Time is processor time of the thread, and only ratios of times decide. Memory is what the system has given to
the process at most while the function ran (Linux).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.fuzz.mutation import pumped
from tests.fuzz.targets import Target

# An input, and what is repeated of it.
Pump = tuple[bytes, int, int]

_FIRST = 1 << 12
# A run that takes less cannot be compared with another.
_MEASURABLE_SECONDS = 0.004
# If twice the input takes three times as long or more, twice in a row, time is not linear. Quadratic time
# takes four times as long.
_NOT_LINEAR = 3.0
_ENDLESS_SECONDS = 8.0
# Memory may be 50 times the input, and what a function needs whatever its input is.
_TIMES_INPUT = 50
_FLOOR_BYTES = 96 << 20
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Finding(Exception):
    """Raised for an input with which a target does what it may not do."""


def warm_up(target: Target, seeds: Sequence[bytes]) -> None:
    """Load what the target needs whatever its input is, such as the model: no input is charged for it."""
    for seed in seeds:
        with suppress(*target.declared):
            target.run(seed)


def check(target: Target, data: bytes) -> None:
    """Raises Finding if the target raises what it does not declare, or needs too much memory."""
    before = _reset_peak()
    try:
        target.run(data)
    except target.declared:
        pass
    except Exception as error:
        raise Finding(f"{target.name}: {type(error).__name__}: {error}") from error
    grown = _peak() - before
    allowed = _TIMES_INPUT * len(data) + _FLOOR_BYTES
    if grown > allowed:
        raise Finding(f"{target.name}: {grown >> 20} MiB for an input of {len(data)} bytes")


def check_growth(target: Target, pump: Pump) -> None:
    """Raises Finding if the time of the target is not linear in the number of repetitions, or as `check`."""
    data, start, end = pump
    sizes, times = [], []
    size = max(_FIRST, 2 * len(data))
    while size <= target.longest:
        longer = pumped(data, start, end, size)
        sizes.append(size)
        times.append(_seconds(target, longer))
        if times[-1] > _ENDLESS_SECONDS:
            break
        size *= 2
    if sizes:
        check(target, pumped(data, start, end, sizes[-1]))
    if len(times) < 3 or times[-3] < _MEASURABLE_SECONDS or not _grows_twice(times):
        return
    # Once more, lest something else was measured.
    again = [min(_seconds(target, pumped(data, start, end, size)) for _ in range(2)) for size in sizes[-3:]]
    if _grows_twice(again):
        shown = ", ".join(f"{size}: {spent:.3f} s" for size, spent in zip(sizes[-3:], again, strict=True))
        raise Finding(f"{target.name}: not linear in repetitions of {data[start:end][:60]!r} ({shown})")


def _grows_twice(times: list[float]) -> bool:
    first, second, third = times[-3:]
    return second >= _NOT_LINEAR * first and third >= _NOT_LINEAR * second


def _seconds(target: Target, data: bytes) -> float:
    began = time.thread_time()
    try:
        target.run(data)
    except target.declared:
        pass
    except Exception as error:
        raise Finding(f"{target.name}: {type(error).__name__}: {error}") from error
    return time.thread_time() - began


def _reset_peak() -> int:
    """Bytes that the process has now, from which its peak is counted again."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return 0
    return _peak()


def _peak() -> int:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")), 0)
