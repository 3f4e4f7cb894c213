"""Finds long texts in the data of a page's scripts: markup in strings, and lists of paragraphs.

Frameworks put the data of a page into a script (__NEXT_DATA__, __NUXT__, __APOLLO_STATE__): as JSON, as JSON
in a string of JSON, or as the argument of a call. A story in it is one string of markup, or a list with an
object for each paragraph. Next.js (app router) pushes the tree of the page's elements instead, in pieces that
are cut anywhere; Nuxt 3 has one flat list, in which lists and objects name their values by place.
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
# The beginning of a row of what was pushed, with the length of a text.
_ROW = re.compile(rb"[0-9a-f]{1,16}:(?:T([0-9a-f]{1,8}),)?")

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
# Layouts of Next.js are nested deep, with three levels of JSON for each element.
_MOST_TREE_DEPTH = 200
# Elements that are paragraphs in a tree of Next.js, and those that may hold a single one.
_TREE_PARAGRAPHS = frozenset(("p", "h2", "h3", "h4", "li", "blockquote"))
_TREE_BOXES = frozenset(("div", "section"))
# Values of a flat list that are put in their places, on the way to the paragraphs of all its lists.
_MOST_VALUES = 100_000
_VALUE_DEPTH = 5
# Paragraphs have so many characters on average; labels have fewer.
_PARAGRAPH_CHARS = 80


def markup_in(script: str | None) -> Iterator[str]:
    """The strings of a script that hold the markup of several paragraphs, decoded."""
    if not script or "/p" not in script:
        return
    yield from _markup_in(script[:_SCRIPT_CHARS], _NESTED)


def pushed_rows(scripts: Iterable[str]) -> Iterator[str]:
    """What Next.js pushes in the scripts of a page: rows of `id:value`, which come as JSON, texts too."""
    pieces = (_decoded(piece) for script in scripts for piece in _PUSHED.findall(script[:_SCRIPT_CHARS]))
    pushed = "".join(piece or "" for piece in pieces).encode("utf-8", "replace")
    at = 0
    while row := _ROW.match(pushed, at):
        # A text has its length in bytes before it, other values end with their line.
        size = int(row[1], 16) if row[1] else -1
        end = row.end() + size if size >= 0 else pushed.find(b"\n", row.end())
        value = pushed[row.end() : end if end >= 0 else None].decode("utf-8", "replace")
        yield json.dumps(value) if size >= 0 else value
        at = end if size >= 0 else end + 1
        if end < 0:
            return


def element_lists_in(row: str) -> Iterator[str]:
    """The lists of paragraphs in the tree of elements of a row of Next.js, each as markup."""
    if row.startswith(("[", "{")) and '"$"' in row:
        try:
            yield from _element_lists(json.loads(row, strict=False), 0)
        except (ValueError, RecursionError):
            return


def _element_lists(value: Any, depth: int) -> Iterator[str]:
    if depth > _MOST_TREE_DEPTH:
        return
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    paragraphs = [text for item in inner if (text := _element(item))]
    if len(paragraphs) >= 2:
        yield "".join(paragraphs)
        return
    for one in inner:
        yield from _element_lists(one, depth + 1)


def _element(node: Any, depth: int = 0) -> str:
    """The markup of an element that is a paragraph, or a box around one; "" for any other."""
    if not (isinstance(node, list) and len(node) >= 4 and node[0] == "$" and isinstance(node[3], dict)):
        return ""
    tag, children = node[1], node[3].get("children")
    if tag in _TREE_PARAGRAPHS:
        text = " ".join("".join(_texts_of_element(children, 0)).split())
        return f"<{tag}>{escape(text, quote=False)}</{tag}>" if " " in text else ""
    return _element(children, depth + 1) if tag in _TREE_BOXES and depth < _VALUE_DEPTH else ""


def _texts_of_element(children: Any, depth: int) -> Iterator[str]:
    if isinstance(children, str):
        # A reference to another row, or a text that begins with a dollar sign.
        yield children[1:] if children.startswith("$$") else "" if children.startswith("$") else children
    elif isinstance(children, list) and depth < _MOST_DEPTH:
        if len(children) >= 4 and children[0] == "$" and isinstance(children[3], dict):
            yield from _texts_of_element(children[3].get("children"), depth + 1)
        else:
            for child in children:
                yield from _texts_of_element(child, depth + 1)


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
    if _is_flat(data):
        yield from _lists_of_places(data)
    else:
        yield from _paragraph_lists(data, 0)


def _is_flat(data: Any) -> bool:
    """Whether this is the data of Nuxt 3: its first value is the root, and names the place of its state."""
    return (
        isinstance(data, list)
        and len(data) > 2
        and isinstance(data[0], list)
        and len(data[0]) == 2
        and data[0][0] in ("Reactive", "ShallowReactive")
        and data[0][1] == 1
    )


def _lists_of_places(data: list[Any]) -> Iterator[str]:
    """The lists of paragraphs in the data of Nuxt 3. What stands in one of them is not looked at again."""
    taken: set[int] = set()
    left = iter(range(_MOST_VALUES))
    for number, value in enumerate(data):
        if number in taken or not isinstance(value, list) or len(value) < 2:
            continue
        places: list[int] = []
        paragraphs = _listed([_restored(data, place, 0, left, places) for place in value])
        if len(paragraphs) >= 2:
            taken.update(places)
            yield "".join(paragraphs)


def _restored(data: list[Any], place: Any, depth: int, left: Iterator[int], places: list[int]) -> Any:
    """The value at a place, with the values that it names in it; None below the depth that paragraphs have.

    left: counts how many values may still be read. places: those that were read.
    """
    is_place = type(place) is int and 0 <= place < len(data)
    if not is_place or depth > _VALUE_DEPTH or next(left, None) is None:
        return None
    places.append(place)
    value = data[place]
    if isinstance(value, dict):
        return {key: _restored(data, inner, depth + 1, left, places) for key, inner in value.items()}
    if isinstance(value, list):
        return [_restored(data, inner, depth + 1, left, places) for inner in value]
    return value


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
        paragraphs = _listed(value)
        if len(paragraphs) >= 2:
            yield "".join(paragraphs)
        else:
            are_labels = not _are_paragraphs(value)
            for inner in value:
                if isinstance(inner, dict | list) or (isinstance(inner, str) and not are_labels):
                    yield from _paragraph_lists(inner, depth + 1)


def _listed(items: list[Any]) -> list[str]:
    """The paragraphs of a list, as markup. Strings are some only where all items are, and long."""
    are_labels = not _are_paragraphs(items)
    return [
        text for item in items if not (are_labels and isinstance(item, str)) and (text := _paragraph(item))
    ]


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
