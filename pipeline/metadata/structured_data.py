"""Collects meta elements, links and JSON-LD of a page; the values are not checked here.

Malformed JSON-LD is common. Common errors are repaired; otherwise it is read key by key.
"""

from __future__ import annotations

import html as html_entities
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from pipeline.text import without_invisible

# Endings of the schema.org types of articles, in lower case: NewsArticle, BlogPosting, ReviewNewsArticle, …
_ARTICLE_TYPES = ("article", "posting", "report", "review", "analysisnews", "opinionnews")
_PAGE_TYPE = re.compile(r"^(WebPage|ItemPage|VideoObject|Recipe|CreativeWork|MediaObject)$", re.I)


@dataclass(slots=True)
class StructuredData:
    """The statements of a page, and the elements that may have more.

    metas: values of the meta elements by lower-case name. links: link elements. bases: base elements.
    nodes: all JSON-LD objects. article: that of the article, or empty. by_id: those with an @id.
    licences: texts of the scripts that are licences (RSL).
    headings: h1 elements. times: time elements. items: elements with an itemprop, without meta elements.
    """

    metas: dict[str, list[str]] = field(default_factory=dict)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    article: dict[str, Any] = field(default_factory=dict)
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)
    licences: list[str] = field(default_factory=list)
    links: list[Any] = field(default_factory=list)
    bases: list[Any] = field(default_factory=list)
    headings: list[Any] = field(default_factory=list)
    times: list[Any] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)

    def meta(self, *names: str) -> list[str]:
        """The values of the meta elements with these names, in the order of the names."""
        return [value for name in names for value in self.metas.get(name, ())]


def read_structured_data(root: Any, url: str) -> StructuredData:
    """Collects the meta elements and JSON-LD objects of a page, and chooses the object of the article."""
    data = StructuredData()
    kept = {"link": data.links, "base": data.bases, "h1": data.headings, "time": data.times}
    for element in root.iter("meta", "script", *kept):
        if element.tag == "meta":
            _take_meta(element, data.metas)
        elif element.tag != "script":
            kept[element.tag].append(element)
        elif element.text and (kind := (element.get("type") or "").lower()):
            if "ld+json" in kind:
                data.nodes += read_json_ld(element.text)
            elif "rsl+xml" in kind:
                data.licences.append(element.text)
    data.items = [element for element in _ITEMS(root) if element.tag != "meta"]
    for node in data.nodes:
        identity = node.get("@id")
        if isinstance(identity, str) and len(node) > 1:
            data.by_id.setdefault(identity, node)
    data.article = _choose_article(data.nodes, url)
    return data


# This form is faster than a condition on each element, and faster than "//".
_ITEMS = etree.XPath("/descendant-or-self::*/@itemprop/..")


def _take_meta(meta: Any, metas: dict[str, list[str]]) -> None:
    content = (meta.get("content") or "").strip()
    for attribute in ("property", "name", "itemprop", "http-equiv") if content else ():
        if name := meta.get(attribute):
            metas.setdefault(name.strip().lower(), []).append(content)


def read_json_ld(text: str) -> list[dict[str, Any]]:
    """All objects of a JSON-LD script, outermost first, with those in graphs and lists.

    In a script that is not valid JSON, common errors are repaired. Otherwise it is read key by key, so that
    one wrong character does not lose the date and the authors.
    """
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip()
    if "[CDATA[" in text or "]]>" in text:
        text = re.sub(r"^\s*(//)?\s*<!\[CDATA\[|(//)?\s*\]\]>\s*$", "", text).strip()
    text = text.rstrip(";")
    for reading in (str, _repaired):
        try:
            return list(_objects(json.loads(reading(text), strict=False)))
        except (ValueError, RecursionError):
            continue
    return _scraped(text)


def _repaired(text: str) -> str:
    """Repairs escaped quotes, comments, commas that are surplus or missing, and invalid backslashes."""
    text = html_entities.unescape(text) if "&quot;" in text and '"' not in text[:200] else text
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r",\s*([}\]])", r"\1", text)
    text = re.sub(r"([}\]])\s*(\{)", r"\1,\2", text)
    text = re.sub(r"\\(?![\"\\/bfnrtu])", r"\\\\", text)
    if not text.startswith("["):
        # The script has several objects without a list around them.
        text = f"[{text}]" if re.search(r"\},\{", text) and not text.startswith("{") else text
    return text


_SCRAPED_KEY = re.compile(
    r'"(headline|datePublished|dateCreated|dateModified|@type|articleBody|isAccessibleForFree|url)"\s*:\s*'
    r'(?:"((?:[^"\\]|\\.)*)"|(true|false))'
)
_SCRAPED_AUTHOR = re.compile(r'"author"\s*:\s*(\[.*?\]|\{.*?\}|"(?:[^"\\]|\\.)*")', re.S)
_SCRAPED_NAME = re.compile(r'"name"\s*:\s*"((?:[^"\\]|\\.)*)"')


def _scraped(text: str) -> list[dict[str, Any]]:
    """Reads the known keys of damaged JSON-LD with regular expressions into one object."""
    text = text[:500_000]
    node: dict[str, Any] = {}
    for key, string, literal in _SCRAPED_KEY.findall(text):
        if key == "@type" and "@type" in node and not is_article_type(string):
            continue
        if key != "@type" and key in node:
            continue
        node[key] = _unescaped(string) if string else literal == "true"
    author = _SCRAPED_AUTHOR.search(text)
    if author:
        names = _SCRAPED_NAME.findall(author[1]) or re.findall(r'^"((?:[^"\\]|\\.)*)"$', author[1])
        node["author"] = [_unescaped(name) for name in names]
    return [node] if node else []


def _unescaped(string: str) -> str:
    try:
        return str(json.loads(f'"{string}"', strict=False))
    except ValueError:
        return string


def _objects(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > 6:
        return
    if isinstance(value, list):
        for item in value[:200]:
            yield from _objects(item, depth + 1)
    elif isinstance(value, dict):
        yield value
        for key in (
            "@graph",
            "mainEntity",
            "mainEntityOfPage",
            "itemListElement",
            "author",
            "publisher",
            "hasPart",
        ):
            inner = value.get(key)
            if isinstance(inner, dict | list):
                yield from _objects(inner, depth + 1)


def types_of(node: dict[str, Any]) -> str:
    """The type of a JSON-LD object: of several, the first of an article, else the first; "" if none."""
    kind = node.get("@type")
    if isinstance(kind, str):
        return kind
    kinds = kind if isinstance(kind, list) else [kind]
    names = [k for k in kinds if isinstance(k, str)]
    return next((k for k in names if is_article_type(k)), names[0] if names else "")


def is_article_type(name: str) -> bool:
    """Whether a schema.org type is a kind of article."""
    return name.lower().endswith(_ARTICLE_TYPES)


def _choose_article(nodes: list[dict[str, Any]], url: str) -> dict[str, Any]:
    """The object that most likely describes the page's article, by type, keys and URL; empty if none does."""
    best: dict[str, Any] = {}
    best_score = 0.0
    path = urlsplit(url).path.rstrip("/")
    for node in nodes:
        kind = types_of(node)
        score = 4.0 if is_article_type(kind) else 1.0 if _PAGE_TYPE.search(kind) else 0.0
        if not score:
            continue
        if kind.lower().endswith("review"):
            score -= 1
        score += (
            1.0 * bool(node.get("datePublished"))
            + 1.0 * bool(node.get("headline"))
            + 0.5 * bool(node.get("author"))
        )
        address = node.get("url") or node.get("@id") or node.get("mainEntityOfPage") or ""
        if isinstance(address, dict):
            address = address.get("@id") or ""
        if path and isinstance(address, str) and urlsplit(address).path.rstrip("/") == path:
            score += 1.5
        if score > best_score:
            best, best_score = node, score
    return best


def text_of(value: Any) -> str:
    """The text of a JSON-LD value: a string, the first of a list, or an object's value or name; else ""."""
    if isinstance(value, list):
        value = next((v for v in value if isinstance(v, str)), "")
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name") or ""
    return value.strip() if isinstance(value, str) else ""


def cleaned(text: str) -> str:
    """The text without tags, entities (also escaped twice) and invisible characters, white space folded."""
    for _ in range(2):
        if "&" not in text:
            break
        text = html_entities.unescape(text)
    if "<" in text:
        text = re.sub(r"</?[a-zA-Z][^<>]{0,200}>", "", text)
    return " ".join(without_invisible(text).split())


def element_text(element: Any) -> str:
    """The cleaned text of an element and its descendants."""
    return cleaned(" ".join(element.itertext()))


def resolved(value: Any, data: StructuredData) -> Any:
    """The object that a JSON-LD reference (only @id and @type) refers to; any other value unchanged."""
    if isinstance(value, dict) and set(value) <= {"@id", "@type"} and isinstance(value.get("@id"), str):
        return data.by_id.get(value["@id"], value)
    return value
