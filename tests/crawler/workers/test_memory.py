"""The memory limit of a process."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource
from crawler.workers.memory import held_bytes, limit_memory
before = held_bytes()
most = limit_memory(100_000_000)
assert before and 99_000_000 < most - before < 120_000_000, (before, most)
assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
held = bytearray(50_000_000)
try:
    bytearray(100_000_000)
except MemoryError:
    print("refused")
"""


def test_memory_beyond_the_limit_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("refused\n", "")
