"""Drops the attributes of tags that have very many.

libxml2 compares each attribute of a tag with all others: 300,000 of them take more than a minute, and a page
of a few megabytes can have as many.
"""

from __future__ import annotations

import re

MOST_ATTRIBUTES = 1000

# A quoted value is read up to a limit, so that a missing quotation mark costs little for each tag before it.
_TAG = re.compile(
    rb"""(<[a-zA-Z][^\s<>/]*+)
    (?:
        [\s/="']*+ [^\s<>/="']++
        (?: \s*+ = \s*+ (?: "[^"]{0,100000}+" | '[^']{0,100000}+' | [^\s>"']*+ ) )?+
    ){%d,}+
    """
    % (MOST_ATTRIBUTES + 1),
    re.VERBOSE,
)


def without_excessive_attributes(html: bytes) -> bytes:
    """The page; a tag of more than 1,000 attributes has none of them."""
    return _TAG.sub(rb"\1", html)
