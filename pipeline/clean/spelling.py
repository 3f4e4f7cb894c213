"""The spelling in which rules see a line: straight quotes, plain dashes and blanks, no decoration."""

from __future__ import annotations

import re

# One character for one, so that offsets in the folded text hold in the original.
_FOLD = {
    **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\u00a0\u2009\u202f\u3000\t", " "),
    "İ": "I",  # the one letter whose lower case is two characters
    "：": ":",
    "｜": "|",
}
_FOLDED = re.compile(f"[{''.join(_FOLD)}]")
# Quotations that open with » have no blank behind it. Before a blank it is an arrow.
_ARROWS = re.compile(r"»{1,3}(?=\s)")
_DECORATION = re.compile(r"^[^\w\"'©#@$£€<]+")
# What a line may end with beside letters and digits.
_KEPT_AT_END = frozenset("_\"'?%)")
_BLANKS = re.compile(r"\s+")


def folded(text: str) -> str:
    """The text in the spelling of the rules, character by character."""
    if text.isascii():
        return text
    if arrows := _ARROWS.match(text):
        text = ">" * arrows.end() + text[arrows.end() :]
    return _FOLDED.sub(lambda match: _FOLD[match[0]], text)


def folded_phrase(phrase: str) -> str:
    """A site's phrase in the spelling of the rules, in lower case, with single blanks."""
    return folded(_BLANKS.sub(" ", phrase)).lower()


def without_decoration(text: str) -> str:
    """The folded text without bullets, arrows and brackets before it."""
    return text if text[:1].isalnum() else _DECORATION.sub("", text)


def without_closing(text: str) -> str:
    """The folded text without its closing punctuation."""
    end = len(text)
    while end and not ((last := text[end - 1]).isalnum() or last in _KEPT_AT_END):
        end -= 1
    return text[:end]
