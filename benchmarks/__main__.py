"""`python -m benchmarks CORPORA`: every measurement on one folder of corpora, one table after the other."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from platform import machine, python_version

from benchmarks import extraction, grouping

_PARTS = ("copydesk", "trafilatura", "datasketch", "lxml", "numpy")


def main() -> None:
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: make bench CORPORA=FOLDER (see benchmarks/README.md for what stands in it)")
    folder = sys.argv[1]
    parts = ", ".join(f"{name} {version(name)}" for name in _PARTS)
    print(f"Python {python_version()} on {machine()}; {parts}")
    print("\n## Extraction\n", flush=True)
    extraction.main([folder, "--workers", "2"])
    print("\n## Grouping\n", flush=True)
    grouping.main([folder])


if __name__ == "__main__":
    main()
