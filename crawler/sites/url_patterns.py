"""The regular expressions of a sites file, which are matched with URLs that strangers write.

RE2 matches them, in time that grows linearly with the URL whatever the expression is. Python's own engine
takes hours for some of 2,000 characters, in the process that crawls all sites.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

MAX_CHARS = 1000


def check_url_pattern(pattern: str) -> None:
    """Raises ValueError with what is wrong with an expression, and what to write instead."""
    if not pattern:
        raise ValueError("'' matches every URL; write an expression or leave it out")
    if len(pattern) > MAX_CHARS:
        raise ValueError(
            f"{pattern[:60]!r} is no expression of at most {MAX_CHARS} characters; write several of them"
        )
    try:
        _compiled(pattern)
    except re2.error as error:
        why = error.args[0].decode("utf-8", "replace") if error.args else "invalid"
        raise ValueError(f"{pattern!r} is no regular expression{_remedy(pattern, why)}") from error


def _remedy(pattern: str, why: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError):
        return f" ({why}); in TOML write it in 'single quotes'"
    return (
        f" of RE2 ({why}), which has no look-ahead, look-behind and back references, and repeats at most"
        " 1,000 times; write it without them"
    )


def matches_url(pattern: str, url: str) -> bool:
    """Whether the expression, which was checked, matches the URL somewhere."""
    return _compiled(pattern).search(url.encode("utf-8", "replace")) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern.encode("utf-8", "replace"), options)
