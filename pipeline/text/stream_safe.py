"""Limits runs of combining marks, as Unicode's Stream-Safe Text Format does (UAX 15, section 13).

A text is normalised for searching and for comparing. That sorts each run of marks, in time that grows with
the square of its length: 400,000 marks take minutes. No language needs more than a few.
"""

from __future__ import annotations

import re
from unicodedata import combining

MOST_MARKS = 30

_LONG_RUN = re.compile(rf"[^\w\s\0-\x7f]{{{MOST_MARKS + 1},}}")


def stream_safe(text: str) -> str:
    """The text with at most 30 combining marks in a row; the rest of a run is left out."""
    # Most texts have no token that is long enough, and splitting is quick.
    if text.isascii() or not any(len(token) > MOST_MARKS and not token.isascii() for token in text.split()):
        return text
    return _LONG_RUN.sub(_limited, text)


def _limited(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for char in run[0]:
        marks = marks + 1 if combining(char) else 0
        if marks <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)
