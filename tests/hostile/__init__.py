"""Pages that held up a crawl, a run or a worker once; README.md says what each did."""

from __future__ import annotations

import gzip
from pathlib import Path

FOLDER = Path(__file__).parent


def pages() -> dict[str, bytes]:
    """The hostile pages by name."""
    return {
        path.name.partition(".")[0]: gzip.decompress(path.read_bytes())
        for path in sorted(FOLDER.glob("*.gz"))
    }
