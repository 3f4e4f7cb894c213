"""Drops the attributes of tags that have very many.

libxml2 compares each attribute of a tag with all others: 300,000 of them take more than a minute, and a page
of a few megabytes can have as many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_ATTRIBUTES = 1000

# `<` stands between attributes as blanks do, for libxml2 reads on there.
_ATTRIBUTE = rb"""(?:
    [\s/="'<]*+ [^\s<>/="']++
    (?: \s*+ = \s*+ (?: "[^"]*+" | '[^']*+' | [^\s>"']*+ ) )?+
)"""
_TAG = re.compile(
    rb"(<[a-zA-Z][^\s<>/]*+) %b{0,%d}+ (%b++)?+" % (_ATTRIBUTE, MOST_ATTRIBUTES, _ATTRIBUTE), re.VERBOSE
)
# What looks like a tag in a script must not swallow the end of the script.
_END_OF_RAW_TEXT = re.compile(rb"</(?:script|style|textarea|title|xmp|iframe|no\w+)", re.IGNORECASE)
# In a quoted value, in double or single marks, which another reader may not take for one.
_DEPTH = 3


def without_excessive_attributes(html: bytes) -> bytes:
    """The page; a tag of more than 1,000 attributes has none of them. In linear time."""
    kept, at = [], 0
    for start, end in _excessive(html, 0, len(html), _DEPTH):
        if start >= at:
            kept.append(html[at:start])
            at = end
            if raw_text := _END_OF_RAW_TEXT.search(html, start, end):
                kept.append(b">")
                at = raw_text.start()
    return b"".join([*kept, html[at:]]) if kept else html


def _excessive(html: bytes, start: int, end: int, depth: int) -> Iterator[tuple[int, int]]:
    """The places of attributes that are too many.

    What looks like a tag in a value of a tag may be one: the tag before it may stand in a comment or a
    script, where its quotation marks mean nothing.
    """
    for tag in _TAG.finditer(html, start):
        if tag.start() >= end:
            break
        if tag[2] is not None:
            yield tag.end(1), tag.end()
        elif depth and html.find(b"<", tag.end(1), tag.end()) >= 0:
            yield from _excessive(html, tag.end(1), tag.end(), depth - 1)
