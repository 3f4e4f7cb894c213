"""Finds the story of a page that shows no text before its scripts run.

Such pages carry the story in JSON-LD, or as markup in the data of their scripts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from pipeline.extract.parse import parse
from pipeline.metadata import Metadata

# A page that shows less text keeps its story in a script, if it has one; a shorter story is none.
BARE_CHARS = 300
# Characters of one script that are searched.
_SCRIPT_CHARS = 5_000_000
# JSON in a string of JSON in a script is common; deeper nesting is not.
_NESTED = 3
_PARAGRAPH_ENDS = ("</p>", "\\u003c/p", "<\\/p>")
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.){200,}"')
_PARAGRAPHS = re.compile(r"<p[ >].*</p>", re.S)


def story_from_scripts(root: Any, about: Metadata) -> Any | None:
    """The story as the tree of a page of its own, or None where no script holds one.

    about: what the page states; its JSON-LD articleBody comes first.
    """
    story = about.article_body
    if len(story) < BARE_CHARS:
        found = (markup for script in root.iter("script") for markup in markup_in(script.text))
        story = max(found, key=len, default="")
    if len(story) < BARE_CHARS:
        return None
    if "</p>" not in story:
        story = "".join(f"<p>{escape(line)}</p>" for line in story.splitlines() if line.strip())
    return parse(f"<html><body><article>{story}</article></body></html>")


def markup_in(script: str | None) -> Iterator[str]:
    """The JSON strings of a script that hold the markup of several paragraphs, decoded."""
    if not script or not any(end in script for end in _PARAGRAPH_ENDS):
        return
    for match in _JSON_STRING.finditer(script[:_SCRIPT_CHARS]):
        text = match[0]
        for _ in range(_NESTED):
            try:
                text = json.loads(text if text.startswith('"') else f'"{text}"', strict=False)
            except (ValueError, RecursionError):
                break
            if not isinstance(text, str):
                break
            if text.count("</p>") >= 2:
                yield from _PARAGRAPHS.findall(text) or [text]
                break
