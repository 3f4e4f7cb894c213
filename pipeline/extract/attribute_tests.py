"""Answers XPath expressions that ask for an element's own name and attributes, from what was answered before.

Trafilatura's expressions try several regular expressions on the names of every element, each in a call from C
to Python. That is half of the time in which it reads a page. But elements of one name with the same
attributes get the same answer, and a page has few different ones. docs/tuning.md: Reading without copies
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
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
# What is asked of an element: its name, and those of its attributes that an expression looks at.
_Asked = tuple[Any, ...]


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

    known: dict[_Asked, bool] = {}

    def asked_of(element: Any) -> _Asked:
        return (element.tag if tags else "x", *[item for item in element.items() if item[0] in names])

    def answers_to(asked: Iterable[_Asked]) -> dict[_Asked, bool]:
        """What is known, and the expression's answers to the rest, all in one call."""
        wanted = dict.fromkeys(asked)
        answers = {one: known[one] for one in wanted if one in known}
        if new := [one for one in wanted if one not in answers]:
            holder = etree.Element("x")
            for tag, *attributes in new:
                etree.SubElement(holder, tag, dict(attributes))
            found = set(expression(holder))
            answers.update((one, element in found) for one, element in zip(new, holder, strict=True))
            if len(known) + len(new) > _KNOWN:
                known.clear()
            short = (one for one in new if sum(len(value) for _, value in one[1:]) <= _KNOWN_CHARS)
            known.update((one, answers[one]) for one in short)
        return answers

    def find(tree: Any) -> list[Any]:
        elements = [(element, asked_of(element)) for element in tree.iterdescendants(*tags or "*")]
        answers = answers_to(asked for _, asked in elements)
        found = [element for element, asked in elements if answers[asked]]
        return list(expression(tree)) if found and asks_more else found

    def find_first(tree: Any) -> list[Any]:
        for element in tree.iterdescendants(*tags or "*"):
            asked = asked_of(element)
            is_found = known.get(asked)
            if answers_to((asked,))[asked] if is_found is None else is_found:
                return list(expression(tree)) if asks_more else [element]
        return []

    return find_first if conditions[1] is not None else find
