"""Reads licences of Really Simple Licensing (RSL) in a page: `<script type="application/rsl+xml">`.

    <rsl xmlns="https://rslstandard.org/rsl">
      <content url="/">
        <license>
          <permits type="usage">search</permits>
          <prohibits type="usage">ai-train</prohibits>
          <terms>https://lindenpost.example/terms</terms>
        </license>
      </content>
    </rsl>

Uses that are permitted may be so for a payment alone, so they say nothing of what is reserved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from pipeline.document import RightsStatement
from pipeline.metadata.rights import addressed, clean_rights
from pipeline.metadata.site_rights import is_covered

# Characters of one licence that are read, licences of a page, and elements of one.
_MOST_CHARS = 100_000
_MOST_LICENCES = 10
_MOST_ELEMENTS = 1_000
_NAMES = {"permits": "license-permits", "prohibits": "license-prohibits"}
# Elements with the address of terms.
_ADDRESSES = frozenset({"terms", "standard", "custom"})


def inline_licences(texts: Sequence[str], url: str) -> tuple[RightsStatement, ...]:
    """The statements of the licences for this page. texts: of the scripts. url: of the page."""
    return clean_rights(
        statement for text in texts[:_MOST_LICENCES] for statement in _statements(text[:_MOST_CHARS], url)
    )


def _statements(text: str, url: str) -> Iterator[RightsStatement]:
    parser = etree.XMLParser(
        encoding="utf-8", recover=True, resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        root = etree.fromstring(text.strip().encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    if root is None:
        return
    elements = [element for element, _ in zip(root.iter("{*}*"), range(_MOST_ELEMENTS), strict=False)]
    for element in elements:
        name, said = _name(element), " ".join((element.text or "").split())
        if not said or not _holds_for(element, url):
            continue
        if name in _NAMES and element.get("type", "usage") == "usage":
            uses = ", ".join(said.replace(",", " ").split())
            yield RightsStatement(_NAMES[name], uses, "script")
        elif name in _ADDRESSES:
            yield from addressed("license", said, "script", url)


def _holds_for(element: Any, url: str) -> bool:
    """Whether the element is part of a licence, of content that the page belongs to."""
    outer = {_name(one): one for one in reversed([*element.iterancestors()])}
    if "license" not in outer or "content" not in outer:
        return False
    pattern = (outer["content"].get("url") or "/").strip()
    try:
        stated, page = urlsplit(pattern), urlsplit(url)
    except ValueError:
        return False
    if stated.scheme:
        if stated.netloc.lower() != page.netloc.lower():
            return False
        pattern = f"{stated.path or '/'}?{stated.query}" if stated.query else stated.path or "/"
    return is_covered(pattern, url)


def _name(element: Any) -> str:
    name: str = etree.QName(element).localname.lower()
    return name
