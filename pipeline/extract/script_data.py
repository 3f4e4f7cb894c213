"""Finds long texts in the data of a page's scripts: markup in strings, and lists of paragraphs.

Frameworks put the data of a page into a script (__NEXT_DATA__, __NUXT__, __APOLLO_STATE__): as JSON, as JSON
in a string of JSON, or as the argument of a call. A story in it is one string of markup, or a list with an
object for each paragraph.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

# Characters of one script that are searched.
_SCRIPT_CHARS = 5_000_000
# JSON in a string of JSON in a script is common; deeper nesting is not.
_NESTED = 3
_PARAGRAPH_END = re.compile(r"/p(?:>|\\+u003[eE])")
_PARAGRAPHS = re.compile(r"<p[ >].*</p>", re.S)
# Pushed by Next.js: pieces of one text, which are cut anywhere.
_PUSHED = re.compile(r'__next_f\.push\(\[1,("(?:[^"\\]|\\.)*")\]\)')

# Keys under which an element of a list of paragraphs has its text or markup.
_TEXT_KEYS = ("content", "text", "html", "value", "body", "paragraph", "markup", "data", "p")
# Keys of a teaser.
_TEASER_KEYS = frozenset(("headline", "title", "url", "href", "slug", "link"))
# Types of elements that are no paragraphs.
_NO_PARAGRAPH = re.compile(
    r"image|photo|picture|video|audio|gallery|embed|caption|credit|\bads?\b|advert|related|newsletter|promo\w*"
    r"|tweet|comment|link_?list|interstitial\w*|author|button|raw_html",
    re.I,
)
_MOST_DEPTH = 40
# Paragraphs have so many characters on average; labels have fewer.
_PARAGRAPH_CHARS = 80


def markup_in(script: str | None) -> Iterator[str]:
    """The strings of a script that hold the markup of several paragraphs, decoded."""
    if not script or "/p" not in script:
        return
    script = script[:_SCRIPT_CHARS]
    if "__next_f" in script:
        script = json.dumps("".join(_decoded(piece) or "" for piece in _PUSHED.findall(script)))
    yield from _markup_in(script, _NESTED)


def _markup_in(text: str, nested: int) -> Iterator[str]:
    start = 0
    while found := _PARAGRAPH_END.search(text, start):
        begin, end = _quoted(text, start, found.start())
        start = max(end, found.end())
        value = _decoded(text[begin:end])
        if value is None or "/p" not in value:
            continue
        # A string that is JSON itself has more escapes in it.
        inner = list(_markup_in(value, nested - 1)) if nested > 1 and '"' in value else []
        if inner:
            yield from inner
        elif value.count("</p>") >= 2 and 0 <= value.find("<p") < value.find("</p>"):
            yield from _PARAGRAPHS.findall(value)


def _quoted(text: str, start: int, place: int) -> tuple[int, int]:
    """Beginning and end of the string, with its quotation marks, around a place in JSON or in a script."""
    begin = text.rfind('"', start, place)
    while begin > start and _is_escaped(text, begin):
        begin = text.rfind('"', start, begin)
    end = text.find('"', place)
    while end > 0 and _is_escaped(text, end):
        end = text.find('"', end + 1)
    return (begin, end + 1) if 0 <= begin < end else (place, place)


def _is_escaped(text: str, place: int) -> bool:
    before = place
    while before and text[before - 1] == "\\":
        before -= 1
    return (place - before) % 2 == 1


def _decoded(string: str) -> str | None:
    try:
        value = json.loads(string, strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def paragraph_lists_in(script: str | None) -> Iterator[str]:
    """The lists of paragraphs in a script's JSON, each as markup."""
    if not script:
        return
    try:
        data = json.loads(_json_of(script[:_SCRIPT_CHARS]), strict=False)
    except (ValueError, RecursionError):
        return
    yield from _paragraph_lists(data, 0)


def _json_of(script: str) -> str:
    """A script that is one object of JSON, or that assigns one: the object."""
    script = script.strip()
    if not script.startswith(("{", "[")):
        begin = script.find("{")
        head = script[: max(begin, 0)]
        if begin < 0 or len(head) > 200 or not head.rstrip().endswith(("=", "(")):
            return ""
        end = script.rfind("}")
        script = script[begin : end + 1]
    return script


def _paragraph_lists(value: Any, depth: int) -> Iterator[str]:
    if depth > _MOST_DEPTH:
        return
    if isinstance(value, str):
        if len(value) > 200 and value.lstrip().startswith(("{", "[")):
            try:
                yield from _paragraph_lists(json.loads(value, strict=False), depth + 1)
            except (ValueError, RecursionError):
                return
    elif isinstance(value, dict):
        for inner in value.values():
            if isinstance(inner, dict | list | str):
                yield from _paragraph_lists(inner, depth + 1)
    elif isinstance(value, list):
        if any(isinstance(item, str) for item in value) and not _are_paragraphs(value):
            value = [item for item in value if not isinstance(item, str)]
        paragraphs = [text for item in value if (text := _paragraph(item))]
        if len(paragraphs) >= 2:
            yield "".join(paragraphs)
        else:
            for inner in value:
                if isinstance(inner, dict | list | str):
                    yield from _paragraph_lists(inner, depth + 1)


def _are_paragraphs(items: list[Any]) -> bool:
    """Whether a list of strings has paragraphs, and not names and labels."""
    chars = [len(item) for item in items if isinstance(item, str)]
    return len(chars) == len(items) and sum(chars) >= _PARAGRAPH_CHARS * len(chars)


def _paragraph(item: Any) -> str:
    """The markup of one element of a list of paragraphs; "" if it is none."""
    if isinstance(item, str):
        return _as_paragraph(item) if " " in item.strip() else ""
    if not isinstance(item, dict) or not _TEASER_KEYS.isdisjoint(item):
        return ""
    kind = next((item[key] for key in ("type", "_type", "__typename", "kind", "name") if key in item), "")
    if isinstance(kind, str) and _NO_PARAGRAPH.search(kind):
        return ""
    for key in _TEXT_KEYS:
        inner = item.get(key)
        if isinstance(inner, dict):
            inner = next((inner[k] for k in _TEXT_KEYS if isinstance(inner.get(k), str)), None)
        if isinstance(inner, str) and " " in inner.strip():
            return _as_paragraph(inner, is_heading="head" in str(kind).lower())
    children = item.get("children") or item.get("content")
    if isinstance(children, list):
        return _as_paragraph(
            escape("".join(_texts(children, 0)), quote=False), is_heading="head" in str(kind).lower()
        )
    return ""


def _texts(nodes: Iterable[Any], depth: int) -> Iterator[str]:
    """The texts of the spans of a paragraph."""
    for node in nodes:
        if isinstance(node, dict) and depth < 6:
            own = next((node[key] for key in ("text", "value") if isinstance(node.get(key), str)), None)
            if own is not None:
                yield own
            elif isinstance(inner := node.get("children") or node.get("content"), list):
                yield from _texts(inner, depth + 1)


def _as_paragraph(text: str, *, is_heading: bool = False) -> str:
    text = text.strip()
    if not text or text.startswith(("http://", "https://", "{", "[", "<script", "<style", "<iframe")):
        return ""
    if text.startswith("<") and "</" in text:
        return text if text.count("</p>") < 2 else ""
    tag = "h2" if is_heading else "p"
    return f"<{tag}>{text}</{tag}>"
