"""`python -m benchmarks [CORPORA]`: runs every measurement, and writes a report in Markdown with plots.

    python -m benchmarks CORPORA [--parts NAME…] [--full] [--out bench-report]

Without options it takes a quarter of an hour on two cores, with samples of the corpora and short runs.
`--full` uses the whole corpora and long runs, and takes hours. benchmarks/README.md says what each part
measures, and how its figures are defined.
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

# Corpora that the README describes. Other corpora of the same form are measured as well.
KNOWN = ("fundus-dev", "multi-dev", "syndicated", "wcxb-dev", "wire")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("corpora", type=Path, nargs="?", help="folder of corpora (benchmarks/README.md)")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), help="these only; default all quick ones")
    parser.add_argument("--full", action="store_true", help="whole corpora, long runs, every part")
    parser.add_argument("--out", type=Path, default=Path("bench-report"))
    options = parser.parse_args(arguments)
    if options.corpora is not None and not options.corpora.is_dir():
        parser.error(f"{options.corpora}: no such folder")
    report = Report(options.out)
    if options.corpora is not None:
        missing = [name for name in KNOWN if not (options.corpora / name).is_dir()]
        if missing:
            report.note(f"Not measured, because they are not in {options.corpora}: {', '.join(missing)}.")
    run = Run(options.corpora, report, options.full)
    figures: list[tuple[str, str]] = []
    for name, part in PARTS.items():
        if name in options.parts if options.parts else options.full or part.is_quick:
            report.part(part.title, partial(_measured, name, run, figures))
    if figures:
        rows = [f"| {name} | {shown} |" for name, shown in figures]
        report.note("\n".join(["## In short", "", "| what | figure |", "|---|---|", *rows]))
    print(f"\n{report.folder / 'report.md'}")
    return 1 if report.has_failed else 0


def _measured(name: str, run: Run, figures: list[tuple[str, str]]) -> str:
    """Measure a part; its figures are added to those of the others.

    It runs in its own interpreter. Another part leaves memory that is fragmented, in which arrays are rarely
    in the processor's cache, and code that works with them takes up to twice the time.
    """
    body, found = apart(part_measured, name, run, is_fresh=True)
    figures += found
    return body


if __name__ == "__main__":
    sys.exit(main())
