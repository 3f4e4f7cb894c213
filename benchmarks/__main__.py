"""`python -m benchmarks [CORPORA]`: every measurement, and a report of them in Markdown with plots.

    python -m benchmarks CORPORA [--parts NAME…] [--full] [--out bench-report]

As it stands it takes a quarter of an hour on two cores, with samples of the corpora and short runs; `--full`
takes all of them, lets the long runs be long, and takes hours. What a part measures and how its figures are
defined stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.own_process import apart
from benchmarks.parts import PARTS, Run, part_measured
from benchmarks.report import Report

# Corpora that the README tells how to get. Others are measured as well, if they have the same form.
KNOWN = ("fundus-dev", "multi-dev", "syndicated", "wcxb-dev", "wire")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("corpora", type=Path, nargs="?", help="folder of corpora (benchmarks/README.md)")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), help="these only; else all quick ones")
    parser.add_argument("--full", action="store_true", help="whole corpora, long runs, every part")
    parser.add_argument("--out", type=Path, default=Path("bench-report"))
    options = parser.parse_args(arguments)
    if options.corpora is not None and not options.corpora.is_dir():
        parser.error(f"{options.corpora}: no such folder")
    report = Report(options.out)
    if options.corpora is not None:
        missing = [name for name in KNOWN if not (options.corpora / name).is_dir()]
        if missing:
            report.note(f"Not in {options.corpora}, and so not measured on: {', '.join(missing)}.")
    run = Run(options.corpora, report, options.full)
    figures: list[tuple[str, str]] = []
    for name, part in PARTS.items():
        if name in options.parts if options.parts else options.full or part.is_quick:
            report.part(part.title, partial(_measured, name, run, figures))
    if figures:
        rows = [f"| {name} | {told} |" for name, told in figures]
        report.note("\n".join(["## In short", "", "| what | figure |", "|---|---|", *rows]))
    print(f"\n{report.folder / 'report.md'}")
    return 1 if report.has_failed else 0


def _measured(name: str, run: Run, figures: list[tuple[str, str]]) -> str:
    """What a part found; its figures are added to the others.

    It runs in an interpreter of its own: in memory that another part has left full of holes, arrays are
    hardly ever in the processor's cache, and what works with them takes up to twice its time.
    """
    body, found = apart(part_measured, name, run, is_fresh=True)
    figures += found
    return body


if __name__ == "__main__":
    sys.exit(main())
