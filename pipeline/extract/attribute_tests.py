"""Answers XPath expressions that ask for an element's own name and attributes, from what was answered before.

Trafilatura's expressions try several regular expressions on the names of every element, each in a call from C
to Python. That is half of the time in which it reads a page. But elements of one name with the same
attributes get the same answer, and a page has few different ones. docs/tuning.md: Reading without copies
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

# Answers of one expression that are kept.
_KNOWN = 4096
# Longer values are no names, and their answers are not kept.
_KNOWN_CHARS = 200
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# Any element below, with conditions on names and attributes alone; at the end perhaps: the first one.
_OWN_CONDITIONS = re.compile(
    r"\A\s*\(?\.//\*(?:@[\w-]+|self::\w+|''|(?:contains|translate|starts-with|re:test|not)(?=\()|(?:or|and)\b|[\s=|,()]"
    r"|\[(?!1\])|\])*+(\[1\])?\s*"
)
# Holds for an element without children.
_WITHOUT = re.compile(r"not\(\.//\w+\)")
_ATTRIBUTE = re.compile(r"@([\w-]+)")
_NAME = re.compile(r"self::(\w+)")


def attribute_test(expression: etree.XPath) -> Callable[[Any], list[Any]]:
    """A function that finds what the expression finds; the expression itself where it asks for more.

    Of an expression that ends in [1] only the first element in the order of the page is found.
    """
    path, asks_more = _WITHOUT.subn("", _QUOTED.sub("''", expression.path))
    conditions = _OWN_CONDITIONS.fullmatch(path)
    if conditions is None:
        return lambda tree: list(expression(tree))
    names = frozenset(_ATTRIBUTE.findall(path))
    tags = sorted(set(_NAME.findall(path)))
    is_first_only = conditions[1] is not None

    def answer(tag: str, *attributes: tuple[str, str]) -> bool:
        holder = etree.Element("x")
        element = etree.SubElement(holder, tag)
        for name, value in attributes:
            element.set(name, value)
        return bool(expression(holder))

    known: dict[Any, bool] = {}

    def find(tree: Any) -> list[Any]:
        found = []
        for element in tree.iterdescendants(*tags or "*"):
            asked = (element.tag if tags else "x", *[item for item in element.items() if item[0] in names])
            is_found = known.get(asked)
            if is_found is None:
                is_found = answer(*asked)
                if len(known) >= _KNOWN:
                    known.clear()
                if sum(len(value) for _, value in asked[1:]) <= _KNOWN_CHARS:
                    known[asked] = is_found
            if is_found:
                if asks_more:
                    return list(expression(tree))
                found.append(element)
                if is_first_only:
                    break
        return found

    return find
