"""Writes the hostile pages."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from tests.crawler.web import article
from tests.hostile import FOLDER

MADE: dict[str, Callable[[], bytes]] = {
    "punycode": lambda: b'<meta charset="punycode"><p>-' + b"a" * 1_600_000,
    "marks": lambda: article(1, extra="<p>Ferry a" + "\u0301\u0323" * 200_000 + " sails.</p>"),
    "attributes": lambda: article(
        2, extra="<a " + " ".join(f"a{n}" for n in range(40_000)) + ' href="/x">More</a>'
    ),
    "vowels": lambda: article(3, extra="<p>" + "\u0e31" * 59 + " word</p>"),
    "bars": lambda: article(4).replace(b"<title>", b"<title>" + b"a|" * 30_000),
}

if __name__ == "__main__":
    for name, make in MADE.items():
        (FOLDER / f"{name}.html.gz").write_bytes(gzip.compress(make(), 9, mtime=0))
