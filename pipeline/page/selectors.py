"""Finds the elements that a CSS selector matches, in time that grows linearly with the page.

cssselect parses the selector, and libxml2 finds what each of its parts matches. libxml2 does not evaluate the
whole selector: `p ~ p` takes it half a minute on a page of five thousand paragraphs, so one such page would
whole selector: `p ~ p` takes it half a minute on a page of five thousand paragraphs, and such a page would
over the page for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import lxml.html
from cssselect import HTMLTranslator, SelectorError
from cssselect.parser import CombinedSelector, Selector, parse
from lxml import etree

MAX_CHARS = 300
MAX_PARTS = 8

# Elements that are never found: taken out, they would leave no page, and taken alone, they are the page.
_FRAME = frozenset(("html", "head", "body"))
_SPECIMEN = "<html lang='en'><head><title>t</title></head><body><div><p>t</p></div></body></html>"


@dataclass(frozen=True, slots=True)
class _Step:
    """A part of a selector, and how what it matches stands to what the part before it matches."""

    combinator: str
    find: Any


def check_selector(css: str) -> None:
    """Raises ValueError with what is wrong with a selector, and what to write instead."""
    if len(css) > MAX_CHARS or not css.isprintable():
        raise ValueError(
            f"{css[:60]!r} is no selector of at most {MAX_CHARS} printable characters; shorten it"
        )
    root = lxml.html.document_fromstring(_SPECIMEN)
    try:
        frame = [element.tag for element in _found(root, css) if element.tag in _FRAME]
    except (SelectorError, etree.XPathError) as error:
        raise ValueError(
            f"{css!r} is no CSS selector ({error}); write e.g. '.promo' or 'aside.related'"
        ) from error
    if frame:
        raise ValueError(f"{css!r} matches every page as a whole; name the elements, e.g. 'aside.related'")
    if any(len(steps) > MAX_PARTS for steps in _compiled(css)):
        raise ValueError(f"{css!r} has more than {MAX_PARTS} parts; name the last of them more closely")


def find_by_selector(root: Any, css: str) -> list[Any]:
    """The elements of the page under `root` that a valid selector matches, in document order.

    html, head, body and what stands in the head are never among them.
    """
    return [
        element
        for element in _found(root, css)
        if element.tag not in _FRAME and next(element.iterancestors("head"), None) is None
    ]


def _found(root: Any, css: str) -> list[Any]:
    alternatives = _compiled(css)
    if len(alternatives) == 1 and len(alternatives[0]) == 1:
        return list(alternatives[0][0].find(root))
    matched = {element for steps in alternatives for element in _combined(root, steps)}
    return [element for element in root.iter() if element in matched]


def _combined(root: Any, steps: tuple[_Step, ...]) -> set[Any]:
    found = set(steps[0].find(root))
    for step in steps[1:]:
        reached = _reached(root, found, step.combinator) if found else set()
        found = reached.intersection(step.find(root))
    return found


def _reached(root: Any, found: set[Any], combinator: str) -> set[Any]:
    """The elements that stand to one of those found as the combinator says."""
    reached: set[Any] = set()
    for element in root.iter():
        parent = element.getparent()
        if parent is None:
            continue
        if combinator == ">":
            is_reached = parent in found
        elif combinator == " ":
            is_reached = parent in found or parent in reached
        else:
            before = element.getprevious()
            is_reached = before in found or (combinator == "~" and before in reached)
        if is_reached:
            reached.add(element)
    return reached


@lru_cache(maxsize=4096)
def _compiled(css: str) -> tuple[tuple[_Step, ...], ...]:
    """The alternatives of a selector, each as its steps. Raises SelectorError."""
    return tuple(_steps(selector) for selector in parse(css))


def _steps(selector: Selector) -> tuple[_Step, ...]:
    if selector.pseudo_element is not None:
        raise SelectorError("an element can be selected, not a part of it")
    steps = []
    tree = selector.parsed_tree
    while isinstance(tree, CombinedSelector):
        steps.append(_Step(tree.combinator, _xpath(tree.subselector)))
        tree = tree.selector
    return (_Step("", _xpath(tree)), *reversed(steps))


def _xpath(tree: Any) -> Any:
    return etree.XPath(HTMLTranslator().selector_to_xpath(Selector(tree)))
