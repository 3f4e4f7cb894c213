"""Processor time and elapsed time of a command, from its start to its end.

    python -m benchmarks.latency [--rounds N] [--page FILE]

Each command runs in its own process, in turn with the others, with warm files and compiled modules.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.medians import Spread, spread

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "tests" / "pages" / "articles" / "german.html"
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of one command."""

    command: str
    processor: Spread
    clock: Spread


def measure(page: Path = PAGE, rounds: int = ROUNDS) -> list[Latency]:
    """`--help`, `extract` and `stats`, and for comparison an interpreter that does nothing.

    Raises CalledProcessError where a command fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/latency.db"
        run([*_COPYDESK, "ingest", str(page), "--db", database])
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "copydesk --help": [*_COPYDESK, "--help"],
            "copydesk extract PAGE": [*_COPYDESK, "extract", str(page)],
            "copydesk stats": [*_COPYDESK, "stats", "--db", database],
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for turn in range(rounds + 1):
            for name, command in commands.items():
                took = run(command)
                if turn:  # the first round reads files from the disk
                    found[name].append(took)
    return [
        Latency(name, spread([own for own, _ in took]), spread([clock for _, clock in took]))
        for name, took in found.items()
    ]


_COPYDESK = [sys.executable, "-m", "copydesk"]


def run(command: Sequence[str]) -> tuple[float, float]:
    """Processor seconds of a command and its children, and elapsed seconds."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=said)
    return usage.ru_utime + usage.ru_stime, seconds


def as_markdown(found: Sequence[Latency]) -> str:
    lines = ["| command | processor time, s | by the clock, s |", "|---|---|---|"]
    lines += [f"| `{one.command}` | {one.processor.shown()} | {one.clock.shown()} |" for one in found]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    print(as_markdown(measure(options.page.resolve(), options.rounds)))


if __name__ == "__main__":
    main()
