"""Counts the instructions of the hottest functions, which do not depend on the load of the machine.

    python -m benchmarks.instructions [--record] [--with perf|cachegrind]

Each function runs on pages or texts of the repository, in its own process with a fixed hash seed, twice: with
N and with 2 N rounds. The difference is the count of N rounds without the start of the process. Instructions
are counted by `perf stat -e instructions:u` if that works here, else by valgrind's cachegrind, which takes
some minutes. instructions.json has the counts for each minor version of Python and each way of counting. A
count more than 5 % above them is reported, and the exit status is 1. `--record` writes the present counts.

A count also depends on the versions of Python, lxml and numpy: compare with those of tests/constraints.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.repository import article_pages, stories
from pipeline.page.decode import decode_body
from pipeline.settings import Settings

ROOT = Path(__file__).parents[1]
RECORDED = Path(__file__).with_name("instructions.json")
TOLERANCE = 0.05


def _page_to_outcome() -> Callable[[], Any]:
    """Everything that a worker does."""
    from pipeline.process import process_document

    settings, documents = Settings(), article_pages()
    return lambda: [process_document(document, settings) for document in documents]


def _text_to_blocks() -> Callable[[], Any]:
    """From a decoded page to its tree and blocks."""
    from pipeline.extract.parse import parse
    from pipeline.page.blocks import segment_page

    htmls = [
        decode_body(document.body, document.encoding, document.media_type) for document in article_pages()
    ]
    return lambda: [segment_page(parse(html)) for html in htmls]


def _text_to_fingerprint() -> Callable[[], Any]:
    """From clean text to signature and bands."""
    from pipeline.copies.fingerprint import fingerprint

    settings, texts = Settings().fingerprint, stories()
    return lambda: [fingerprint(text, settings) for text in texts]


# The functions with their rounds: enough that the variation between runs is a small part.
FUNCTIONS: dict[str, tuple[Callable[[], Callable[[], Any]], int]] = {
    "process_document": (_page_to_outcome, 1),
    "parse and segment": (_text_to_blocks, 4),
    "fingerprint": (_text_to_fingerprint, 10),
}


def run(name: str, rounds: int) -> None:
    """The counted work: prepare and warm the function, then call it so many times."""
    prepare, _ = FUNCTIONS[name]
    function = prepare()
    function()
    for _ in range(rounds):
        function()


def perf_works() -> bool:
    """Whether this machine can count instructions; many virtual machines cannot."""
    return shutil.which("perf") is not None and _by_perf([sys.executable, "-c", "pass"]) is not None


def count(name: str, way: str) -> int:
    """Instructions of the function over all pages of the repository, once. Raises OSError if not counted."""
    _, rounds = FUNCTIONS[name]
    few, many = (_counted([name, str(rounds * times)], way) for times in (1, 2))
    return round((many - few) / rounds)


def _counted(arguments: Sequence[str], way: str) -> int:
    command = [sys.executable, "-m", "benchmarks.instructions", "--run", *arguments]
    counted = _by_perf(command) if way == "perf" else _by_cachegrind(command)
    if counted is None:
        raise OSError(f"{way} gave no count of instructions for {' '.join(arguments)}")
    return counted


def _by_perf(command: Sequence[str]) -> int | None:
    done = _done(["perf", "stat", "-x,", "-e", "instructions:u", *command])
    found = re.search(r"^(\d+),[^,]*,instructions:u", done.stderr, re.MULTILINE)
    return int(found[1]) if found else None


def _by_cachegrind(command: Sequence[str]) -> int | None:
    # Counts what callgrind does, in half the time.
    options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = _done(["valgrind", *options, *command])
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    return int(found[1].replace(",", "")) if found and done.returncode == 0 else None


def _done(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = {**os.environ, **one_thread, "PYTHONHASHSEED": "0"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def recorded() -> dict[str, dict[str, int]]:
    """Counts by Python's minor version and way of counting, then by function."""
    found: dict[str, dict[str, int]] = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    return found


def measure(way: str) -> dict[str, int]:
    return {name: count(name, way) for name in FUNCTIONS}


def choose_way() -> str:
    """The way of counting on this machine. Raises OSError if there is none."""
    if perf_works():
        return "perf"
    if shutil.which("valgrind"):
        return "cachegrind"
    raise OSError("neither perf counts instructions here, nor is valgrind installed")


def key_of(way: str) -> str:
    return f"Python {'.'.join(platform.python_version_tuple()[:2])}, {platform.machine()}, {way}"


def grown(counts: dict[str, int], known: dict[str, int]) -> list[str]:
    """Functions that exceed their recorded count by more than the tolerance."""
    return [name for name, number in counts.items() if number > known.get(name, number) * (1 + TOLERANCE)]


def as_markdown(counts: dict[str, int], known: dict[str, int], way: str) -> str:
    lines = [
        f"| function ({key_of(way)}) | million instructions | recorded | by recorded |",
        "|---|---|---|---|",
    ]
    for name, number in counts.items():
        before = known.get(name)
        shown = ("—", "—") if before is None else (f"{before / 1e6:.1f}", f"{number / before:.3f}")
        lines.append(f"| {name} | {number / 1e6:.1f} | {shown[0]} | {shown[1]} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="keep today's counts")
    parser.add_argument("--with", dest="way", choices=["perf", "cachegrind"], help="count by this")
    parser.add_argument("--run", nargs=2, metavar=("FUNCTION", "ROUNDS"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run:
        run(options.run[0], int(options.run[1]))
        return 0
    try:
        way = options.way or choose_way()
        counts = measure(way)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    known = recorded().get(key_of(way), {})
    print(as_markdown(counts, known, way))
    if options.record:
        RECORDED.write_text(json.dumps({**recorded(), key_of(way): counts}, indent=1, sort_keys=True) + "\n")
        return 0
    for name in grown(counts, known):
        print(f"{name} takes {counts[name] / known[name] - 1:.1%} more than recorded", file=sys.stderr)
    return 1 if grown(counts, known) else 0


if __name__ == "__main__":
    sys.exit(main())
